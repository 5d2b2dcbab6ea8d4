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

/// The highest rate at which `cpu` of work for `wire` bytes can be done with `share` of a core; 0: no bound.
constexpr BitsPerSecond cpu_bound(Bytes wire, Nanos cpu, Share share) {
  if (cpu <= Nanos{0}) return {0};
  const std::uint64_t full = mul_div(wire.value, 8 * kNanosPerSecond, static_cast<std::uint64_t>(cpu.count()));
  return {std::max<std::uint64_t>(1, mul_div(full, share, kWhole))};
}

}  // namespace godwit::models
