#include <gtest/gtest.h>

#include "tests/support/scenario.h"
#include "tests/support/strategy.h"

// Management layers over QEMU: what comes of a guest that never converges by itself.
namespace godwit {
namespace {

using namespace std::chrono_literals;
using sim::MigrationResult;
using sim::Status;
using test::kMiB;
using test::migrate;

/// A guest of 1 GiB over 1 Gbit/s that writes `hot` bytes of it all the time, under QEMU and `policy`.
sim::RunOptions managed(const scenarios::Json& strategy, Bytes hot) {
  sim::RunOptions run = test::plain_run();
  run.guests[0].memory = {1024 * kMiB};
  run.guests[0].workload = {.kind = workloads::Kind::kUniform, .write_rate = 500'000, .memory = hot};
  run.migrations[0].strategy = test::read_strategy(strategy).options;
  run.horizon = 3h;
  return run;
}

scenarios::Json qemu(const char* policy) { return {{"name", "qemu-10"}, {"policy", policy}}; }

// 40 MiB need 336 ms. Without a policy 300 ms are never enough. nova allows 320 ms after 450 s for 1 GiB, and 365 ms after 525 s.
TEST(Policies, NovaWaitsUntilTheStepThatFits) {
  sim::RunOptions run = managed({{"name", "qemu-10"}, {"max_bandwidth", "10 Tbit/s"}}, {40 * kMiB});
  run.horizon = 60s;
  EXPECT_EQ(migrate(run).status, Status::kUnfinished);
  const MigrationResult r = migrate(managed(qemu("nova"), {40 * kMiB}));
  EXPECT_EQ(r.status, Status::kCompleted);
  EXPECT_GE(r.total_time, 525s);
  EXPECT_LT(r.total_time, 527s);
  EXPECT_TRUE(r.verified);
}

// 200 MiB need 1.7 s: 500 ms are never enough, and 800 s for 1 GiB end it.
TEST(Policies, NovaGivesUpOrForces) {
  const MigrationResult r = migrate(managed(qemu("nova"), {200 * kMiB}));
  EXPECT_EQ(r.status, Status::kCancelled);
  EXPECT_EQ(r.reason, "policy");
  EXPECT_GE(r.total_time, 800s);
  EXPECT_LT(r.total_time, 802s);

  scenarios::Json forced = qemu("nova");
  forced["policy_on_timeout"] = "force_complete";
  const MigrationResult stopped = migrate(managed(forced, {200 * kMiB}));
  EXPECT_EQ(stopped.status, Status::kCompleted);
  EXPECT_GE(stopped.downtime, 1600ms);
  EXPECT_TRUE(stopped.verified);

  forced["postcopy"] = "on";
  const MigrationResult followed = migrate(managed(forced, {200 * kMiB}));
  EXPECT_EQ(followed.status, Status::kCompleted);
  EXPECT_GT(followed.postcopy, Bytes{0});
  EXPECT_LT(followed.downtime, 100ms);
  EXPECT_TRUE(followed.verified);
}

// The first pass takes 20 s at 52 MiB/s, and rounds of 100 MiB 2 s each, which no limit allows. Four looks of 10 s each after
// the first round make it 500 ms, and 20 MiB take 385 ms: more than the 189 ms of the step before.
TEST(Policies, VdsmAllows500MsAfterFourSteps) {
  sim::RunOptions run = managed(qemu("vdsm"), {100 * kMiB});
  workloads::Options& writes = run.guests[0].workload;
  workloads::Options calm = writes;
  calm.memory = Bytes{20 * kMiB};
  writes = {.kind = workloads::Kind::kPhased,
            .phases = {{.lasts = 62s, .workload = writes}, {.lasts = 1h, .workload = calm}}};
  const MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, Status::kCompleted);
  EXPECT_GE(r.total_time, 62s);
  EXPECT_GT(r.downtime, 189ms);
}

TEST(Policies, VdsmGivesUpAfter42Iterations) {
  const MigrationResult r = migrate(managed(qemu("vdsm"), {400 * kMiB}));
  EXPECT_EQ(r.status, Status::kCancelled);
  EXPECT_GE(r.iterations.size(), 43u);
}

TEST(Policies, KubevirtGivesUpAfter150SecondsForEachGiB) {
  const MigrationResult r = migrate(managed(qemu("kubevirt"), {200 * kMiB}));
  EXPECT_EQ(r.status, Status::kCancelled);
  EXPECT_LE(r.total_time, 170s);
}

// 80 MiB need 671 ms, more than QEMU's 300 and less than the 900 that are allowed once it has stalled for a minute.
TEST(Policies, KubevirtThatSeesAStallSwitches) {
  EXPECT_EQ(migrate(managed(qemu("kubevirt"), {80 * kMiB})).status, Status::kCancelled);
  const MigrationResult r = migrate(managed(qemu("kubevirt-stall"), {80 * kMiB}));
  EXPECT_EQ(r.status, Status::kCompleted);
  EXPECT_GE(r.total_time, 60s);
  EXPECT_LE(r.total_time, 100s);
  EXPECT_GE(r.downtime, 500ms);
  EXPECT_LE(r.downtime, 900ms);
}

// 100 ms at first; 40 MiB need 336 ms, so that it is doubled twice.
TEST(Policies, ProxmoxDoublesUntilItFits) {
  const MigrationResult r = migrate(managed(qemu("proxmox"), {40 * kMiB}));
  EXPECT_EQ(r.status, Status::kCompleted);
  EXPECT_GE(r.downtime, 250ms);
  EXPECT_LE(r.downtime, 410ms);
}

TEST(Policies, TheGoalAndTheParametersReplaceTheLimitsOfAPolicy) {
  EXPECT_EQ(test::read_strategy(qemu("nova")).options.plan.stop.downtime_max, 500ms);
  const scenarios::Goal goal{.downtime = 250ms, .bandwidth = {}};
  EXPECT_EQ(test::read_strategy(qemu("nova"), goal).options.plan.stop.downtime_max, 250ms);
  scenarios::Json both = qemu("nova");
  both["downtime_limit"] = "200 ms";
  EXPECT_EQ(test::read_strategy(both, goal).options.plan.stop.downtime_max, 200ms);
  EXPECT_EQ(test::read_strategy(qemu("vdsm")).options.plan.rate_max, BitsPerSecond{52 * kMiB * 8});
  EXPECT_FALSE(test::read_strategy("qemu-10").options.policy.on);
}

}  // namespace
}  // namespace godwit
