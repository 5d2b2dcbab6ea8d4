#pragma once

#include <time.h>

#include "base/units.h"

namespace godwit::live {

/// The instant now on a clock of the system, such as CLOCK_MONOTONIC or CLOCK_THREAD_CPUTIME_ID.
inline Nanos now_on(clockid_t clock) {
  timespec at{};
  ::clock_gettime(clock, &at);
  return Nanos{at.tv_sec * static_cast<std::int64_t>(kNanosPerSecond) + at.tv_nsec};
}

/// The instant now. All processes of a host see the same clock.
inline Nanos monotonic_now() { return now_on(CLOCK_MONOTONIC); }

/// Returns at `instant` or a little later; at once if it has passed.
inline void sleep_until(Nanos instant) {
  if (instant <= monotonic_now()) return;
  const auto n = static_cast<std::uint64_t>(instant.count());
  const timespec at{.tv_sec = static_cast<time_t>(n / kNanosPerSecond),
                    .tv_nsec = static_cast<long>(n % kNanosPerSecond)};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) != 0) {
  }
}

}  // namespace godwit::live
