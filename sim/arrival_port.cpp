#include "sim/arrival_port.h"

namespace godwit::sim {

core::Await<core::Done> ArrivalPort::load_device_state(Bytes) {
  return c_.take(c_.destination_profile().device_load, Activity::kApply, Side::kDestination);
}

core::Await<core::Done> ArrivalPort::inflate() {
  const Pages tables = page_table_pages(c_.memory().size());
  const Nanos cpu = c_.destination_profile().inflate_table * static_cast<std::int64_t>(tables.value);
  return c_.take(cpu, Activity::kInflate, Side::kDestination);
}

core::Await<core::Done> ArrivalPort::run() {
  return c_.take(c_.destination_profile().resume, Activity::kApply, Side::kDestination, [this] {
    GODWIT_CHECK(c_.fenced);
    c_.guest.home.settle();
    c_.guest.throttle = 0;
    c_.guest.ring_sleep = Nanos{0};
    c_.guest.ring_speed = kWhole;
    c_.world.run_on(c_.options.to, c_.options.guest);
    MigrationResult& result = c_.result;
    result.downtime = c_.now() - c_.down_since;
    result.paused_total += result.downtime;
    result.home = Home::kDestination;
    c_.guest.clock.set_speed(c_.now(), kWhole);
    faults_.begin();
  });
}

}  // namespace godwit::sim
