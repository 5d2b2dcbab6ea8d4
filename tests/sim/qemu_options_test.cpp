#include <gtest/gtest.h>

#include "scenarios/strategy.h"
#include "tests/support/scenario.h"

// Options of QEMU that change who waits for what: the dirty limit, postcopy-preempt, avail-switchover-bandwidth.
namespace godwit {
namespace {

using namespace std::chrono_literals;
using test::kMiB;
using test::migrate;

sim::RunOptions qemu_run() {
  sim::RunOptions run = test::plain_run();
  run.migrations[0].strategy = scenarios::find_strategy("qemu-10")->options;
  core::Plan& plan = run.migrations[0].strategy.plan;
  plan.rate = core::RateLaw::kUnlimited;
  plan.rate_max = {0};
  return run;
}

core::Plan& plan_of(sim::RunOptions& run) { return run.migrations[0].strategy.plan; }

// ---- avail-switchover-bandwidth

// 20 MB/s x 1 s are 20 MB, of which up to a slice of 6.6 MB has gone before anybody looks; at 125 MB/s the rest takes 107 to
// 160 ms. By the bandwidth of the window everything would fit.
TEST(SwitchoverBandwidth, TakesThePlaceOfTheEstimate) {
  sim::RunOptions run = qemu_run();
  plan_of(run).stop.downtime_max = 1s;
  EXPECT_GT(migrate(run).downtime, 400ms);
  plan_of(run).stop.bandwidth = {160'000'000};
  const sim::MigrationResult r = migrate(run);
  EXPECT_GE(r.downtime, 107ms);
  EXPECT_LE(r.downtime, 160ms);
  EXPECT_TRUE(r.verified);
}

// A limit of 20 MB/s holds while the guest runs and says nothing of the link: 37.5 MB may be left, less a window's 2 MB and a
// lump.
TEST(SwitchoverBandwidth, IsNotHeldDownByTheLimitOfTheSender) {
  sim::RunOptions run = qemu_run();
  plan_of(run).rate = core::RateLaw::kWindowed;
  plan_of(run).rate_max = {160'000'000};
  plan_of(run).stop.bandwidth = {1'000'000'000};
  const sim::MigrationResult r = migrate(run);
  EXPECT_GE(r.downtime, 282ms);
  EXPECT_LE(r.downtime, 301ms);
}

TEST(SwitchoverBandwidth, IsNotKnownBeforeTheFirstWindowIsOver) {
  sim::RunOptions run = qemu_run();
  run.links[0].bandwidth = {100'000'000'000};
  plan_of(run).stop.bandwidth = {100'000'000'000};
  EXPECT_GE(migrate(run).total_time, 100ms);
}

// ---- postcopy-preempt

constexpr Nanos kPage = 32768ns;

/// A guest whose only write goes to a page in the middle, long before it is pushed. The source's socket holds 64 pages.
sim::RunOptions post_copy_run() {
  sim::RunOptions run = test::plain_run();
  run.links[0].latency = 1ms;
  run.guests[0].vcpus = 1;
  run.guests[0].workload = {
      .kind = workloads::Kind::kSequential, .write_rate = 100, .memory = Bytes{4096}, .at = Bytes{32 * kMiB}};
  run.hosts[0].profile.send_buffer = Bytes{64 * 4096};
  plan_of(run).live = false;
  plan_of(run).switch_over = core::Switch::kPostCopy;
  return run;
}

// The request takes 1 ms, as the answer does. It finds a page on its way, which is ended, and 64 more that the socket holds.
TEST(PostcopyPreempt, WithoutItAPageWaitsForWhatTheSocketHolds) {
  const sim::MigrationResult r = migrate(post_copy_run());
  ASSERT_EQ(r.postcopy_requests, 1u);
  EXPECT_GT(r.postcopy_stall, 2ms + kPage * 65);
  EXPECT_LE(r.postcopy_stall, 2ms + kPage * 66);
  EXPECT_TRUE(r.verified);
}

TEST(PostcopyPreempt, WithItForThePageOnItsWayAtMost) {
  sim::RunOptions run = post_copy_run();
  plan_of(run).postcopy.preempt = true;
  const sim::MigrationResult r = migrate(run);
  ASSERT_EQ(r.postcopy_requests, 1u);
  EXPECT_GT(r.postcopy_stall, 2ms + kPage);
  EXPECT_LE(r.postcopy_stall, 2ms + kPage * 2);
  EXPECT_EQ(r.normal, Pages{16384});
}

// At a tenth of the link's rate whatever is sent has gone at once.
TEST(PostcopyPreempt, ALimitedSenderLeavesNothingInItsSocket) {
  sim::RunOptions run = post_copy_run();
  plan_of(run).postcopy_rate_max = {100'000'000};
  const sim::MigrationResult r = migrate(run);
  EXPECT_GT(r.postcopy_stall, 2ms + kPage);
  EXPECT_LE(r.postcopy_stall, 2ms + kPage * 11);
}

// ---- dirty-limit

/// One virtual CPU that writes as fast as it can, 40,000 pages a second of 65,536, where the link carries 30,460.
sim::RunOptions busy_run() {
  sim::RunOptions run = qemu_run();
  run.guests[0].memory = {256 * kMiB};
  run.guests[0].vcpus = 1;
  run.guests[0].workload = {.kind = workloads::Kind::kUniform,
                            .write_rate = 40'000,
                            .demand = workloads::Demand::kBusy,
                            .cpu_per_write = 25us};
  run.migrations[0].strategy.tracker = models::Tracker::kDirtyRing;
  plan_of(run).clear = core::ClearRule::kAtRead;
  plan_of(run).stop.downtime_max = 30ms;
  run.horizon = 30s;
  return run;
}

// A ring of 4,096 is full when a sixteenth of the memory has been written: after -ln(15/16) x 65,536 / 40,000 = 105.74 ms.
// That is 151 MiB/s. At a quota of 50 they are 66 % too many: of the ring's 16 / 151 s = 105,960 us, 66 / 34 are slept, and
// the guest goes at 105.74 / (105.74 + 205.69) of its speed, which is 51 MiB/s: it stays so.
TEST(DirtyLimit, KeepsAVirtualCpuToItsQuota) {
  sim::RunOptions run = busy_run();
  EXPECT_EQ(migrate(run).status, sim::Status::kUnfinished);
  plan_of(run).dirty_limit.on = true;
  plan_of(run).dirty_limit.rate = {50 << 23};
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, sim::Status::kCompleted);
  EXPECT_TRUE(r.verified);
  EXPECT_EQ(r.iterations.back().ring_sleep, 205'687us);
  EXPECT_EQ(r.iterations.back().throttle, Share{0});
}

// Two periods of more than a second have to be bad, and the quota takes a period to become known to be exceeded.
TEST(DirtyLimit, BeginsAfterTwoBadPeriods) {
  sim::RunOptions run = busy_run();
  plan_of(run).dirty_limit.on = true;
  for (const sim::Iteration& each : migrate(run).iterations) {
    if (each.round.began + each.round.took > 3s) break;
    EXPECT_EQ(each.ring_sleep, 0us);
  }
}

// 1 % of 40,000 writes a second for the rest of the migration: a reader would not notice, but this guest only writes.
TEST(DirtyLimit, OfOneMebibyteLeavesAWriterAHundredthOfItsSpeed) {
  sim::RunOptions run = busy_run();
  plan_of(run).dirty_limit.on = true;
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, sim::Status::kCompleted);
  EXPECT_EQ(r.iterations.back().ring_sleep, 99 * 105'960us);
}

// A guest that rests half of its time catches up while its ring is full for a third of it.
TEST(DirtyLimit, HardlyHurtsAGuestThatHasTimeToSpare) {
  sim::RunOptions run = busy_run();
  run.guests[0].workload.demand = workloads::Demand::kPaced;
  run.guests[0].cpu_demand = kWhole / 2;
  plan_of(run).dirty_limit.on = true;
  plan_of(run).dirty_limit.rate = {100ull << 23};
  // 151 against 100 MiB/s, 33 %: a tenth of the ring's time more, each second.
  run.horizon = 6s;
  const sim::MigrationResult r = migrate(run);
  EXPECT_GT(r.iterations.back().ring_sleep, 10ms);
  EXPECT_EQ(r.work_lost, 0ns);
}

TEST(DirtyLimit, IsGoneWhereTheGuestStays) {
  sim::RunOptions run = busy_run();
  plan_of(run).dirty_limit.on = true;
  run.events = {{.kind = sim::EventKind::kCancel, .at = 5s}};
  sim::MigrationOptions again = run.migrations[0];
  again.at = 6s;
  again.strategy.plan.dirty_limit.on = false;
  run.migrations.push_back(again);
  run.horizon = 10s;
  const sim::RunResult result = sim::run(run);
  EXPECT_EQ(result.migrations.at(0).status, sim::Status::kCancelled);
  EXPECT_GT(result.migrations.at(0).work_lost, 100ms);
  EXPECT_EQ(result.migrations.at(1).work_lost, 0ns);
}

}  // namespace
}  // namespace godwit
