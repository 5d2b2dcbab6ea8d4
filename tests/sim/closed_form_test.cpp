#include <gtest/gtest.h>

#include "tests/support/scenario.h"

// Runs whose figures arithmetic gives exactly. Hosts cost nothing and pages have no header, so a page of 4,096 bytes
// takes 32,768 ns at 1 Gbit/s, and the 16,384 pages of 64 MiB take 536,870,912 ns.
namespace godwit {
namespace {

using namespace std::chrono_literals;
using test::migrate;
using test::plain_run;

constexpr Nanos kPage = 32768ns;
constexpr Nanos kAll = 536'870'912ns;

TEST(ClosedForm, StopAndCopyTakesPagesOverBandwidthPlusLatency) {
  sim::RunOptions run = plain_run();
  run.links[0].latency = 50us;
  run.migrations[0].strategy.plan.live = false;
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, sim::Status::kCompleted);
  EXPECT_EQ(r.parts[static_cast<std::size_t>(sim::Part::kCopy)], kAll + 50us);  // the last page's flight
  EXPECT_EQ(r.parts[static_cast<std::size_t>(sim::Part::kCommit)], 100us);      // READY back, COMMIT forth
  EXPECT_EQ(r.downtime, kAll + 150us);
  EXPECT_EQ(r.total_time, r.downtime);
  EXPECT_EQ(r.transferred, Bytes{64 * test::kMiB});
  EXPECT_TRUE(r.verified);
}

TEST(ClosedForm, AnIdlePreCopySendsEveryPageOnceAndIsDownForNothing) {
  const sim::MigrationResult r = migrate(plain_run());
  EXPECT_EQ(r.normal, Pages{16384});
  EXPECT_EQ(r.total_time, kAll);
  EXPECT_EQ(r.downtime, 0ns);
  ASSERT_EQ(r.iterations.size(), 2u);
  EXPECT_EQ(r.iterations[1].round.sent, Pages{0});
}

// A writer that sweeps at half the link's speed dirties half of what each round sends: 16384, 8192, 4096, ... A round
// of n pages takes n pages' time, in which n / 2 are written. With a limit of 10 ms, that is 305 pages: after the
// round of 512 pages 256 are left, and that is where it stops. The n-th write falls at n / rate, none at 0.
TEST(ClosedForm, ASequentialWriterAtHalfTheLinkHalvesEachRound) {
  sim::RunOptions run = plain_run();
  run.guests[0].workload = {.kind = workloads::Kind::kSequential, .write_rate = 1'000'000'000 / 65536};
  run.migrations[0].strategy.plan.stop.downtime_max = 10ms;
  const sim::MigrationResult r = migrate(run);
  std::vector<std::uint64_t> sent;
  for (const sim::Iteration& i : r.iterations) sent.push_back(i.round.sent.value);
  ASSERT_EQ(sent.size(), 7u);
  std::uint64_t expected = 16384;
  for (std::size_t i = 0; i < sent.size(); ++i, expected /= 2) {
    // 15258 writes a second instead of 15258.79: a page less at most, and as many again from rounding the instants.
    EXPECT_NEAR(static_cast<double>(sent[i]), static_cast<double>(expected), 2.0) << i;
  }
  EXPECT_EQ(r.downtime, kPage * static_cast<std::int64_t>(sent.back()));
}

// The sweep covers 256 pages 100 times a second; the first round takes 537 ms, 53 sweeps. Each page counts once.
TEST(ClosedForm, APageHitOftenBetweenTwoReadsOfTheLogCountsOnce) {
  sim::RunOptions run = plain_run();
  run.guests[0].workload = {.kind = workloads::Kind::kSequential, .write_rate = 25600, .memory = Bytes{256 * 4096}};
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(r.iterations.at(0).round.new_dirty, Pages{256});
  EXPECT_EQ(r.normal, Pages{16384 + 256});
  EXPECT_EQ(r.downtime, kPage * 256);
}

TEST(ClosedForm, ZeroPagesCostTheirFramingOnly) {
  sim::RunOptions run = plain_run();
  run.guests[0].pages = {{.kind = sim::PageKind::kZero, .share = kWhole / 4, .at_high = true}};
  core::Plan& plan = run.migrations[0].strategy.plan;
  plan.live = false;
  plan.detect_zero = true;
  plan.framing = {.page_header = {8}, .zero_page = {9}};
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(r.normal, Pages{12288});
  EXPECT_EQ(r.duplicate, Pages{4096});
  EXPECT_EQ(r.transferred, Bytes{12288 * 4104 + 4096 * 9});
}

TEST(ClosedForm, TwoMigrationsShareALinkEvenly) {
  sim::RunOptions run = plain_run();
  run.guests.push_back(run.guests[0]);
  run.guests[1].name = "h";
  run.migrations[0].strategy.plan.live = false;
  run.migrations.push_back(run.migrations[0]);
  run.migrations[1].guest = 1;
  const sim::RunResult r = sim::run(run);
  EXPECT_EQ(r.migrations[0].total_time, kAll * 2);
  EXPECT_EQ(r.migrations[1].total_time, kAll * 2);
}

// 100 of 1,000 Mbit/s are taken while the guest runs, and none while it is stopped.
TEST(ClosedForm, TheGuestsOwnTrafficTakesItsShareOfTheLinkWhileItRuns) {
  sim::RunOptions run = plain_run();
  run.traffic = {{.guest = 0, .peer = 1, .rate = {100'000'000}}};
  EXPECT_EQ(migrate(run).total_time, 596'523'236ns);  // 536,870,912 / 0.9, rounded up
  run.migrations[0].strategy.plan.live = false;
  EXPECT_EQ(migrate(run).total_time, kAll);
}

TEST(ClosedForm, OneAfterAnotherWhenOnlyOneMayRun) {
  sim::RunOptions run = plain_run();
  run.guests.push_back(run.guests[0]);
  run.guests[1].name = "h";
  run.migrations.push_back(run.migrations[0]);
  run.migrations[1].guest = 1;
  run.max_parallel = 1;
  const sim::RunResult r = sim::run(run);
  EXPECT_EQ(r.migrations[0].total_time, kAll);
  EXPECT_EQ(r.migrations[1].requested_at, kAll);
  EXPECT_EQ(r.migrations[1].total_time, kAll);
}

// Without a limit every round is sent at the highest rate, whatever limit is not in force.
TEST(ClosedForm, ALimitThatIsNotInForceDecidesNothing) {
  sim::RunOptions run = plain_run();
  run.guests[0].workload = {.kind = workloads::Kind::kUniform, .write_rate = 40000};
  core::Plan& plan = run.migrations[0].strategy.plan;
  plan.stop = {.budget = false, .no_gain_at_max_rate = true};
  const sim::RunResult without = sim::run(run);
  plan.rate_max = {7'000'000};
  EXPECT_EQ(sim::run(run).digest, without.digest);
}

// 64 MiB at 100 Mbit/s are 5,368,709 us, a second of which the link is down. The adaptive law lets the source catch up on
// the link of 1 Gbit/s, so that it is through as if nothing had happened; an even limit does not.
TEST(ClosedForm, TheAdaptiveLawKeepsWhatItAllowedWhileSomethingElseHeldTheSourceUp) {
  const auto took = [](core::RateLaw law) {
    sim::RunOptions run = plain_run();
    core::Plan& plan = run.migrations[0].strategy.plan;
    plan.rate = law;
    plan.rate_start = plan.rate_max = {100'000'000};
    plan.batch = {1024};
    run.events = {{.kind = sim::EventKind::kLinkDown, .at = 1s, .lasts = 1s}};
    return migrate(run).iterations.at(0).round.took;
  };
  EXPECT_GE(took(core::RateLaw::kAdaptive), 5'368'709us);
  EXPECT_LE(took(core::RateLaw::kAdaptive), 5'368'710us);
  EXPECT_GE(took(core::RateLaw::kFixed), 6'368'709us);
}

TEST(ClosedForm, WhatDoesNotConvergeIsUnfinishedAtTheHorizon) {
  sim::RunOptions run = plain_run();
  run.guests[0].workload = {.kind = workloads::Kind::kSequential, .write_rate = 100'000};
  run.horizon = 10s;
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, sim::Status::kUnfinished);
  EXPECT_EQ(r.total_time, 10s);
  EXPECT_EQ(r.home, sim::Home::kSource);
}

}  // namespace
}  // namespace godwit
