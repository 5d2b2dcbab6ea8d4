#include <gtest/gtest.h>

#include "tests/support/scenario.h"

namespace godwit::sim {
namespace {

using namespace std::chrono_literals;

// 1 MiB takes 0.84 us at 10 Tbit/s, all of it is written again by then, and nothing else ends the rounds: a year of
// them would be more than 10^13.
TEST(WorkLimit, EndsARunThatNobodyWouldWaitFor) {
  RunOptions run = test::plain_run();
  run.horizon = std::chrono::hours(10'000);
  run.links[0].bandwidth = {10'000'000'000'000};
  run.guests[0].memory = {test::kMiB};
  run.guests[0].workload.kind = workloads::Kind::kUniform;
  run.guests[0].workload.write_rate = 1'000'000'000'000;
  run.migrations[0].strategy.plan.stop.budget = false;
  const RunResult result = sim::run(run);
  const MigrationResult& migration = result.migrations.at(0);
  EXPECT_EQ(migration.status, Status::kUnfinished);
  EXPECT_EQ(migration.reason, "work_limit");
  EXPECT_EQ(migration.warnings.size(), 1u);
  EXPECT_LT(migration.iterations.size(), 1'000'000u);
  EXPECT_LT(result.ended_at, 2s);
}

// What the sending itself dirties never fits the limit, and is below the threshold at which a round ends: nothing is sent,
// nothing takes time, and rounds would follow each other for ever at one instant.
TEST(WorkLimit, EndsARunInWhichTimeStandsStill) {
  RunOptions run = test::plain_run();
  test::self_migrating(run);
  core::Plan& plan = run.migrations[0].strategy.plan;
  plan.round_rule = core::RoundRule::kBelowThreshold;
  plan.stop = {.budget = true, .downtime_max = Nanos{104'532}};
  const RunResult result = sim::run(run);
  EXPECT_EQ(result.migrations.at(0).status, Status::kUnfinished);
  EXPECT_EQ(result.migrations.at(0).reason, "work_limit");
}

}  // namespace
}  // namespace godwit::sim
