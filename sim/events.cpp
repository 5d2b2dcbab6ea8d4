#include "sim/events.h"

namespace godwit::sim {

Events::Events(World& world, std::deque<Migration>& migrations)
    : world_(world), migrations_(migrations), triggered_(world.options.events.size()) {
  const std::vector<EventOptions>& events = world_.options.events;
  bool on_phase = false;
  for (const EventOptions& event : events) {
    if (!event.phase) schedule(event);
    on_phase |= event.phase.has_value();
  }
  if (!on_phase) return;
  world_.on_phase = [this, &events](std::uint32_t migration, core::Phase phase) {
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (triggered_[i] || events[i].phase != phase || events[i].migration != migration) continue;
      triggered_[i] = true;
      schedule(events[i]);
    }
  };
}

void Events::schedule(const EventOptions& event) {
  world_.engine.schedule(later(world_.engine.now(), event.at), Lane::kFault, [this, &event] { happen(event); });
}

void Events::happen(const EventOptions& event) {
  switch (event.kind) {
    case EventKind::kCancel: migrations_[event.migration].cancel(); break;
    case EventKind::kRecover: migrations_[event.migration].recover(); break;
    case EventKind::kCorrupt: migrations_[event.migration].corrupt_next(); break;
    case EventKind::kLinkDown: set_link(event, {0}); break;
    case EventKind::kLinkUp: set_link(event, world_.network.bandwidth_of(event.link)); break;
    case EventKind::kBandwidth: set_link(event, event.bandwidth); break;
    case EventKind::kLoss:
      // What is lost is sent again, at once: on a fluid link that leaves so much less of it.
      set_link(event, {mul_div(world_.network.bandwidth_of(event.link).value, kWhole - event.loss, kWhole)});
      break;
    case EventKind::kHostCrash:
      world_.hosts[event.host].crashed = true;
      for (Migration& migration : migrations_) migration.host_crashed(event.host);
      break;
    case EventKind::kMemoryRefused: world_.hosts[event.host].refuses_memory = true; break;
  }
}

void Events::set_link(const EventOptions& event, BitsPerSecond available) {
  world_.flows.set_link(event.link, available);
  for (Migration& migration : migrations_) migration.links_changed();
  if (!event.lasts || event.kind == EventKind::kLinkUp) return;
  world_.engine.schedule(later(world_.engine.now(), *event.lasts), Lane::kFault, [this, &event] {
    EventOptions over = event;
    over.lasts.reset();
    set_link(over, world_.network.bandwidth_of(event.link));
  });
}

}  // namespace godwit::sim
