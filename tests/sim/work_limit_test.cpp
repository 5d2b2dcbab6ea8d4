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

}  // namespace
}  // namespace godwit::sim
