#include "models/guest_clock.h"

#include <gtest/gtest.h>

#include <random>

namespace godwit::models {
namespace {

using namespace std::chrono_literals;

TEST(GuestClock, RunsStandsAndSlowsDown) {
  GuestClock clock;
  EXPECT_EQ(clock.at(10ms), 10ms);
  clock.set_speed(10ms, kWhole / 4);
  EXPECT_EQ(clock.at(30ms), 15ms);
  clock.set_speed(30ms, 0);
  EXPECT_EQ(clock.at(1h), 15ms);
  clock.set_speed(1h, kWhole);
  EXPECT_EQ(clock.at(1h + 1ns), 15ms + 1ns);
}

// Guest time is the sum of wall time x speed, in parts of 2^32 ns. Each change of speed rounds down by less than a
// nanosecond, so the clock never runs ahead, and lags by less than a nanosecond a change.
TEST(GuestClock, LosesLessThanANanosecondAChange) {
  std::mt19937_64 random(1);
  GuestClock clock;
  u128 exact = 0;
  Nanos now{0}, before{0};
  for (int changes = 1; changes <= 10'000; ++changes) {
    const Nanos passed{static_cast<std::int64_t>(random() >> (30 + random() % 34))};
    exact += static_cast<u128>(static_cast<std::uint64_t>(passed.count())) * clock.speed();
    now += passed;
    const Nanos guest = clock.at(now);
    const auto right = static_cast<std::int64_t>(exact >> 32);
    ASSERT_GE(guest, before);
    ASSERT_LE(guest.count(), right);
    ASSERT_GE(guest.count(), right - changes);
    before = guest;
    clock.set_speed(now, random() % 3 == 0 ? 0 : random() % (kWhole + 1));
    ASSERT_EQ(clock.at(now), guest);
  }
}

}  // namespace
}  // namespace godwit::models
