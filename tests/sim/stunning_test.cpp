#include <gtest/gtest.h>

#include "tests/support/scenario.h"
#include "tests/support/strategy.h"

// Processes that are kept from running while their guest is moved, since they write too much (Clark et al. 2005, section 5.5).
namespace godwit {
namespace {

using namespace std::chrono_literals;
using sim::MigrationResult;
using sim::Status;
using test::kMiB;
using test::migrate;
using workloads::Kind;

workloads::Options sweep(std::uint64_t rate, std::uint64_t mib) {
  return {.kind = Kind::kSequential, .write_rate = rate, .memory = Bytes{16 * kMiB}, .at = Bytes{mib * kMiB}};
}

/// A guest of 64 MiB that moves itself at no cost of CPU, over 1 Gbit/s: the first round takes 537 ms.
sim::RunOptions moving(const workloads::Options& workload, std::uint32_t faults, std::uint32_t after_rounds) {
  sim::RunOptions run = test::plain_run();
  run.guests[0].workload = workload;
  run.migrations[0] = test::migration_by({{"name", "self-migration"},
                                          {"page_header", "0 B"},
                                          {"downtime_limit", "1 ms"},
                                          {"rounds_max", 8},
                                          {"stun_faults", faults},
                                          {"stun_after_rounds", after_rounds}});
  return run;
}

// At 4,000 pages/s the 40th page falls at 10 ms, when the kernel looks; at 3,000 there are 30 by then, and 60 at 20 ms.
TEST(Stunning, StopsAProcessOnceItHasHadItsFaults) {
  const MigrationResult fast = migrate(moving(sweep(4'000, 16), 40, 0));
  EXPECT_EQ(fast.status, Status::kCompleted);
  EXPECT_TRUE(fast.verified);
  EXPECT_EQ(fast.stunned, 1u);
  EXPECT_EQ(fast.iterations[0].round.new_dirty, Pages{40});
  EXPECT_EQ(migrate(moving(sweep(3'000, 16), 40, 0)).iterations[0].round.new_dirty, Pages{60});
}

// A process that writes 30 pages again and again has 30 faults in each round, and it is the round's that count.
TEST(Stunning, LeavesASmallWorkingSetAlone) {
  const workloads::Options small{
      .kind = Kind::kSequential, .write_rate = 100'000, .memory = Bytes{30 * 4096}, .at = Bytes{kMiB}};
  sim::RunOptions run = moving(small, 40, 0);
  run.migrations[0].strategy.plan.stop.budget = false;
  const MigrationResult r = migrate(run);
  EXPECT_EQ(r.iterations.size(), 9u);
  EXPECT_EQ(r.stunned, 0u);
  EXPECT_EQ(r.stunned_time, 0s);
}

TEST(Stunning, StopsTheHeavyWriterOfSeveral) {
  const workloads::Options both{.kind = Kind::kMix, .parts = {sweep(20'000, 16), sweep(20, 48)}};
  const MigrationResult before = migrate(moving(both, 0, 0));
  const MigrationResult stunned = migrate(moving(both, 40, 1));
  EXPECT_EQ(before.iterations.size(), 9u);  // 0.65 of what the link carries, and sent in a ring of 16 MiB: never 1 ms
  EXPECT_TRUE(stunned.verified);
  EXPECT_EQ(stunned.stunned, 1u);
  // The second round takes 134 ms, in the first 10 of which the heavy one writes 200 pages at most; the other one writes
  // 3 in all of it. Sending those takes 7 ms, in which the other one may write one more.
  EXPECT_EQ(stunned.iterations.size(), 4u);
  EXPECT_LE(stunned.iterations[1].round.new_dirty, Pages{203});
  EXPECT_LE(stunned.iterations[2].round.new_dirty, Pages{1});
}

// It stands from 10 ms on until the guest runs at the destination, in the guest's own time, which stops for the downtime.
TEST(Stunning, SaysForHowLong) {
  const MigrationResult r = migrate(moving(sweep(4'000, 16), 40, 0));
  EXPECT_EQ(r.stunned_time, r.total_time - r.downtime - 10ms);
}

// 4,000 pages/s in rings of 16 MiB: what the first migration has stopped writes as before in the second, which stops nobody.
TEST(Stunning, EndsWithTheMigration) {
  sim::RunOptions run = moving(sweep(4'000, 16), 40, 0);
  sim::MigrationOptions back = run.migrations[0];
  back.to = 0;
  back.at = 1s;
  back.after = 0;
  back.strategy.stun.faults = 0;
  run.migrations.push_back(back);
  const std::vector<MigrationResult> both = sim::run(run).migrations;
  EXPECT_EQ(both[1].status, Status::kCompleted);
  EXPECT_EQ(both[1].stunned, 0u);
  const auto took = static_cast<std::uint64_t>(both[1].iterations[0].round.took.count());
  EXPECT_NEAR(static_cast<double>(both[1].iterations[0].round.new_dirty.value), 4e-6 * static_cast<double>(took), 1.0);
}

TEST(Stunning, EndsWhereTheGuestStays) {
  sim::RunOptions run = moving(sweep(4'000, 16), 40, 0);
  run.events = {{.kind = sim::EventKind::kCancel, .at = 200ms}};
  sim::MigrationOptions again = run.migrations[0];
  again.at = 1s;
  again.strategy.stun.faults = 0;
  run.migrations.push_back(again);
  const std::vector<MigrationResult> both = sim::run(run).migrations;
  EXPECT_EQ(both[0].status, Status::kCancelled);
  EXPECT_EQ(both[0].stunned_time, both[0].total_time - 10ms);
  EXPECT_GT(both[1].iterations[0].round.new_dirty, Pages{2'000});
}

}  // namespace
}  // namespace godwit
