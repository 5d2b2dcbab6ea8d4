#include "sim/world.h"

namespace godwit::sim {

World::World(const RunOptions& run, Arena& memory)
    : options(run), arena(memory), network(static_cast<std::uint32_t>(run.hosts.size() + run.switches.size())) {
  for (const LinkOptions& link : run.links) network.add_link(link.from, link.to, link.bandwidth, link.latency);
  for (const MigrationOptions& each : run.migrations) {
    const auto count = static_cast<std::uint32_t>(run.hosts.size());
    targets_.push_back(each.file ? network.add_sink(count, each.file->bandwidth) : each.to);
  }
  hosts.resize(run.hosts.size());
  guests.resize(run.guests.size());
  for (std::size_t i = 0; i < guests.size(); ++i) {
    guests[i].options = &run.guests[i];
    guests[i].host = run.guests[i].host;
  }
  if (!run.traffic.empty()) traffic_.resize(guests.size());
  for (const TrafficOptions& each : run.traffic)
    if (each.rate.value > 0) traffic_[each.guest].push_back({.peer = each.peer, .rate = each.rate, .open = {}});
  for (std::uint32_t i = 0; i < guests.size(); ++i) run_on(guests[i].host, i);
  for (const MigrationOptions& each : run.migrations) ++guests[each.guest].migrations_left;
}

void World::stop(std::uint32_t index) {
  SimGuest& guest = guests[index];
  if (!guest.stopped) {
    hosts[guest.host].load.demand -= guest.demand();
    hosts[guest.host].load.threads -= guest.options->vcpus;
  }
  guest.stopped = true;
  update_traffic(index);
}

void World::run_on(std::uint32_t host, std::uint32_t index) {
  SimGuest& guest = guests[index];
  GODWIT_CHECK(guest.stopped);
  guest.stopped = false;
  guest.host = host;
  hosts[host].load.demand += guest.demand();
  hosts[host].load.threads += guest.options->vcpus;
  update_traffic(index);
}

/// Lets what a guest exchanges with its peers flow from where it runs now, or rest while it is stopped.
void World::update_traffic(std::uint32_t index) {
  // More than any run carries, and little enough to be given again after each of its stops.
  constexpr Bytes kWithoutEnd{std::uint64_t{1} << 54};
  if (traffic_.empty()) return;
  const std::uint32_t here = guests[index].host;
  for (Traffic& traffic : traffic_[index]) {
    for (const Flows::FlowId flow : traffic.open) {
      flows.rest(flow);
      network.close(flow);
    }
    traffic.open.clear();
    if (guests[index].stopped || here == traffic.peer) continue;
    const models::Topology& ways = network.topology();
    for (const auto& route : {ways.route(here, traffic.peer), ways.route(traffic.peer, here)}) {
      if (route.empty()) continue;
      traffic.open.push_back(network.open(route));
      flows.send(traffic.open.back(), kWithoutEnd, traffic.rate);
    }
  }
}

}  // namespace godwit::sim
