#include "core/decide.h"

#include <gtest/gtest.h>

namespace godwit::core {
namespace {

using namespace std::chrono_literals;

/// After a first round, 1,000 pages of 1,000 bytes pending and 8 Mbit/s: a page takes a millisecond.
Situation situation() {
  return {.last = {.index = 1, .sent = {1000}},
          .pending = {1000},
          .page = {1000},
          .memory = {10'000'000},
          .bandwidth = {8'000'000}};
}

TEST(Decide, StopsWhenTheRestJustFitsTheDowntimeLimit) {
  const Plan plan{.stop = {.downtime_max = 300ms}};
  Situation now = situation();
  now.pending = {300};
  EXPECT_EQ(decide(plan, now), Decision::kStop);
  now.pending = {301};
  EXPECT_EQ(decide(plan, now), Decision::kContinue);
}

TEST(Decide, CountsWhatTheSenderDirtiesTwiceForAGuestThatMovesItself) {
  const Plan plan{.stop = {.downtime_max = 300ms}, .switch_over = Switch::kSelfCheckpoint};
  Situation now = situation();
  now.pending = {200};
  now.sender = {100};
  EXPECT_EQ(decide(plan, now), Decision::kStop);
  now.sender = {101};
  EXPECT_EQ(decide(plan, now), Decision::kContinue);
}

TEST(Decide, KnowsNoBudgetBeforeItKnowsTheBandwidth) {
  Situation now = situation();
  now.bandwidth = {0};
  EXPECT_EQ(decide({}, now), Decision::kContinue);
}

TEST(Decide, StopsWhenNothingIsPending) {
  Situation now = situation();
  now.bandwidth = {0};
  now.pending = {0};
  EXPECT_EQ(decide({}, now), Decision::kStop);
}

TEST(Decide, GivesUpOnlyWhereThePlanSaysSo) {
  Plan plan{.stop = {.budget = false, .rounds_max = 5}};
  Situation now = situation();
  now.last.index = 4;
  EXPECT_EQ(decide(plan, now), Decision::kContinue);
  now.last.index = 5;
  EXPECT_EQ(decide(plan, now), Decision::kStop);
  plan.abort_if_unconverged = true;
  EXPECT_EQ(decide(plan, now), Decision::kAbort);
}

TEST(Decide, StopsBeyondTheFactorNotAtIt) {
  const Plan plan{.stop = {.budget = false, .factor_max = 3}};
  Situation now = situation();
  now.total_sent = {30'000'000};
  EXPECT_EQ(decide(plan, now), Decision::kContinue);
  now.total_sent = {30'000'001};
  EXPECT_EQ(decide(plan, now), Decision::kStop);
}

TEST(Decide, StopsBelowAPageCountNotAtIt) {
  const Plan plan{.stop = {.budget = false, .pages_below = {50}}};
  Situation now = situation();
  now.pending = {50};
  EXPECT_EQ(decide(plan, now), Decision::kContinue);
  now.pending = {49};
  EXPECT_EQ(decide(plan, now), Decision::kStop);
}

TEST(Decide, StopsOnARoundWithoutGainOnlyAtTheHighestRate) {
  const Plan plan{.stop = {.budget = false, .no_gain_at_max_rate = true}};
  Situation now = situation();
  now.last.index = 3;
  now.sent_before = {999};
  EXPECT_EQ(decide(plan, now), Decision::kContinue);
  now.at_rate_max = true;
  EXPECT_EQ(decide(plan, now), Decision::kStop);
  now.sent_before = {1000};
  EXPECT_EQ(decide(plan, now), Decision::kContinue);
}

TEST(Decide, StopsWhenARoundSentSoManyMoreThanTheOneBefore) {
  const Plan plan{.stop = {.budget = false, .grown_by = {32}}};
  Situation now = situation();
  now.last.index = 2;
  now.sent_before = {969};
  EXPECT_EQ(decide(plan, now), Decision::kContinue);
  now.sent_before = {968};
  EXPECT_EQ(decide(plan, now), Decision::kStop);
  now.last.index = 1;
  EXPECT_EQ(decide(plan, now), Decision::kContinue);
}

TEST(Decide, StopsAtTheSendersFloor) {
  const Plan plan{.stop = {.budget = false, .sender_floor = true}};
  Situation now = situation();
  now.sender = {1000};
  EXPECT_EQ(decide(plan, now), Decision::kStop);
  now.sender = {999};
  EXPECT_EQ(decide(plan, now), Decision::kContinue);
}

// Clark et al. 2005, Fig. 12: after round 1 at 100 Mbit/s the dirty rate was 105, so round 2 ran at 155; after round 2
// it was 947, so round 3 ran at the maximum.
TEST(AdaptedRate, FollowsTheDirtyRateUpAndNeverDown) {
  const Plan plan{.rate_max = {500'000'000}, .rate_step = {50'000'000}};
  EXPECT_EQ(adapted_rate(plan, {100'000'000}, {13'125'000}, 1s), BitsPerSecond{155'000'000});
  EXPECT_EQ(adapted_rate(plan, {155'000'000}, {118'375'000}, 1s), BitsPerSecond{500'000'000});
  EXPECT_EQ(adapted_rate(plan, {155'000'000}, {1'000'000}, 1s), BitsPerSecond{155'000'000});
}

TEST(Throttle, APeriodIsBadThatDirtiesMoreThanHalfOfWhatItSends) {
  EXPECT_FALSE(outruns({}, {50}, {100}));
  EXPECT_TRUE(outruns({}, {51}, {100}));
  EXPECT_FALSE(outruns({}, {0}, {0}));
}

TEST(Throttle, GoesUpInStepsAsQemusDoes) {
  const ThrottleRules rules{.initial = 20, .increment = 10, .max = 99};
  EXPECT_EQ(raised_throttle(rules, 0, {100}, {100}), 20u);
  EXPECT_EQ(raised_throttle(rules, 20, {100}, {100}), 30u);
  EXPECT_EQ(raised_throttle(rules, 89, {100}, {100}), 99u);
  EXPECT_EQ(raised_throttle(rules, 90, {100}, {100}), 99u);
  EXPECT_EQ(raised_throttle({.initial = 60, .max = 50}, 0, {100}, {100}), 50u);
}

// Throttled by half, a guest that dirties 52 where 50 are allowed should run for 50/52 of the half that it has: the ideal
// is 48.08 % of the time, less by 1.92 than it has. One that dirties 100 should run for a quarter: less by 25.
TEST(Throttle, TailslowTakesNoMoreThanWhatSeemsToBeNeeded) {
  const ThrottleRules rules{.increment = kWhole / 10, .tailslow = true};
  const auto step = [&](std::uint64_t dirtied) {
    return static_cast<double>(raised_throttle(rules, kWhole / 2, {dirtied}, {100}) - kWhole / 2) /
           static_cast<double>(kWhole);
  };
  EXPECT_NEAR(step(52), 0.01923, 0.00001);
  EXPECT_NEAR(step(100), 0.1, 0.00001);
}

}  // namespace
}  // namespace godwit::core
