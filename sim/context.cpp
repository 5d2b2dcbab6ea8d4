#include "sim/context.h"

#include <algorithm>
#include <utility>

namespace godwit::sim {

MigrationContext::MigrationContext(World& the_world, const MigrationOptions& the_options)
    : world(the_world),
      options(the_options),
      guest(the_world.guests[the_options.guest]),
      source_host(the_world.guests[the_options.guest].host) {}

core::Await<core::Done> MigrationContext::take(Nanos cpu, Activity activity, Side side, std::function<void()> then) {
  bill(side, activity, cpu);
  const Share share = side == Side::kDestination ? receiver_share() : sender_share();
  const Nanos elapsed =
      share == kWhole ? cpu : saturating_nanos(mul_div_up(static_cast<std::uint64_t>(cpu.count()), kWhole, share));
  // Where nothing takes time, a loop without end would never come back to the engine, which ends the run.
  if (elapsed == Nanos{0} && !world.engine.exhausted()) {
    then();
    return core::Done{};
  }
  if (side == Side::kSource && elapsed > Nanos{0}) {
    rest_flow();
    plan_guest(share, elapsed);
  }
  const Nanos until = later(now(), elapsed);
  if (world.engine.skip_to(until)) {
    then();
    return core::Done{};
  }
  core::Completion<core::Done>& wait = side == Side::kDestination ? destination_wait_ : source_wait_;
  then_[static_cast<std::size_t>(side)] = std::move(then);
  world.engine.schedule(until, Lane::kCore, [this, &wait, side] {
    if (ended || (side == Side::kDestination && destination_dead)) return;
    std::exchange(then_[static_cast<std::size_t>(side)], nullptr)();
    wait.complete({});
    progressed();
  });
  return wait;
}

core::Await<core::Done> MigrationContext::sleep_until(Nanos instant) {
  if (instant <= now()) return core::Done{};
  rest_flow();
  plan_guest(0, instant - now());
  if (world.engine.skip_to(instant)) return core::Done{};
  world.engine.schedule(instant, Lane::kCore, [this] {
    if (ended) return;
    source_wait_.complete({});
    progressed();
  });
  return source_wait_;
}

std::vector<Bill> MigrationContext::bills() const {
  const std::string payer = self() ? "guest" : options.strategy.payer;
  std::vector<Bill> list;
  for (const Side side : {Side::kSource, Side::kDestination}) {
    const bool here = side == Side::kSource;
    for (std::size_t a = 0; a < kActivities; ++a) {
      const Nanos cpu = bills_[static_cast<std::size_t>(side)][a];
      if (cpu == Nanos{0}) continue;
      list.push_back({.payer = here ? payer : "destination",
                      .host = world.options.hosts[here ? source_host : options.to].name,
                      .activity = static_cast<Activity>(a),
                      .cpu = cpu});
    }
  }
  return list;
}

Share MigrationContext::sender_share() const {
  if (source_profile().cpu_unlimited) return kWhole;
  if (self()) {
    if (guest.stopped) return kWhole;
    return models::thread_share(guest.options->vcpus, guest.demand(), guest.options->vcpus);
  }
  const Load& load = world.load(source_host);
  return models::thread_share(world.options.hosts[source_host].cores, load.demand, load.threads);
}

Share MigrationContext::receiver_share() const {
  if (destination_profile().cpu_unlimited) return kWhole;
  const Load& load = world.load(options.to);
  return models::thread_share(world.options.hosts[options.to].cores, load.demand, load.threads);
}

/// What the guest's work finds of its virtual CPUs while the sender takes its part.
Share MigrationContext::available_to_guest(Share sender_cpu) const {
  const Share own = guest.options->vcpus * (kWhole - guest.throttle);
  if (self()) return own > sender_cpu ? own - sender_cpu : 0;
  const Share cores = world.options.hosts[source_host].cores * kWhole;
  const Share wanted = world.load(source_host).demand + sender_cpu;
  return wanted > cores ? mul_div(own, cores, wanted) : own;
}

/// How fast the guest's work can go where CPU is not short: a throttle or a full dirty ring keeps it from running.
Share MigrationContext::guest_speed_max() const {
  const bool busy = guest.options->workload.demand == workloads::Demand::kBusy;
  return std::min(guest.ring_speed, busy ? kWhole - guest.throttle : models::paced_share(guest.throttle));
}

/// The work, the faults that its first writes cause, and the sender share what there is. The wall time that `g` of
/// guest time takes is max(g / the highest speed, (demand x g + fault cost x first writes expected by then) / available);
/// solved for g by bisection.
void MigrationContext::plan_guest(Share sender_cpu, Nanos stretch) {
  if (fenced) return;  // it is no longer this host's
  models::GuestClock& clock = guest.clock;
  if (guest.stopped) return clock.set_speed(now(), 0);
  const Share most = guest_speed_max();
  if (source_profile().cpu_unlimited) return clock.set_speed(now(), most);
  const Share available = available_to_guest(sender_cpu);
  const Share demand = guest.demand();
  const auto fault = static_cast<std::uint64_t>(tracker().first_write.count());
  if (stretch <= Nanos{0} || stretch == kNever || fault == 0) {
    return clock.set_speed(now(), std::min(most, models::speed(demand, available)));
  }
  const workloads::Workload& workload = memory().workload();
  const Nanos begins = guest_now();
  const std::uint64_t before = workload.expected_distinct(protected_at, begins);
  const u128 capacity = static_cast<u128>(available) * static_cast<std::uint64_t>(stretch.count());
  const auto fits = [&](Nanos g) {
    const std::uint64_t faults = workload.expected_distinct(protected_at, begins + g) - before;
    return static_cast<u128>(demand) * static_cast<std::uint64_t>(g.count()) +
               static_cast<u128>(faults) * fault * kWhole <=
           capacity;
  };
  Nanos low{0};
  Nanos high{static_cast<std::int64_t>(mul_div(static_cast<std::uint64_t>(stretch.count()), most, kWhole))};
  if (fits(high)) return clock.set_speed(now(), most);
  while (high - low > Nanos{1 + stretch.count() / 65536}) {
    const Nanos middle = low + (high - low) / 2;
    (fits(middle) ? low : high) = middle;
  }
  clock.set_speed(
      now(), mul_div(static_cast<std::uint64_t>(low.count()), kWhole, static_cast<std::uint64_t>(stretch.count())));
}

void MigrationContext::advance_all() {
  memory().advance({0, memory().size().value}, guest_now());
  settle_faults();
}

void MigrationContext::settle_faults() {
  const std::uint64_t faults = memory().take_faults();
  result.write_faults += faults;
  bill(Side::kSource, Activity::kTrack, tracker().first_write * static_cast<std::int64_t>(faults));
}

void MigrationContext::arrive(const core::Record& record) {
  memory().applied(record.runs);
  if (!arrived) return;
  std::span<const std::byte> payload = record.payload;
  for (const PageRun& run : record.runs) arrived->place(run, payload);
}

void MigrationContext::note(RecordKind kind, std::uint64_t value) {
  world.engine.spend(2'000);  // more than its time: it is kept
  world.records.push_back({.guest = options.guest, .kind = kind, .at = now(), .value = value});
}

}  // namespace godwit::sim
