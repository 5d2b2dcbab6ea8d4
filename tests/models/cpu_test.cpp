#include "models/cpu.h"

#include <gtest/gtest.h>

namespace godwit::models {
namespace {

using namespace std::chrono_literals;

constexpr Share percent(std::uint64_t n) { return kWhole / 100 * n; }

// A percentage is rounded down to parts of 2^32, which a rest of 99 times the running magnifies to 2.3 us.
void expect_about(Nanos found, Nanos expected) { EXPECT_LE(std::abs((found - expected).count()), 2300); }

TEST(Throttle, RestsSoLongThatItRunsForTheShareThatIsLeft) {
  EXPECT_EQ(throttle_rest(0), 0ns);
  EXPECT_EQ(throttle_rest(kWhole / 2), 10ms);      // 10 of 20 ms
  expect_about(throttle_rest(percent(80)), 40ms);  // 10 of 50
  expect_about(throttle_rest(percent(99)), 990ms);
}

// What comes during a rest is done after it, but for what is more than 50 ms late.
TEST(Throttle, APacedWorkloadLosesWhatIsTooLate) {
  EXPECT_EQ(paced_share(0), kWhole);
  EXPECT_EQ(paced_share(percent(80)), kWhole);  // rests for 40 ms
  // Rests for 90 ms: of each 100 ms the last 50 of the rest and the 10 in which it runs.
  EXPECT_NEAR(static_cast<double>(paced_share(percent(90))), 0.60 * static_cast<double>(kWhole), 1e5);
  EXPECT_NEAR(static_cast<double>(paced_share(percent(99))), 0.06 * static_cast<double>(kWhole), 1e5);
}

}  // namespace
}  // namespace godwit::models
