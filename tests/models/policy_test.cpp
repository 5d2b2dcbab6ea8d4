#include "models/policy.h"

#include <gtest/gtest.h>

namespace godwit::models {
namespace {

using namespace std::chrono_literals;
using Verdict = Policy::Verdict;

constexpr Bytes kGiB{std::uint64_t{1} << 30};
constexpr Bytes kMiB{1 << 20};

// nova: max / steps at first, then equal steps, one in 75 s for each GiB: 50, 95 ... 500 ms; with 2 GiB every 150 s.
TEST(Policy, NovaRaisesTheLimitInEqualStepsByTimeAndMemory) {
  Policy policy({.on = true, .schedule = Schedule::kLinear, .steps = 10, .step_per_gib = 75s}, 500ms, kGiB * 2);
  EXPECT_EQ(policy.downtime_max(), 50ms);
  policy.look({.elapsed = 149s, .remaining = kMiB});
  EXPECT_EQ(policy.downtime_max(), 50ms);
  policy.look({.elapsed = 150s, .remaining = kMiB});
  EXPECT_EQ(policy.downtime_max(), 95ms);
  for (auto t = 150s; t <= 1600s; t += 1s) policy.look({.elapsed = t, .remaining = kMiB});
  EXPECT_EQ(policy.downtime_max(), 500ms);
}

TEST(Policy, ATimeoutGivesUpOrForces) {
  PolicyOptions options{.on = true, .timeout_per_gib = 800s};
  EXPECT_EQ(Policy(options, 500ms, kGiB * 2).look({.elapsed = 1600s}), Verdict::kGoOn);
  EXPECT_EQ(Policy(options, 500ms, kGiB * 2).look({.elapsed = 1601s}), Verdict::kAbort);
  options.force = true;
  EXPECT_EQ(Policy(options, 500ms, kGiB * 2).look({.elapsed = 1601s}), Verdict::kForce);
}

// vdsm's own example: 500 ms in five steps are 101, 104, 120, 189 and 500 ms.
TEST(Policy, VdsmRaisesTheLimitWithEachIteration) {
  Policy policy({.on = true, .schedule = Schedule::kExponential, .steps = 5, .rounds_max = 42}, 500ms, kGiB);
  EXPECT_EQ(policy.downtime_max(), 101ms);
  policy.look({.elapsed = 10s});
  EXPECT_EQ(policy.downtime_max(), 101ms);
  for (const auto& [round, limit] : {std::pair{1u, 104ms}, {2u, 120ms}, {3u, 189ms}, {4u, 500ms}, {5u, 500ms}}) {
    EXPECT_EQ(policy.look({.rounds = round}), Verdict::kGoOn);
    EXPECT_EQ(policy.downtime_max(), limit) << round;
  }
  EXPECT_EQ(policy.look({.rounds = 42}), Verdict::kGoOn);
  EXPECT_EQ(policy.look({.rounds = 43}), Verdict::kAbort);
}

// Proxmox: the sixth look at which more remains than at the one before doubles the limit.
TEST(Policy, ProxmoxDoublesTheLimitOfAMigrationThatDoesNotGetOn) {
  Policy policy({.on = true, .schedule = Schedule::kDoubling}, 100ms, kGiB);
  policy.look({.remaining = kMiB});
  for (int grown = 1; grown <= 6; ++grown) {
    EXPECT_EQ(policy.downtime_max(), 100ms);
    policy.look({.remaining = kMiB * 3});
    policy.look({.remaining = kMiB * 2});
    if (grown == 1) policy.look({.remaining = kMiB});
  }
  EXPECT_EQ(policy.downtime_max(), 200ms);
  for (int i = 0; i < 1000; ++i) policy.look({});
  EXPECT_EQ(policy.downtime_max(), 2000s);
}

TEST(Policy, KubevirtEndsWhatMakesNoProgress) {
  Policy policy({.on = true, .progress_timeout = 150s}, 300ms, kGiB * 64);
  EXPECT_EQ(policy.look({.elapsed = 10s, .remaining = kMiB * 5}), Verdict::kGoOn);
  EXPECT_EQ(policy.look({.elapsed = 160s, .remaining = kMiB * 6}), Verdict::kGoOn);
  EXPECT_EQ(policy.look({.elapsed = 161s, .remaining = kMiB * 6}), Verdict::kAbort);
}

PolicyOptions stall() { return {.on = true, .schedule = Schedule::kStall}; }

// 100 MiB in each 10 s: 83.9 Mbit/s, of which 900 ms carry 9.4 MB.
TEST(Policy, KubevirtSwitchesNearTheLeastOnceItHasStalled) {
  Policy policy(stall(), 900ms, kGiB);
  Nanos now{0};
  const auto round = [&](Bytes remaining) {
    now += 10s;
    return policy.round_ended(
        {.elapsed = now, .remaining = remaining, .sent = kMiB * (10 * now.count() / 1'000'000'000)});
  };
  EXPECT_EQ(policy.downtime_max(), 300ms);
  for (int i = 0; i < 7; ++i) round(kMiB * (i == 3 ? 8 : 12));  // older than 60 s: 12 MiB, at 10 s
  EXPECT_EQ(policy.downtime_max(), 300ms);
  round(kMiB * 12);  // stalled, and far from the best
  EXPECT_EQ(policy.downtime_max(), 300ms);
  round(kMiB * 8);
  round(kMiB * 8);
  round(kMiB * 8);
  EXPECT_EQ(policy.downtime_max(), 900ms);
}

TEST(Policy, KubevirtGivesUpWhatIsHopeless) {
  Policy policy(stall(), 900ms, kGiB);
  Verdict verdict = Verdict::kGoOn;
  for (int i = 1; i <= 8; ++i)
    verdict = policy.round_ended({.elapsed = 10s * i, .remaining = kMiB * 14, .sent = kMiB * (100 * i)});
  EXPECT_EQ(verdict, Verdict::kAbort);  // 14 MiB take 1.4 s
}

}  // namespace
}  // namespace godwit::models
