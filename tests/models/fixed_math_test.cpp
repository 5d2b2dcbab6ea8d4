#include "models/fixed_math.h"

#include <gtest/gtest.h>

#include <boost/multiprecision/cpp_bin_float.hpp>
#include <random>

// Against Boost.Multiprecision with 50 decimal digits (cpp_bin_float_50).
namespace godwit::models {
namespace {

using namespace std::chrono_literals;
using Real = boost::multiprecision::cpp_bin_float_50;

const Real kUnit = ldexp(Real(1), 64);  // of a Chance

Real value(Exposure x) { return ldexp(Real(x), -static_cast<int>(kExposureBits)); }

/// Every single bit, its neighbours, sums of many bits, and random numbers of every size.
std::vector<Exposure> exposures() {
  std::vector<Exposure> all = {0, kExposureMax - 1};
  for (unsigned bit = 0; bit < 62; ++bit) {
    for (const std::uint64_t x : {(Exposure{1} << bit) - 1, Exposure{1} << bit, (Exposure{1} << bit) + 1})
      all.push_back(x);
  }
  std::mt19937_64 random(1);
  for (int i = 0; i < 5000; ++i) all.push_back(random() % kExposureMax >> random() % 62);
  return all;
}

TEST(FixedMath, ExpMinusIsWithinItsError) {
  const Real error = ldexp(Real(1), 64 - 58);
  for (const Exposure x : exposures()) {
    const Real expected = exp(-value(x)) * kUnit;
    EXPECT_LE(abs(Real(exp_minus(x)) - expected), error) << x;
    EXPECT_LE(abs(Real(hit_chance(x)) - (kUnit - expected)), error) << x;
  }
}

TEST(FixedMath, ExpMinusAtTheEnds) {
  EXPECT_EQ(exp_minus(0), ~Chance{0});
  EXPECT_EQ(hit_chance(0), 0u);
  EXPECT_EQ(exp_minus(kExposureMax), 0u);
  EXPECT_EQ(exp_minus(~Exposure{0}), 0u);
}

// Sparse draws live on chances of 1e-6 and less, where the error must be small beside the chance itself.
TEST(FixedMath, SmallChancesAreRightRelatively) {
  for (unsigned bit = 20; bit < 56; ++bit) {
    const Exposure x = (Exposure{1} << bit) + 12345;
    const Real expected = -expm1(-value(x)) * kUnit;
    EXPECT_LE(abs(Real(hit_chance(x)) / expected - 1), ldexp(Real(1), -20)) << bit;
  }
}

TEST(FixedMath, Log2IsRoundedDown) {
  std::vector<std::uint64_t> all = {1, 2, 3, ~std::uint64_t{0}};
  for (unsigned bit = 1; bit < 64; ++bit) {
    for (const std::uint64_t d : {0, 1, 2}) all.push_back((std::uint64_t{1} << bit) - 1 + d);
  }
  for (std::uint64_t n = 1; n < 3000; ++n) all.push_back(n);
  std::mt19937_64 random(2);
  for (int i = 0; i < 3000; ++i) all.push_back((random() >> random() % 64) | 1);
  for (const std::uint64_t n : all) {
    // That of a power of two is whole, which 50 digits may miss by one in the last place.
    const Real expected = ldexp(log(Real(n)) / log(Real(2)), 32) + ldexp(Real(1), -100);
    EXPECT_EQ(log2_fixed(n), static_cast<std::uint64_t>(floor(expected))) << n;
  }
}

// Of all mantissas, and most of all about the ends of the steps and about those whose logarithm ends with a digit.
TEST(FixedMath, Log2IsThatBySquaring) {
  std::mt19937_64 random(3);
  const auto same = [](std::uint64_t n) { return log2_fixed(n) == log2_by_squaring(n, 32); };
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t n = (random() >> random() % 64) | 1;
    ASSERT_TRUE(same(n)) << n;
    const std::uint64_t digit = log2_by_squaring(n, 32);
    std::uint64_t low = n / 2, high = n;  // where that digit begins
    while (high - low > 1) {
      const std::uint64_t middle = low + (high - low) / 2;
      (middle > 0 && log2_by_squaring(middle, 32) >= digit ? high : low) = middle;
    }
    for (const std::uint64_t about : {high - 1, high, high + 1}) ASSERT_TRUE(about == 0 || same(about)) << about;
  }
  for (std::uint64_t step = 128; step < 256; ++step) {
    for (int d = -50; d <= 50; ++d) {
      const std::uint64_t n = (step << 56) + static_cast<std::uint64_t>(d);
      ASSERT_TRUE(same(n)) << n;
    }
  }
}

const Real kMax(kExposureMax);

// 2^-56 is the step, rounding is down.
TEST(FixedMath, ExposureIsTheWritesToAPage) {
  EXPECT_EQ(exposure(1'000'000, 1s, 1), Exposure{1} << kExposureBits);
  EXPECT_EQ(exposure(1'000'000, 1s, 4), Exposure{1} << (kExposureBits - 2));
  std::mt19937_64 random(3);
  for (int i = 0; i < 3000; ++i) {
    const std::uint64_t rate = random() >> random() % 64;
    const Nanos time{static_cast<std::int64_t>(random() >> (1 + random() % 62))};
    const std::uint64_t pages = 1 + (random() >> (24 + random() % 40));
    // Writes in ns x writes/s, rounded down, over 10^9; in parts of 2^56.
    const Real writes = floor(Real(rate) * Real(time.count()) / 1'000'000) / 1'000'000'000;
    if (writes > ldexp(Real(1), 41)) continue;
    const Real all = ldexp(writes, static_cast<int>(kExposureBits));
    const Real each = floor(all / Real(pages));
    EXPECT_EQ(Real(exposure(rate, time, pages)), std::min(each, kMax));
    // The same by shares: rounded down to a part.
    const Chance share = ~Chance{0} / pages;
    const Real by_share = floor(all) * Real(share) / kUnit;
    EXPECT_LE(abs(Real(exposure_of(total_exposure(rate, time), share)) - std::min(by_share, kMax)), 1);
  }
}

// 4.7e12 writes are a day of 5e7/s, or what 16 TiB take at 1,000 writes a page.
TEST(FixedMath, ExposureSaturates) {
  EXPECT_EQ(exposure(~std::uint64_t{0}, 1h, 1), kExposureMax);
  EXPECT_EQ(exposure(~std::uint64_t{0}, kNever, std::uint64_t{1} << 32), kExposureMax);
  EXPECT_EQ(exposure_of(total_exposure(~std::uint64_t{0}, kNever), kWhole), kExposureMax);
  EXPECT_EQ(total_exposure(~std::uint64_t{0}, kNever), (((u128{1} << 72) - 1) << kExposureBits) / kNanosPerSecond);
  EXPECT_EQ(exposure_of(total_exposure(~std::uint64_t{0}, kNever), 0), 0u);
}

}  // namespace
}  // namespace godwit::models
