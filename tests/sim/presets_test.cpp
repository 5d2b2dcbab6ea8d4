#include <gtest/gtest.h>

#include <algorithm>

#include "scenarios/strategy.h"
#include "tests/support/scenario.h"

// What each preset must do whatever its numbers: structural facts of the originals, over a guest of 16,384 pages and a link
// that carries about 30,500 pages a second.
namespace godwit {
namespace {

using namespace std::chrono_literals;
using core::RoundStats;
using sim::MigrationResult;
using sim::Status;
using test::kMiB;
using test::migrate;
using workloads::Kind;

sim::RunOptions under(const char* strategy) {
  sim::RunOptions run = test::plain_run();
  run.migrations[0].strategy = scenarios::find_strategy(strategy)->options;
  return run;
}

sim::RunOptions writing(const char* strategy, std::uint64_t rate) {
  sim::RunOptions run = under(strategy);
  run.guests[0].workload = {.kind = Kind::kUniform, .write_rate = rate};
  return run;
}

/// A sweep of 10,000 writes a second over the upper half.
sim::RunOptions sweeping(const char* strategy) {
  sim::RunOptions run = under(strategy);
  run.guests[0].workload = {
      .kind = Kind::kSequential, .write_rate = 10'000, .memory = Bytes{32 * kMiB}, .at = Bytes{32 * kMiB}};
  return run;
}

std::vector<RoundStats> live_rounds(const MigrationResult& result) {
  std::vector<RoundStats> rounds;
  for (const sim::Iteration& each : result.iterations)
    if (!each.round.stopped && !each.round.post_copy) rounds.push_back(each.round);
  return rounds;
}

std::vector<Pages> sent_in(const std::vector<RoundStats>& rounds) {
  std::vector<Pages> sent;
  for (const RoundStats& each : rounds) sent.push_back(each.sent);
  return sent;
}

TEST(Xen, MakesFiveLivePassesForAGuestThatNeverConverges) {
  for (const std::uint64_t rate : {20'000u, 30'000u, 300'000u}) {
    const MigrationResult r = migrate(writing("xen", rate));
    EXPECT_EQ(live_rounds(r).size(), 5u) << rate;
    EXPECT_EQ(r.status, Status::kCompleted);
    EXPECT_TRUE(r.verified);
  }
}

TEST(Xen, NeitherTheLinkNorADowntimeChangesTheNumberOfPasses) {
  sim::RunOptions run = writing("xen", 30'000);
  for (const std::uint64_t bandwidth : {100'000'000u, 1'000'000'000u, 3'000'000'000u}) {
    run.links[0].bandwidth = {bandwidth};
    run.migrations[0].strategy.plan.stop.downtime_max = 1h;
    EXPECT_EQ(live_rounds(migrate(run)).size(), 5u) << bandwidth;
  }
}

// The first pass takes 538 ms; at 80 writes a second 43 pages are dirty after it, at 120 there are 65.
TEST(Xen, StopsWhenFewerThan50PagesAreDirty) {
  sim::RunOptions run = sweeping("xen");
  run.guests[0].workload.write_rate = 80;
  EXPECT_EQ(live_rounds(migrate(run)).size(), 1u);
  run.guests[0].workload.write_rate = 120;
  EXPECT_EQ(live_rounds(migrate(run)).size(), 2u);
}

// Records of 1,024 pages: 16 bytes each, 8 for each page, and the pages.
TEST(Xen, AnIdleGuestCostsItsMemoryAndTheFramesOfXensStream) {
  EXPECT_EQ(migrate(under("xen")).transferred, Bytes{16384 * (4096 + 8) + 16 * 16});
}

TEST(XenLegacy, SendsAndSkipsInARoundWhatTheOneBeforeDirtied) {
  const MigrationResult r = migrate(writing("xen-legacy", 20'000));
  const std::vector<RoundStats> rounds = live_rounds(r);
  ASSERT_GE(rounds.size(), 3u);
  Pages skipped{0};
  for (std::size_t n = 1; n < rounds.size(); ++n) {
    EXPECT_EQ(rounds[n].sent + rounds[n].skipped, rounds[n - 1].new_dirty) << n;
    skipped += rounds[n].skipped;
  }
  EXPECT_GT(skipped, Pages{100});
  EXPECT_TRUE(r.verified);
}

// 200 pages that are written all the time: each is dirty again before its turn, so that a round skips all of them.
TEST(XenLegacy, EndsAfter29RoundsOrThreeTimesTheMemory) {
  sim::RunOptions run = under("xen-legacy");
  run.guests[0].workload = {.kind = Kind::kUniform, .write_rate = 2'000'000, .memory = Bytes{200 * 4096}};
  EXPECT_EQ(live_rounds(migrate(run)).size(), 29u);
  run.guests[0].workload = {.kind = Kind::kSequential, .write_rate = 30'000};
  const std::vector<RoundStats> rounds = live_rounds(migrate(run));
  Pages sent{0};
  for (const RoundStats& each : rounds) sent += each.sent;
  EXPECT_TRUE(rounds.size() == 29u || sent > Pages{3 * 16384}) << rounds.size();
  EXPECT_LE(sent, Pages{4 * 16384});
}

// The first pass takes 536.9 ms, in which 5,368 pages are written, half of them before they are sent: all go again.
TEST(CloudHypervisor, ResendsWhatWasWrittenBetweenReadAndSend) {
  sim::RunOptions run = sweeping("cloud-hypervisor");
  run.migrations[0].strategy.plan.stop.downtime_max = 1ms;
  EXPECT_NEAR(static_cast<double>(live_rounds(migrate(run)).at(0).new_dirty.value), 5368, 3);
}

// Of a guest that writes a fixed share f of what is sent, pass n has f^(n - 1) of the memory. With the limit of 300 ms the
// guest stops at the first pass whose bytes fit 300 ms at the rate of the one before: with f = 0.82 (25,000 writes over
// distinct pages at 30,517 a second) after passes of 536.9, 440, 361 and 295 ms, which is the one that is not made.
TEST(CloudHypervisor, StopsBeforeTheFirstPassThatFitsTheLimit) {
  sim::RunOptions run = sweeping("cloud-hypervisor");
  run.guests[0].workload = {.kind = Kind::kSequential, .write_rate = 25'000};
  const MigrationResult r = migrate(run);
  EXPECT_EQ(live_rounds(r).size(), 3u);
  EXPECT_GT(r.downtime, 290ms);
  EXPECT_LE(r.downtime, 300ms);
}

TEST(CloudHypervisor, GivesUpAtItsTimeoutOrStopsTheGuestAsItIsTold) {
  sim::RunOptions run = writing("cloud-hypervisor", 300'000);
  core::Plan& plan = run.migrations[0].strategy.plan;
  EXPECT_EQ(plan.stop.timeout, 3600s);
  plan.stop.timeout = 5s;
  const MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, Status::kFailed);
  EXPECT_EQ(r.reason, "no_convergence");
  plan.abort_if_unconverged = false;
  EXPECT_EQ(migrate(run).status, Status::kCompleted);
}

// 64 MiB at 1 Gbit/s.
TEST(Firecracker, ThePauseIsTheWholeCopy) {
  const MigrationResult r = migrate(writing("firecracker-snapshot", 20'000));
  EXPECT_EQ(r.downtime, 536'870'912ns);
  EXPECT_EQ(r.normal, Pages{16384});
}

TEST(Criu, MakesEightPreDumpsAtMost) {
  const MigrationResult steady = migrate(sweeping("criu-predump"));
  // 16,384 pages, then 0.328 of the round before each time: 5,368, 1,759, 576, 189, and 62 are left.
  EXPECT_EQ(live_rounds(steady).size(), 5u);
  // Uniform over 4,096 pages, 20 times each in a pass: the same 4,096 pages in every one.
  sim::RunOptions run = under("criu-predump");
  run.guests[0].workload = {.kind = Kind::kUniform, .write_rate = 2'000'000, .memory = Bytes{16 * kMiB}};
  EXPECT_EQ(live_rounds(migrate(run)).size(), 8u);
}

// Pass 1 is over after 537 ms, pass 2 of 1,074 pages 35 ms later; in that a burst writes 2,500, so that pass 3 has more.
TEST(Criu, EndsWhenAPreDumpHasGrown) {
  sim::RunOptions run = under("criu-predump");
  workloads::Options trickle{.kind = Kind::kSequential, .write_rate = 2'000};
  workloads::Options burst{.kind = Kind::kSequential, .write_rate = 100'000};
  run.guests[0].workload.kind = Kind::kPhased;
  run.guests[0].workload.phases = {{545ms, trickle}, {25ms, burst}, {10s, trickle}};
  const std::vector<RoundStats> rounds = live_rounds(migrate(run));
  ASSERT_GE(rounds.size(), 2u);
  EXPECT_LT(rounds.size(), 8u);
  EXPECT_GE(rounds.back().sent, rounds[rounds.size() - 2].sent + Pages{32});
}

TEST(VmotionLike, SlowsAGuestThatWritesTooFastUntilItFits) {
  sim::RunOptions run = under("vmotion-like");
  run.guests[0].memory = {256 * kMiB};
  run.guests[0].workload = {
      .kind = Kind::kUniform, .write_rate = 60'000, .demand = workloads::Demand::kBusy, .cpu_per_write = 15us};
  run.horizon = 600s;
  const MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, Status::kCompleted);
  EXPECT_LE(r.downtime, 520ms);
  EXPECT_GT(r.work_lost, r.downtime);
  run.migrations[0].strategy.plan.throttle.on = false;
  EXPECT_EQ(migrate(run).status, Status::kUnfinished);
}

// 40,000 writes a second come to an even number of pages in a round, and vary about it.
TEST(NomadBios, ItsRoundsShrinkUntilTheLast) {
  const std::vector<Pages> sent = sent_in(live_rounds(migrate(writing("nomadbios", 40'000))));
  ASSERT_GE(sent.size(), 3u);
  EXPECT_TRUE(std::is_sorted(sent.rbegin() + 1, sent.rend()));
  EXPECT_GT(sent.back(), sent[sent.size() - 2]);
}

// ---- QEMU 11, where it is not as QEMU 10 (tests/sim/qemu_test.cpp)

TEST(Qemu11, DoesNotCountTheReadAfterTheStop) {
  EXPECT_EQ(migrate(under("qemu-10")).dirty_syncs, 3u);
  EXPECT_EQ(migrate(under("qemu-11")).dirty_syncs, 2u);
}

TEST(Qemu11, NeverCompletesInItsFirstWindow) {
  sim::RunOptions run = under("qemu-11");
  run.links[0].bandwidth = {100'000'000'000};
  run.migrations[0].strategy.plan.stop.downtime_max = 3600s;
  const MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, Status::kCompleted);
  EXPECT_GE(r.total_time, 100ms);
}

TEST(Qemu11, HasTheDefaultsOfQemu10) {
  const core::Plan ten = scenarios::find_strategy("qemu-10")->options.plan;
  const core::Plan eleven = scenarios::find_strategy("qemu-11")->options.plan;
  EXPECT_EQ(eleven.stop.downtime_max, 300ms);
  EXPECT_EQ(eleven.rate_max, ten.rate_max);
  EXPECT_EQ(eleven.clear, core::ClearRule::kPerChunk);
  EXPECT_FALSE(ten.read_at_threshold);
  EXPECT_TRUE(eleven.read_at_threshold);
}

TEST(AllPresets, KeepEveryPageOfAGuestThatWrites) {
  for (const scenarios::Strategy& each : scenarios::strategies()) {
    if (each.options.plan.goes_on) continue;
    sim::RunOptions run = writing(each.name().c_str(), 8'000);
    run.guests[0].vcpus = 2;
    const MigrationResult r = migrate(run);
    EXPECT_EQ(r.status, Status::kCompleted) << each.name();
    EXPECT_TRUE(r.verified) << each.name();
  }
}

}  // namespace
}  // namespace godwit
