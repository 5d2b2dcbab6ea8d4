#pragma once

#include <cstdint>

#include "base/units.h"

namespace godwit::models {

/// How long a virtual CPU sleeps each time that its dirty ring is full, so that it dirties about as much as its quota.
/// Rates are in whole MiB/s and times in whole microseconds, as there. Source: QEMU, system/dirtylimit.c.
class DirtyLimit {
 public:
  /// `quota` in MiB/s, at least 1.
  DirtyLimit(std::uint64_t quota, Bytes ring) : quota_(quota), ring_mib_(ring.value >> 20) {}

  /// It has dirtied so many MiB/s over the last period: sleeps longer or less long, or, close to the quota, as before.
  void measured(std::uint64_t rate);
  Nanos sleep() const { return Nanos{static_cast<std::int64_t>(sleep_us_ * 1000)}; }

 private:
  std::uint64_t quota_, ring_mib_;
  std::uint64_t fastest_ = 0;  // measured so far
  std::uint64_t sleep_us_ = 0;
};

/// The speed at which a virtual CPU works that sleeps for `sleep` each time that it has filled its ring, which would take
/// it `fills` without, and whose work wants `demand` of it: while it sleeps its work piles up, and it catches up with what
/// it has to spare.
constexpr Share ring_speed(Nanos fills, Nanos sleep, Share demand) {
  const auto time = static_cast<std::uint64_t>(fills.count());
  const std::uint64_t busy = mul_div(time, demand, kWhole) + static_cast<std::uint64_t>(sleep.count());
  return busy <= time ? kWhole : mul_div(kWhole, time, busy);
}

}  // namespace godwit::models
