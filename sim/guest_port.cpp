#include "sim/guest_port.h"

#include <algorithm>

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

void GuestPort::limit_dirtying(BitsPerSecond rate, Nanos period) {
  c_.guest.ring_sleep = Nanos{0};
  c_.guest.ring_speed = kWhole;
  dirty_limit_.reset();
  if (rate.value == 0) return c_.plan_guest(0, Nanos{0});
  const StrategyOptions& strategy = c_.options.strategy;
  dirty_limit_.emplace(std::max<std::uint64_t>(1, rate.value / 8 >> 20),
                       c_.memory().page_size() * strategy.dirty_ring.value);
  measured_at_ = c_.guest_now();
  measure_after(period);
}

void GuestPort::measure_after(Nanos period) {
  c_.world.engine.schedule(later(c_.now(), period), Lane::kFault, [this, period] {
    if (!dirty_limit_ || c_.ended || c_.guest.stopped || c_.fenced) return;
    measure(period);
    measure_after(period);
  });
}

/// How much each virtual CPU's ring took up over the last `period`, and what follows. Writes are spread evenly over the
/// virtual CPUs. A page takes a place again after the ring has been emptied, which happens when it is full and, by a
/// thread of QEMU's, once a second: a ring that does not fill within that stops nobody.
void GuestPort::measure(Nanos period) {
  const std::uint64_t vcpus = c_.guest.options->vcpus;
  const Nanos worked = c_.guest_now() - measured_at_;
  measured_at_ = c_.guest_now();
  const Nanos fills = ring_fills();
  const std::uint64_t entries =
      c_.memory().workload().expected_distinct(c_.guest_now(), c_.guest_now() + fills) / vcpus;
  const std::uint64_t taken =
      mul_div(entries, static_cast<std::uint64_t>(worked.count()), static_cast<std::uint64_t>(fills.count()));
  const Bytes dirtied = c_.memory().page_size() * taken;
  dirty_limit_->measured(rate_of(dirtied, period).value / 8 >> 20);

  const bool full = entries >= c_.options.strategy.dirty_ring.value;
  c_.guest.ring_sleep = dirty_limit_->sleep();
  c_.guest.ring_speed = full ? models::ring_speed(fills, c_.guest.ring_sleep, c_.guest.demand() / vcpus) : kWhole;
  c_.plan_guest(0, Nanos{0});
}

/// The time in which each virtual CPU's ring is full, as the guest writes now; a second, where that takes longer.
Nanos GuestPort::ring_fills() const {
  constexpr Nanos kReaper{1'000'000'000};  // KVM_DIRTY_RING_REAPER_INTERVAL, accel/kvm/kvm-all.c
  const std::uint64_t room = c_.options.strategy.dirty_ring.value * c_.guest.options->vcpus;
  const Nanos from = c_.guest_now();
  Nanos low{0}, high = kReaper;
  while (high - low > Nanos{1000}) {
    const Nanos middle = low + (high - low) / 2;
    (c_.memory().workload().expected_distinct(from, from + middle) < room ? low : high) = middle;
  }
  return high;
}

void GuestPort::fence() {
  c_.fenced = true;
  c_.guest.home.give_up();
  c_.memory().left();
  if (!c_.snapshot) c_.snapshot = c_.memory().bytes();
  GODWIT_CHECK(c_.post_copy() || c_.agrees());
}

}  // namespace godwit::sim
