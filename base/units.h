#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

#include "base/check.h"

namespace godwit {

__extension__ typedef unsigned __int128 u128;

using Nanos = std::chrono::nanoseconds;  ///< Instants since the run began, and durations.

/// The instant that never comes.
inline constexpr Nanos kNever{INT64_MAX};

/// An amount that cannot be mixed up with an amount of something else.
template <class Unit>
struct Quantity {
  std::uint64_t value = 0;

  friend constexpr auto operator<=>(Quantity, Quantity) = default;
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return {a.value + b.value}; }
  /// Requires a >= b.
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return {a.value - b.value}; }
  friend constexpr Quantity operator*(Quantity a, std::uint64_t n) { return {a.value * n}; }
  constexpr Quantity& operator+=(Quantity b) { return value += b.value, *this; }
  constexpr Quantity& operator-=(Quantity b) { return value -= b.value, *this; }
};

using Bytes = Quantity<struct BytesUnit>;
using Pages = Quantity<struct PagesUnit>;  ///< How many; which one is a PageIndex.
using BitsPerSecond = Quantity<struct BitsPerSecondUnit>;

using PageIndex = std::uint64_t;

inline constexpr std::uint64_t kNanosPerSecond = 1'000'000'000;
inline constexpr std::uint64_t kMillion = 1'000'000;

/// a * b / c, rounded down, without overflow on the way. Requires c > 0; a result over 64 bits becomes 2^64 - 1.
constexpr std::uint64_t mul_div(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  GODWIT_CHECK(c > 0);
  const u128 product = static_cast<u128>(a) * b;
  if (static_cast<std::uint64_t>(product >> 64) == 0) return static_cast<std::uint64_t>(product) / c;
  const u128 quotient = product / c;
  return quotient > UINT64_MAX ? UINT64_MAX : static_cast<std::uint64_t>(quotient);
}

/// a * b / c, rounded up. As mul_div otherwise.
constexpr std::uint64_t mul_div_up(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  GODWIT_CHECK(c > 0);
  const u128 product = static_cast<u128>(a) * b + (c - 1);
  if (static_cast<std::uint64_t>(product >> 64) == 0) return static_cast<std::uint64_t>(product) / c;
  const u128 quotient = product / c;
  return quotient > UINT64_MAX ? UINT64_MAX : static_cast<std::uint64_t>(quotient);
}

inline double milliseconds(Nanos time) { return static_cast<double>(time.count()) / 1e6; }

/// `n` nanoseconds, or kNever where that many do not fit.
constexpr Nanos saturating_nanos(std::uint64_t n) {
  return n >= static_cast<std::uint64_t>(kNever.count()) ? kNever : Nanos{static_cast<std::int64_t>(n)};
}

/// What takes `each` for every GiB takes so long for `size`.
constexpr Nanos per_gib(Nanos each, Bytes size) {
  return saturating_nanos(mul_div(static_cast<std::uint64_t>(each.count()), size.value, std::uint64_t{1} << 30));
}

/// `instant` + `duration`, or kNever. Requires both >= 0.
constexpr Nanos later(Nanos instant, Nanos duration) {
  return duration >= kNever - instant ? kNever : instant + duration;
}

/// How long `size` occupies a wire of capacity `rate`. Rounded up to a whole nanosecond, so a transfer never
/// finishes early. Requires rate > 0.
constexpr Nanos wire_time(Bytes size, BitsPerSecond rate) {
  return saturating_nanos(mul_div_up(size.value, 8 * kNanosPerSecond, rate.value));
}

/// The bytes that a wire of capacity `rate` has carried after `duration`, rounded down.
constexpr Bytes carried(BitsPerSecond rate, Nanos duration) {
  return {mul_div(static_cast<std::uint64_t>(duration.count()), rate.value, 8 * kNanosPerSecond)};
}

/// The rate at which `size` went in `duration`, rounded down. Requires duration > 0.
constexpr BitsPerSecond rate_of(Bytes size, Nanos duration) {
  return {mul_div(size.value, 8 * kNanosPerSecond, static_cast<std::uint64_t>(duration.count()))};
}

/// A share of a whole in parts of 2^32: 0 is nothing, kWhole everything.
using Share = std::uint64_t;
inline constexpr Share kWhole = Share{1} << 32;

}  // namespace godwit
