#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "base/units.h"

/// Transcendental functions in integers, so that every compiler and CPU gives the same bits.
namespace godwit::models {

/// A non-negative number below 64, in parts of 2^56.
using Exposure = std::uint64_t;
inline constexpr Exposure kExposureMax = Exposure{1} << 62;
inline constexpr unsigned kExposureBits = 56;

/// A probability in parts of 2^64; 2^64 - 1 stands for certainty.
using Chance = std::uint64_t;

/// The expected writes to each of `pages` in `time`, at a rate in millionths of a write per second over all of them.
/// Saturates at kExposureMax.
constexpr Exposure exposure(std::uint64_t rate_millionths, Nanos time, std::uint64_t pages) {
  const u128 writes = static_cast<u128>(rate_millionths) * static_cast<std::uint64_t>(time.count()) / 1'000'000;
  if (writes >> 72 != 0) return kExposureMax;
  const u128 x = (writes << kExposureBits) / (static_cast<u128>(pages) * kNanosPerSecond);
  return x > kExposureMax ? kExposureMax : static_cast<Exposure>(x);
}

/// The expected writes in `time` to all pages together, in parts of 2^56. What one page expects is exposure_of its share.
/// Saturates at 2^72 ns x writes/s: 4.7e12 writes.
constexpr u128 total_exposure(std::uint64_t rate_millionths, Nanos time) {
  constexpr u128 kMax = (u128{1} << 72) - 1;
  const u128 writes = static_cast<u128>(rate_millionths) * static_cast<std::uint64_t>(time.count()) / 1'000'000;
  return ((writes < kMax ? writes : kMax) << kExposureBits) / kNanosPerSecond;
}

constexpr std::uint64_t mul_high(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint64_t>(static_cast<u128>(a) * b >> 64);
}

/// What a page expects that gets `share` of all writes. Saturates at kExposureMax.
constexpr Exposure exposure_of(u128 total, Chance share) {
  const u128 x = (total >> 64) * share + mul_high(static_cast<std::uint64_t>(total), share);
  return x > kExposureMax ? kExposureMax : static_cast<Exposure>(x);
}

/// exp(-x). Absolute error below 2^-58: a factor for each bit of x down to 2^-16 and a cubic for the rest, whose next
/// term is below 2^-68.
constexpr Chance exp_minus(Exposure x) {
  constexpr std::array<std::uint64_t, 22> kFactors = {
      0x000000000003908d,  // exp(-2^5)
      0x000001e355bbaee8,  // exp(-2^4)
      0x0015fc21041027ad,  // exp(-2^3)
      0x04b0556e084f3d1e,  // exp(-2^2)
      0x22a555477f039740,  // exp(-2^1)
      0x5e2d58d8b3bcdf1b,  // exp(-2^0)
      0x9b4597e37cb04ff4,  // exp(-2^-1)
      0xc75f7cf564105743,  // exp(-2^-2)
      0xe1eb51276c110c3c,  // exp(-2^-3)
      0xf07d5fde38151e73,  // exp(-2^-4)
      0xf81fab5445aebc8a,  // exp(-2^-5)
      0xfc07f55ff77d2494,  // exp(-2^-6)
      0xfe01feab551127cc,  // exp(-2^-7)
      0xff007fd55ffdde39,  // exp(-2^-8)
      0xff801ffaab554446,  // exp(-2^-9)
      0xffc007ff555fff77,  // exp(-2^-10)
      0xffe001ffeaab5551,  // exp(-2^-11)
      0xfff0007ffd556000,  // exp(-2^-12)
      0xfff8001fffaaab55,  // exp(-2^-13)
      0xfffc0007fff55560,  // exp(-2^-14)
      0xfffe0001fffeaaab,  // exp(-2^-15)
      0xffff00007fffd555,  // exp(-2^-16)
  };
  if (x >= kExposureMax) return 0;
  std::uint64_t result = ~std::uint64_t{0};
  for (unsigned i = 0; i < kFactors.size(); ++i) {
    if ((x >> (kExposureBits + 5 - i) & 1) != 0) result = mul_high(result, kFactors[i]);
  }
  const std::uint64_t r = (x & ((Exposure{1} << (kExposureBits - 16)) - 1)) << (64 - kExposureBits);
  const std::uint64_t r2 = mul_high(r, r);
  const std::uint64_t tail = r - r2 / 2 + mul_high(r2, r) / 6;  // 1 - exp(-r)
  return result - mul_high(result, tail);
}

/// 1 - exp(-x): the chance that a page expected to be written x times is written at all.
constexpr Chance hit_chance(Exposure x) { return ~exp_minus(x); }

/// log2(n) in parts of 2^`digits`, rounded down, one digit after the other by squaring. Requires n > 0 and digits <= 48.
constexpr std::uint64_t log2_by_squaring(std::uint64_t n, unsigned digits) {
  const auto whole = static_cast<unsigned>(std::bit_width(n)) - 1;
  std::uint64_t mantissa = n << (63 - whole);  // in [1, 2) with 63 bits after the point
  std::uint64_t result = whole;
  for (unsigned i = 0; i < digits; ++i) {
    const u128 square = static_cast<u128>(mantissa) * mantissa;
    // Without a branch: which way it goes is a toss.
    const auto high = static_cast<std::uint64_t>(square >> 64);
    const std::uint64_t over = high >> 63;
    mantissa = high << (over ^ 1) | (static_cast<std::uint64_t>(square) >> 63 & (over ^ 1));
    result = result << 1 | over;
  }
  return result;
}

/// The middle c of the i-th of 128 equal steps from 1 to 2: 1 / c in parts of 2^32, and the log2 of what that is the
/// inverse of, in parts of 2^62.
struct Log2Step {
  std::uint64_t inverse;
  std::int64_t log2;
};
inline constexpr std::array<Log2Step, 128> kLog2Steps = [] {
  std::array<Log2Step, 128> steps{};
  for (std::uint64_t i = 0; i < 128; ++i) {
    const std::uint64_t inverse = (std::uint64_t{256} << 32) / (256 + 2 * i + 1);
    const std::uint64_t minus = (std::uint64_t{32} << 48) - log2_by_squaring(inverse, 48);
    steps[i] = {inverse, static_cast<std::int64_t>(minus << 14)};
  }
  return steps;
}();

/// log2(n) in parts of 2^32, rounded down. Requires n > 0.
///
/// With x the mantissa, 1 + t = x / c, and log2 x = log2 c + (t - t^2/2 + t^3/3 - t^4/4) / ln 2 to 2^-41: |t| is below
/// 2^-8, so that what is left out is below t^5/5 x 1.45 < 2^-41.7, and all that is rounded comes to less than 2^-46.
/// Where that could change the last digit, one time in 256, it is asked of the squares.
constexpr std::uint64_t log2_fixed(std::uint64_t n) {
  constexpr std::int64_t kLog2E[] = {0x5c551d94ae0bf85e, 0x2e2a8eca5705fc2f, 0x1ec709dc3a03fd75,
                                     0x171547652b82fe17};  // 1 / (k ln 2) in parts of 2^62, k from 1 on
  constexpr std::uint64_t kDigit = std::uint64_t{1} << 30, kError = std::uint64_t{1} << 21;  // likewise
  const auto times = [](std::int64_t a, std::int64_t b) {
    __extension__ using i128 = __int128;
    return static_cast<std::int64_t>(static_cast<i128>(a) * b >> 63);
  };
  const auto whole = static_cast<unsigned>(std::bit_width(n)) - 1;
  const std::uint64_t x = n << (63 - whole);  // with 63 bits after the point, as t has
  const Log2Step& step = kLog2Steps[x >> 56 & 127];
  const auto ratio = static_cast<std::uint64_t>(static_cast<u128>(x) * step.inverse >> 32);
  const auto t = static_cast<std::int64_t>(ratio - (std::uint64_t{1} << 63));
  const std::int64_t p = kLog2E[0] - times(t, kLog2E[1] - times(t, kLog2E[2] - times(t, kLog2E[3])));
  const auto fraction = static_cast<std::uint64_t>(step.log2 + times(t, p));
  if ((fraction + kError) % kDigit < 2 * kError) return log2_by_squaring(n, 32);
  return (std::uint64_t{whole} << 32) + fraction / kDigit;
}

}  // namespace godwit::models
