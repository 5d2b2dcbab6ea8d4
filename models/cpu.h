#pragma once

#include <algorithm>
#include <cstdint>

#include "base/units.h"

/// CPU as a resource: who gets how much of it. Amounts are in parts of 2^32 of one core.
namespace godwit::models {

/// What a thread that wants a whole core gets of `cores`, of which others want `demand` in all and in `threads` parts.
/// All threads share fairly: the thread gets what is left, or its equal part where that is more.
constexpr Share thread_share(std::uint64_t cores, Share demand, std::uint64_t threads) {
  const Share capacity = cores * kWhole;
  const Share left = capacity > demand ? capacity - demand : 0;
  const Share equal = capacity / (threads + 1);
  return std::min(kWhole, std::max(left, equal));
}

/// The speed at which work goes that wants `demand` and finds `available`.
constexpr Share speed(Share demand, Share available) {
  if (demand <= available) return kWhole;
  return mul_div(available, kWhole, demand);
}

/// A throttled virtual CPU runs for 10 ms and then rests for 10 ms x throttle / (1 - throttle): how long that is.
/// Source: QEMU, system/cpu-throttle.c. Requires throttle < kWhole.
constexpr Nanos throttle_rest(Share throttle) {
  return Nanos{static_cast<std::int64_t>(mul_div(10'000'000, throttle, kWhole - throttle))};
}

/// The share of a paced workload's writes that are done under a throttle, if there is CPU enough while it runs: what is
/// more than 50 ms late at the end of a rest is dropped.
constexpr Share paced_share(Share throttle) {
  constexpr Nanos kRuns{10'000'000};
  constexpr Nanos kLate{50'000'000};
  const Nanos rest = throttle_rest(throttle);
  if (rest <= kLate) return kWhole;
  return mul_div(kWhole, static_cast<std::uint64_t>((kRuns + kLate).count()),
                 static_cast<std::uint64_t>((kRuns + rest).count()));
}

/// The highest rate at which `cpu` of work for `wire` bytes can be done with `share` of a core; 0: no bound.
constexpr BitsPerSecond cpu_bound(Bytes wire, Nanos cpu, Share share) {
  if (cpu <= Nanos{0}) return {0};
  const std::uint64_t full = mul_div(wire.value, 8 * kNanosPerSecond, static_cast<std::uint64_t>(cpu.count()));
  return {std::max<std::uint64_t>(1, mul_div(full, share, kWhole))};
}

}  // namespace godwit::models
