#include <gtest/gtest.h>

#include <algorithm>

#include "scenarios/strategy.h"
#include "tests/support/scenario.h"

// What QEMU 10's loop does that no round-by-round pre-copy does. The numbers are worked out from its constants: windows of
// 100 ms, slices of more than 50 ms, 4,104 bytes a page counted in lumps of 32, 18 bytes a slice.
namespace godwit {
namespace {

using namespace std::chrono_literals;
using test::kMiB;
using test::migrate;
using test::plain_run;

constexpr std::uint64_t kPage = 4104;

/// An idle guest of 64 MiB over 1 Gbit/s between hosts that cost nothing, under QEMU without a bandwidth limit.
sim::RunOptions qemu_run() {
  sim::RunOptions run = plain_run();
  run.migrations[0].strategy = scenarios::find_strategy("qemu-10")->options;
  core::Plan& plan = run.migrations[0].strategy.plan;
  plan.rate = core::RateLaw::kUnlimited;
  plan.rate_max = {0};
  return run;
}

core::Plan& plan_of(sim::RunOptions& run) { return run.migrations[0].strategy.plan; }

void limit(sim::RunOptions& run, std::uint64_t bytes_per_second) {
  plan_of(run).rate = core::RateLaw::kWindowed;
  plan_of(run).rate_max = {bytes_per_second * 8};
}

std::uint64_t new_dirty(const sim::MigrationResult& result) {
  std::uint64_t sum = 0;
  for (const sim::Iteration& each : result.iterations) sum += each.round.new_dirty.value;
  return sum;
}

// 64 MiB take 5.4 ms at 100 Gbit/s, and everything fits a limit of an hour. But no window has told the bandwidth yet.
TEST(Qemu, NeverCompletesInItsFirstWindow) {
  sim::RunOptions run = qemu_run();
  run.links[0].bandwidth = {100'000'000'000};
  plan_of(run).stop.downtime_max = 3600s;
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, sim::Status::kCompleted);
  EXPECT_GE(r.total_time, 100ms);
  EXPECT_LT(r.total_time, 110ms);
}

// At 125 MB/s the threshold is 37.5 MB. It is looked at between slices of 51 ms and up to 64 pages, in which 6.6 MB go: when
// the guest stops, 30.9 to 37.5 MB are left, though it never wrote anything. That is 247 to 300 ms.
TEST(Qemu, SpendsTheDowntimeBudgetOnAnIdleGuest) {
  sim::RunOptions run = qemu_run();
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(new_dirty(r), 0u);
  EXPECT_GE(r.downtime, 247ms);
  EXPECT_LE(r.downtime, 300ms);
  plan_of(run).round_rule = core::RoundRule::kAllSent;
  EXPECT_LT(migrate(run).downtime, 1ms);
}

// What is known to be left counts 4,096 bytes a page. Where the upper 38 MiB are zero, up to 9,155 of them are left, which
// are 9 bytes each: 0.66 ms.
TEST(Qemu, SpendsLittleOfItWhereTheRestIsZero) {
  sim::RunOptions run = qemu_run();
  run.guests[0].pages = {{.kind = sim::PageKind::kZero, .share = mul_div(kWhole, 38, 64), .at_high = true}};
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(r.normal, Pages{16384 - 38 * 256});
  EXPECT_LE(r.downtime, 660us);
}

// 20 MB/s x 300 ms are 6 MB and a window 2 MB; at 125 MB/s the 4 to 6.4 MB that are left take 32 to 52 ms, not 200 to 300.
TEST(Qemu, TheStopPhaseIgnoresTheBandwidthLimit) {
  sim::RunOptions run = qemu_run();
  limit(run, 20'000'000);
  const sim::MigrationResult r = migrate(run);
  EXPECT_GE(r.downtime, 32ms);
  EXPECT_LE(r.downtime, 52ms);
}

// The log is read at set-up, when the rest is known to be under the threshold, and once the guest has stopped.
TEST(Qemu, AnIdleGuestTakesThreeReadsOfTheLog) { EXPECT_EQ(migrate(qemu_run()).dirty_syncs, 3u); }

// 10,000,000 bytes a window: 76 lumps of 131,328 bytes and 18 for the slice are 9,980,946, so the 77th goes as well:
// 10,112,274, as in each of the real windows. Ten windows have begun within 1 s.
TEST(Qemu, AWindowEndsWithTheLumpThatGoesBeyondItsBudget) {
  sim::RunOptions run = qemu_run();
  run.guests[0].memory = {512 * kMiB};
  run.links[0].bandwidth = {10'000'000'000};  // a window's burst is over within one slice
  limit(run, 100'000'000);
  run.horizon = 999ms;
  EXPECT_EQ(migrate(run).transferred, Bytes{10 * (77 * 32 * kPage + 18)});
  limit(run, 20'000'000);
  EXPECT_EQ(migrate(run).transferred, Bytes{10 * (16 * 32 * kPage + 18)});
}

// A guest of 16,384 pages at 30,460 pages a second. A sweep of 10,000 writes a second over the upper half has written
// 2,689 pages before the first of them goes, after 269 ms. With a limit of 1 ms the log is read when all but 30 pages have
// gone, after 538 ms: 5,379 writes. TCG forgets with each read of the log, so all of those are dirty; KVM forgets a chunk
// just before its first page goes, so that only the later half is.
TEST(Qemu, KvmDoesNotResendWhatWasWrittenBetweenReadAndSend) {
  sim::RunOptions run = qemu_run();
  run.guests[0].workload = {
      .kind = workloads::Kind::kSequential, .write_rate = 10'000, .memory = Bytes{32 * kMiB}, .at = Bytes{32 * kMiB}};
  plan_of(run).stop.downtime_max = 1ms;
  plan_of(run).clear_chunk = {8192};
  plan_of(run).clear = core::ClearRule::kPerChunk;
  EXPECT_NEAR(static_cast<double>(migrate(run).iterations.at(0).round.new_dirty.value), 5379 - 2689, 40);
  plan_of(run).clear = core::ClearRule::kAtRead;
  EXPECT_NEAR(static_cast<double>(migrate(run).iterations.at(0).round.new_dirty.value), 5379, 40);
}

// Hot pages at low addresses do not keep the scan from reaching the rest: it goes on where it stopped. With a threshold of
// 60 MB the last 14,600 pages, which nobody writes, are left at the first read of the log, when all 16,384 hot pages are
// dirty again. To come under the threshold again as many have to go: those that were left, and about 1,800 hot ones up to a
// slice's 1,600 more. Only they can be newly dirty at the second read.
TEST(Qemu, TheScanGoesOnWhereItStopped) {
  sim::RunOptions run = qemu_run();
  run.guests[0].memory = {128 * kMiB};
  run.guests[0].workload = {.kind = workloads::Kind::kUniform, .write_rate = 200'000, .memory = Bytes{64 * kMiB}};
  plan_of(run).stop.downtime_max = 480ms;
  plan_of(run).clear = core::ClearRule::kAtRead;
  run.horizon = 1300ms;
  const sim::MigrationResult r = migrate(run);
  ASSERT_GE(r.iterations.size(), 2u);
  EXPECT_GT(r.iterations[0].round.new_dirty, Pages{16'000});
  EXPECT_LT(r.iterations[1].round.new_dirty, Pages{3'500});
}

TEST(Qemu, NormalAndZeroPagesAreAllPagesAndThoseNewlyDirty) {
  for (const core::ClearRule clear : {core::ClearRule::kAtRead, core::ClearRule::kPerChunk}) {
    for (const std::uint64_t rate : {0, 3'000, 20'000}) {
      for (const std::uint32_t channels : {0u, 2u}) {
        sim::RunOptions run = qemu_run();
        run.guests[0].workload = {.kind = workloads::Kind::kUniform, .write_rate = rate};
        run.guests[0].pages = {{.kind = sim::PageKind::kZero, .share = kWhole / 3, .at_high = true}};
        plan_of(run).clear = clear;
        plan_of(run).channels = channels;
        const sim::MigrationResult r = migrate(run);
        ASSERT_EQ(r.status, sim::Status::kCompleted);
        EXPECT_EQ(r.normal.value + r.duplicate.value, 16384 + new_dirty(r)) << rate;
        EXPECT_TRUE(r.verified);
      }
    }
  }
}

// No zero pages: 4,096 bytes a page, 1,344 for each packet of 128 that is begun in a scan, and whenever the channels wait for
// each other, here at set-up and at the stop, 1,344 on each and 8 on the main connection; 18 for each slice there.
TEST(Qemu, MultifdSendsPacketsOf128Pages) {
  sim::RunOptions run = qemu_run();
  plan_of(run).channels = 2;
  const sim::MigrationResult r = migrate(run);
  ASSERT_EQ(r.iterations.size(), 2u);
  const auto packets = [](Pages pages) { return (pages.value + 127) / 128; };
  const std::uint64_t expected = 16384 * 4096 +
                                 (packets(r.iterations[0].round.sent) + packets(r.iterations[1].round.sent)) * 1344 +
                                 2 * (2 * 1344 + 8);
  const std::uint64_t slices = r.transferred.value - expected;
  EXPECT_EQ(slices % 18, 0u);
  EXPECT_LE(slices / 18, 540u / 51 + 2);
}

TEST(Qemu, MultifdSendsNothingForZeroPagesButTheirPlaceInAPacket) {
  sim::RunOptions run = qemu_run();
  run.guests[0].pages = {{.kind = sim::PageKind::kZero, .share = kWhole / 2, .at_high = true}};
  plan_of(run).stop.downtime_max = 1ms;
  plan_of(run).channels = 2;
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(r.normal, Pages{8192});
  const std::uint64_t beside = r.transferred.value - 8192 * 4096;
  EXPECT_GE(beside, 16384 / 128 * 1344);
  EXPECT_LE(beside, 16384 / 128 * 1344 + 6 * (2 * 1344 + 8) + 20 * 18);
}

/// A guest that writes as fast as it can: 40,000 pages a second where the link carries 30,460.
sim::RunOptions busy_run() {
  sim::RunOptions run = qemu_run();
  run.guests[0].memory = {256 * kMiB};
  run.guests[0].workload = {.kind = workloads::Kind::kUniform,
                            .write_rate = 40'000,
                            .demand = workloads::Demand::kBusy,
                            .cpu_per_write = 25us};
  plan_of(run).stop.downtime_max = 30ms;
  run.horizon = 30s;
  return run;
}

TEST(Qemu, AutoConvergeMakesConvergeWhatElseDoesNot) {
  sim::RunOptions run = busy_run();
  EXPECT_EQ(migrate(run).status, sim::Status::kUnfinished);
  plan_of(run).throttle.on = true;
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, sim::Status::kCompleted);
  EXPECT_GT(r.work_lost, r.downtime);
  EXPECT_TRUE(r.verified);
}

// 20 %, then 10 more each time; never before two bad periods of more than a second each have passed.
TEST(Qemu, TheThrottleRisesAfterTwoBadPeriods) {
  sim::RunOptions run = busy_run();
  plan_of(run).throttle.on = true;
  const core::ThrottleRules& rules = plan_of(run).throttle;
  const sim::MigrationResult r = migrate(run);
  Share last = 0;
  Nanos raised{0};
  for (const sim::Iteration& each : r.iterations) {
    if (each.throttle == last) continue;
    EXPECT_EQ(each.throttle, last == 0 ? rules.initial : last + rules.increment);
    const Nanos now = each.round.began + each.round.took;
    EXPECT_GT(now - raised, 2s);
    raised = now;
    last = each.throttle;
  }
  EXPECT_GE(last, kWhole / 5);
}

// A busy guest under a throttle of 40 % loses two fifths of each round; all rounds lose no more than the whole migration.
TEST(Qemu, AThrottledGuestLosesItsShareOfEachRound) {
  sim::RunOptions run = busy_run();
  plan_of(run).throttle = {.on = true, .initial = kWhole / 10 * 4, .max = kWhole / 10 * 4};
  const sim::MigrationResult r = migrate(run);
  ASSERT_EQ(r.status, sim::Status::kCompleted);
  Nanos sum{0};
  int throttled = 0;
  for (std::size_t i = 0; i < r.iterations.size(); ++i) {
    const sim::Iteration& each = r.iterations[i];
    sum += each.work_lost;
    if (each.throttle == 0) {
      EXPECT_EQ(each.work_lost, 0ns);
    }
    if (i == 0 || r.iterations[i - 1].throttle == 0 || each.round.stopped) continue;
    const core::RoundStats& before = r.iterations[i - 1].round;
    const Nanos lasted = each.round.began + each.round.took - (before.began + before.took);
    EXPECT_NEAR(static_cast<double>(each.work_lost.count()), static_cast<double>(lasted.count()) * 0.4, 10);
    ++throttled;
  }
  EXPECT_GT(throttled, 2);
  EXPECT_LE(sum, r.work_lost);
}

// A paced guest keeps its rate at 80 %, where it rests for 40 ms at a time; at 99 % it does 6 % of its writes.
TEST(Qemu, APacedGuestHardlyNoticesAThrottleUntilItsWritesAreTooLate) {
  const auto lost = [](Share throttle) {
    sim::RunOptions run = busy_run();
    run.guests[0].workload.demand = workloads::Demand::kPaced;
    plan_of(run).throttle = {.on = true, .initial = throttle, .max = throttle};
    run.horizon = 12s;
    const sim::MigrationResult r = migrate(run);
    return r.work_lost - r.downtime;
  };
  EXPECT_EQ(lost(kWhole / 100 * 80), 0ns);
  EXPECT_GT(lost(kWhole / 100 * 99), 1s);
}

/// Writes 64 bytes at a time to 16 MiB, over and over, faster than the link can send whole pages.
sim::RunOptions delta_run() {
  sim::RunOptions run = qemu_run();
  run.guests[0].workload = {
      .kind = workloads::Kind::kUniform, .write_rate = 100'000, .memory = Bytes{16 * kMiB}, .bytes_per_write = {64}};
  plan_of(run).stop.downtime_max = 30ms;
  run.horizon = 20s;
  return run;
}

TEST(Qemu, XbzrleSendsWhatHasChanged) {
  sim::RunOptions run = delta_run();
  EXPECT_EQ(migrate(run).status, sim::Status::kUnfinished);
  plan_of(run).deltas = true;
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, sim::Status::kCompleted);
  EXPECT_GT(r.deltas, Pages{1000});
  // 11 bytes before each, 64 that were written, 3 that say where.
  const std::uint64_t plain = r.normal.value * kPage + r.deltas.value * (11 + 64 + 3);
  EXPECT_GE(r.transferred.value, plain);
  EXPECT_LE(r.transferred.value, plain + 18 * 100);
  EXPECT_TRUE(r.verified);
}

// Pages of the first scan are not remembered: what is sent as a delta has been sent twice before.
TEST(Qemu, XbzrleRemembersFromTheSecondScanOn) {
  sim::RunOptions run = delta_run();
  plan_of(run).deltas = true;
  const sim::MigrationResult r = migrate(run);
  EXPECT_GE(r.normal.value, 16384 + r.iterations.at(0).round.new_dirty.value * 9 / 10);
}

// ---- post-copy

/// A guest that writes all of its memory faster than it can be sent, so that pre-copy never ends.
sim::RunOptions post_copy_run() {
  sim::RunOptions run = qemu_run();
  run.guests[0].workload = {.kind = workloads::Kind::kUniform, .write_rate = 200'000};
  plan_of(run).switch_over = core::Switch::kPostCopy;
  plan_of(run).clear = core::ClearRule::kAtRead;
  return run;
}

// Who asks after the first pass hears of its end when a slice of the second is on its way, 51 ms and up to 64 pages, which are
// 2.1 ms. The log is read at set-up, after the first pass, and once the guest has stopped.
TEST(Qemu, PostCopyBeginsASliceAfterThePassThatItWaitsFor) {
  sim::RunOptions run = post_copy_run();
  plan_of(run).postcopy.after_rounds = 1;
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, sim::Status::kCompleted);
  EXPECT_TRUE(r.verified);
  ASSERT_EQ(r.iterations.size(), 4u);
  EXPECT_GE(r.iterations[1].round.took, 51ms);
  EXPECT_LE(r.iterations[1].round.took, 54ms);
  EXPECT_TRUE(r.iterations[2].round.stopped);
  EXPECT_TRUE(r.iterations[3].round.post_copy);
  EXPECT_EQ(r.dirty_syncs, 3u);
  EXPECT_EQ(r.normal.value, 16384 + new_dirty(r));
}

// The first pass would last 227 ms and more: the threshold of 37.5 MB leaves 29.7 MB of it, and slices are of 51 to 53.1 ms.
TEST(Qemu, PostCopyThatIsAskedForAtATimeBeginsAtTheNextLook) {
  sim::RunOptions run = post_copy_run();
  plan_of(run).postcopy.after = 120ms;
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, sim::Status::kCompleted);
  EXPECT_TRUE(r.verified);
  ASSERT_EQ(r.iterations.size(), 3u);
  EXPECT_GE(r.iterations[0].round.took, 120ms);
  EXPECT_LE(r.iterations[0].round.took, 120ms + 54ms);
  EXPECT_EQ(r.iterations[0].round.new_dirty, Pages{0});
  EXPECT_EQ(r.dirty_syncs, 2u);
  EXPECT_EQ(r.normal.value, 16384 + new_dirty(r));
}

// What is left of an idle guest after the first pass fits the downtime limit: nobody gets to ask for anything.
TEST(Qemu, PostCopyIsNotBegunWhereTheRestFitsTheLimit) {
  sim::RunOptions run = post_copy_run();
  run.guests[0].workload = {};
  plan_of(run).postcopy.after_rounds = 1;
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, sim::Status::kCompleted);
  EXPECT_TRUE(r.verified);
  EXPECT_EQ(r.postcopy, Bytes{0});
  EXPECT_GE(r.downtime, 247ms);
}

}  // namespace
}  // namespace godwit
