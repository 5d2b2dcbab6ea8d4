#pragma once

#include "base/units.h"

namespace godwit::models {

/// How far a guest's work has come. It stands while the guest is paused and slows down when CPU is short.
class GuestClock {
 public:
  /// Guest time at the instant `now`, which never goes back.
  Nanos at(Nanos now) const {
    const auto wall = static_cast<std::uint64_t>((now - anchor_).count());
    return guest_ + Nanos{static_cast<std::int64_t>(mul_div(wall, speed_, kWhole))};
  }

  /// From `now` on the guest's time runs at `speed` of the wall's.
  void set_speed(Nanos now, Share speed) {
    if (speed == speed_) return;
    guest_ = at(now);
    anchor_ = now;
    speed_ = speed;
  }

  Share speed() const { return speed_; }

 private:
  Nanos anchor_{0};
  Nanos guest_{0};
  Share speed_ = kWhole;
};

}  // namespace godwit::models
