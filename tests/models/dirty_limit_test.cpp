#include "models/dirty_limit.h"

#include <gtest/gtest.h>

namespace godwit::models {
namespace {

using namespace std::chrono_literals;

constexpr Bytes kRing{4096 * 4096};  // 16 MiB

// 16 MiB at 100 MiB/s fill in 160 ms. 90 % too fast: 160 ms x 90 / 10 more.
TEST(DirtyLimit, FarFromItsQuotaItGoesAllTheWay) {
  DirtyLimit limit(10, kRing);
  limit.measured(100);
  EXPECT_EQ(limit.sleep(), 1440ms);
  limit.measured(40);  // 75 %, 160 ms x 75 / 25, for the ring's time is that of the fastest
  EXPECT_EQ(limit.sleep(), 1920ms);
}

// 33 % off: a tenth of 16 / 150 s.
TEST(DirtyLimit, NearerItGoesByTenths) {
  DirtyLimit limit(100, kRing);
  limit.measured(150);
  EXPECT_EQ(limit.sleep(), 10'666us);
  limit.measured(140);
  EXPECT_EQ(limit.sleep(), 21'332us);
}

TEST(DirtyLimit, Within25MibItStays) {
  DirtyLimit limit(100, kRing);
  limit.measured(125);
  EXPECT_EQ(limit.sleep(), 0ms);
  limit.measured(126);
  EXPECT_EQ(limit.sleep(), 12'698us);  // a tenth of 16 / 126 s
  limit.measured(75);
  EXPECT_EQ(limit.sleep(), 12'698us);
  limit.measured(74);
  EXPECT_EQ(limit.sleep(), 0ms);
}

// 200 MiB/s, 80 ms: 99.5 %, counted as 99, would be 7.92 s, which is just the most; a second step changes nothing.
TEST(DirtyLimit, SleepsAtMost99TimesTheRing) {
  DirtyLimit limit(1, kRing);
  limit.measured(200);
  EXPECT_EQ(limit.sleep(), 7920ms);
  limit.measured(100);
  EXPECT_EQ(limit.sleep(), 7920ms);
}

TEST(DirtyLimit, LetsGoWhatNoLongerWrites) {
  DirtyLimit limit(100, kRing);
  limit.measured(300);
  EXPECT_GT(limit.sleep(), 0ms);
  limit.measured(0);
  EXPECT_EQ(limit.sleep(), 0ms);
}

// Of 100 ms of work 300 ms of sleep make 400. Work that wants half of the CPU catches up: it is done in 50 ms.
TEST(RingSpeed, IsWhatSleepLeavesAndWorkCatchesUpWithWhatItHasToSpare) {
  EXPECT_EQ(ring_speed(100ms, 300ms, kWhole), kWhole / 4);
  EXPECT_EQ(ring_speed(100ms, 350ms, kWhole / 2), kWhole / 4);
  EXPECT_EQ(ring_speed(100ms, 50ms, kWhole / 2), kWhole);
  EXPECT_EQ(ring_speed(100ms, 0ms, kWhole), kWhole);
}

}  // namespace
}  // namespace godwit::models
