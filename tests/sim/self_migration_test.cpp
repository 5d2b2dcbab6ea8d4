#include <gtest/gtest.h>

#include "tests/support/scenario.h"

namespace godwit {
namespace {

using namespace std::chrono_literals;
using test::migrate;
using test::plain_run;
using test::self_migrating;

sim::RunOptions hot_guest() {
  sim::RunOptions run = plain_run();
  run.links[0].latency = 100us;
  run.guests[0].memory = {256 * test::kMiB};
  run.guests[0].workload = {.kind = workloads::Kind::kHotSet,
                            .write_rate = 8000,
                            .hot_memory = {8 * test::kMiB},
                            .hot_share = kWhole / 100 * 95};
  run.migrations[0].strategy.plan.stop.downtime_max = 100ms;
  return run;
}

// Hansen 2004: the downtime of self-migration equals that of managed migration.
TEST(SelfMigration, WithoutASenderSetItIsDownExactlyAsLongAsPreCopy) {
  sim::RunOptions run = hot_guest();
  const sim::MigrationResult managed = migrate(run);
  self_migrating(run);
  run.migrations[0].strategy.sender.derived = false;
  const sim::MigrationResult self = migrate(run);
  EXPECT_EQ(self.downtime, managed.downtime);
  EXPECT_EQ(self.total_time, managed.total_time);
  EXPECT_EQ(self.transferred, managed.transferred);
}

TEST(SelfMigration, NeverHasLessToSendThanItsSenderDirties) {
  sim::RunOptions run = plain_run();  // idle: nothing but the sender writes
  run.links[0].latency = 1ms;
  self_migrating(run);
  run.migrations[0].strategy.plan.stop = {.budget = false, .rounds_max = 6};
  const sim::MigrationResult r = migrate(run);
  ASSERT_EQ(r.status, sim::Status::kCompleted);
  // 64 rings and stack, 1 bitmap page, 2 ms x 1 Gbit/s = 250,000 bytes = 62 pages in flight.
  EXPECT_EQ(r.self_dirtied.rings_and_stack, Pages{64});
  EXPECT_EQ(r.self_dirtied.bitmap, Pages{1});
  EXPECT_EQ(r.self_dirtied.in_flight, Pages{62});
  for (const sim::Iteration& i : r.iterations) {
    if (i.round.stopped) continue;
    EXPECT_GE(i.round.pending_after.value, 64u + 1u + 62u);
  }
}

TEST(SelfMigration, InFlightGrowsWithRateTimesRoundTripAndTablesWithMemory) {
  sim::RunOptions run = plain_run();
  run.links[0].latency = 500us;
  self_migrating(run);
  const sim::MigrationResult base = migrate(run);
  EXPECT_EQ(base.self_dirtied.in_flight, Pages{31});    // 125,000 bytes
  EXPECT_EQ(base.self_dirtied.page_tables, Pages{32});  // one per 2 MiB

  run.links[0].latency = 1ms;
  EXPECT_EQ(migrate(run).self_dirtied.in_flight, Pages{62});
  run.links[0].bandwidth = {2'000'000'000};
  EXPECT_EQ(migrate(run).self_dirtied.in_flight, Pages{123});  // 500,000 bytes

  run.guests[0].memory = {1024 * test::kMiB};
  const sim::MigrationResult larger = migrate(run);
  EXPECT_EQ(larger.self_dirtied.page_tables, Pages{512});
  EXPECT_EQ(larger.self_dirtied.bitmap, Pages{8});  // 262,144 bits
}

TEST(SelfMigration, DeclaredNoStateTrackingBitsAreNotSent) {
  sim::RunOptions run = hot_guest();
  self_migrating(run);
  const sim::MigrationResult with = migrate(run);
  run.migrations[0].strategy.sender.tracking_bits_are_state = false;
  const sim::MigrationResult without = migrate(run);
  EXPECT_GT(with.self_dirtied.page_tables, Pages{0});
  EXPECT_EQ(without.self_dirtied.page_tables, Pages{0});
  EXPECT_LT(without.transferred, with.transferred);
}

TEST(SelfMigration, IsPaidByTheGuestAndSlowsABusyWorkload) {
  sim::RunOptions run = hot_guest();
  for (sim::HostOptions& host : run.hosts) host.profile = test::costly();
  run.guests[0].vcpus = 1;
  run.guests[0].workload.demand = workloads::Demand::kBusy;
  const sim::MigrationResult managed = migrate(run);
  self_migrating(run);
  const sim::MigrationResult self = migrate(run);
  for (const sim::Bill& bill : self.costs) {
    EXPECT_EQ(bill.payer, bill.host == "a" ? "guest" : "destination");
  }
  for (const sim::Bill& bill : managed.costs) EXPECT_NE(bill.payer, "guest");
  EXPECT_GT(self.work_lost - self.downtime, (managed.work_lost - managed.downtime) * 2);
}

TEST(SelfMigration, AShadowThatDoesNotFitThawsAndThenFails) {
  sim::RunOptions run = hot_guest();
  self_migrating(run);
  run.migrations[0].strategy.plan.shadow_max = {4096};
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, sim::Status::kFailed);
  EXPECT_EQ(r.reason, "shadow_full");
  EXPECT_EQ(r.home, sim::Home::kSource);
  EXPECT_EQ(r.pauses, 3u);
}

TEST(Downtime, IsTheSumOfItsParts) {
  sim::RunOptions run = hot_guest();
  for (sim::HostOptions& host : run.hosts) {
    host.profile = test::costly();
    host.profile.pause = 3ms;
    host.profile.resume = 2ms;
    host.profile.device_load = 5ms;
    host.profile.inflate_table = 1us;
  }
  run.guests[0].device_state = {test::kMiB};
  for (const bool self : {false, true}) {
    if (self) self_migrating(run);
    const sim::MigrationResult r = migrate(run);
    Nanos sum{0};
    for (const Nanos part : r.parts) sum += part;
    EXPECT_EQ(sum, r.downtime);
    EXPECT_EQ(r.parts[static_cast<std::size_t>(sim::Part::kStop)], 3ms);
    EXPECT_EQ(r.parts[static_cast<std::size_t>(sim::Part::kResume)], 2ms);
  }
}

}  // namespace
}  // namespace godwit
