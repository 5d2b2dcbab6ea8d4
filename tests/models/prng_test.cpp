#include "models/prng.h"

#include <gtest/gtest.h>

#include <boost/multiprecision/cpp_bin_float.hpp>

#include "tests/support/statistics.h"

namespace godwit::models {
namespace {

using test::kFalseAlarm;
using Real = boost::multiprecision::cpp_bin_float_50;

/// The smallest `uniform` for which the table answers more than `k`: in parts of 2^64 the chance of at most k.
std::uint64_t up_to(PoissonTable& table, unsigned k) {
  std::uint64_t low = 0, high = ~std::uint64_t{0};
  if (table.draw(high) <= k) return high;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (table.draw(middle) > k)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

// Exact Poisson chances, summed with 50 digits. The table's first term is off by 2^-58 at most (exp_minus), and all others are
// multiples of it that sum to exp(8) = 2,981 < 2^12 times the first: 2^-46.
TEST(PoissonTable, HasPoissonChances) {
  constexpr Exposure kOne = Exposure{1} << kExposureBits;
  for (const Exposure mean : {Exposure{0}, Exposure{1}, kOne >> 40, kOne / 1000, kOne / 64, kOne / 2, kOne, 3 * kOne,
                              5 * kOne + 12345, 8 * kOne - 1, 8 * kOne}) {
    PoissonTable table(mean);
    const Real m = ldexp(Real(mean), -static_cast<int>(kExposureBits));
    Real term = exp(-m);
    Real sum = term;
    for (unsigned k = 0; k < 64; ++k) {
      EXPECT_LE(abs(ldexp(Real(up_to(table, k)), -64) - sum), ldexp(Real(1), -46)) << mean << ", " << k;
      term *= m / (k + 1);
      sum += term;
    }
    EXPECT_LE(table.draw(~std::uint64_t{0}), 64u);
  }
}

// Many draws against the same law, by chi-square.
TEST(PoissonTable, DrawsPoissonCounts) {
  for (const double mean : {0.01, 0.5, 2.0, 7.9}) {
    PoissonTable table(static_cast<Exposure>(std::ldexp(mean, kExposureBits)));
    Stream stream(1, 2, 3, 4);
    test::Histogram counts;
    for (int i = 0; i < 200'000; ++i) ++counts[table.draw(stream.next())];
    test::Law law;
    double term = std::exp(-mean);
    for (unsigned k = 0; k < 64; ++k) {
      law[k] = term;
      term *= mean / (k + 1);
    }
    EXPECT_GT(test::fits_law(counts, law), kFalseAlarm) << mean;
  }
}

// Each of 64 places has chance p; and the number of bits in a word is binomial, so that they do not depend on each other.
TEST(Stream, BitsAreIndependentAndHaveTheirChance) {
  constexpr int kWords = 100'000;
  for (const Chance p : {Chance{1} << 58, Chance{1} << 60, ~Chance{0} / 3, Chance{1} << 63, ~Chance{0} / 10 * 9}) {
    const double chance = std::ldexp(static_cast<double>(p), -64);
    Stream stream(5, 6, 7, 8);
    test::Seen seen(64);
    test::Bitmap earlier(1, 0);
    for (int i = 0; i < kWords; ++i) {
      const test::Bitmap word(1, stream.bits(p));
      seen.add(word, earlier);
      earlier = word;
    }
    const std::vector<double> chances(64, chance);
    EXPECT_GT(seen.fits_chances(chances), kFalseAlarm) << chance;
    EXPECT_GT(seen.fits_total(chances), kFalseAlarm) << chance;
    EXPECT_GT(test::fits_law(seen.counts(), test::binomial_law(64, chance)), kFalseAlarm) << chance;
    // Bits that are set in a word and in the one before: binomial with p^2.
    EXPECT_GT(test::fits_law(seen.again(), test::binomial_law(64, chance * chance)), kFalseAlarm) << chance;
  }
}

TEST(Stream, BitsOfNoChanceAndOfCertainty) {
  Stream stream(1, 2, 3, 4);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(stream.bits(0), 0u);
    EXPECT_EQ(stream.bits(~Chance{0}), ~std::uint64_t{0});  // misses with 2^-64
  }
}

TEST(Stream, BelowIsUniform) {
  for (const std::uint64_t bound : {1, 2, 20, 63, 4096}) {
    Stream stream(1, 2, 3, bound);
    test::Histogram counts;
    test::Law law;
    for (std::uint64_t i = 0; i < bound; ++i) law[i] = 1 / static_cast<double>(bound);
    for (int i = 0; i < 200'000; ++i) ++counts[stream.below(bound)];
    EXPECT_GT(test::fits_law(counts, law), kFalseAlarm) << bound;
  }
}

// Streams whose keys differ in one step of one part: the first words of each pair agree in 32 of 64 bits on the mean, binomially.
TEST(Stream, NeighbouringStreamsDoNotDependOnEachOther) {
  for (int part = 0; part < 4; ++part) {
    test::Histogram agree;
    for (std::uint64_t i = 0; i < 20'000; ++i) {
      std::uint64_t key[4] = {i, 1, 2, 3};
      std::swap(key[0], key[part]);
      Stream a(key[0], key[1], key[2], key[3]);
      ++key[part];
      Stream b(key[0], key[1], key[2], key[3]);
      ++agree[static_cast<unsigned>(std::popcount(~(a.next() ^ b.next())))];
    }
    EXPECT_GT(test::fits_law(agree, test::binomial_law(64, 0.5)), kFalseAlarm) << part;
  }
}

}  // namespace
}  // namespace godwit::models
