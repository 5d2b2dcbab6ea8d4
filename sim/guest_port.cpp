#include "sim/guest_port.h"

namespace godwit::sim {

core::Await<core::Done> GuestPort::pause() {
  c_.advance_all();
  c_.world.stop(c_.options.guest);
  ++c_.result.pauses;
  c_.guest.clock.set_speed(c_.now(), 0);
  return c_.take(c_.source_profile().pause, Activity::kHarvest, Side::kSource);
}

core::Await<core::Done> GuestPort::resume() {
  return c_.take(c_.source_profile().resume, Activity::kHarvest, Side::kSource, [this] {
    c_.guest.home.stay();
    GODWIT_CHECK(!c_.fenced);
    c_.result.paused_total += c_.now() - c_.down_since;
    if (c_.snapshot_taken && c_.options.strategy.plan.goes_on) {  // what it was stopped for
      c_.result.downtime = c_.now() - c_.down_since;
    } else {
      c_.down = false;
      c_.result.parts = {};
    }
    c_.world.run_on(c_.guest.host, c_.options.guest);
    c_.plan_guest(0, Nanos{0});
  });
}

void GuestPort::throttle(Share share) {
  c_.guest.throttle = share;
  c_.plan_guest(0, Nanos{0});
}

void GuestPort::fence() {
  c_.fenced = true;
  c_.guest.home.give_up();
  c_.memory().left();
  if (!c_.snapshot) c_.snapshot = c_.memory().bytes();
  GODWIT_CHECK(c_.post_copy() || c_.agrees());
}

}  // namespace godwit::sim
