#include "sim/world.h"

namespace godwit::sim {

World::World(const RunOptions& run)
    : options(run), network(static_cast<std::uint32_t>(run.hosts.size() + run.switches.size())) {
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
  traffic_flows_.resize(run.traffic.size());
  for (std::uint32_t i = 0; i < guests.size(); ++i) update_traffic(i);
}

World::Load World::load(std::uint32_t host, const SimGuest* except) const {
  Load load;
  for (const SimGuest& guest : guests) {
    if (guest.host != host || &guest == except || guest.stopped) continue;
    load.demand += guest.demand();
    load.threads += guest.options->vcpus;
  }
  return load;
}

void World::update_traffic(std::uint32_t guest) {
  // More than any run carries, and little enough to be given again after each of its stops.
  constexpr Bytes kWithoutEnd{std::uint64_t{1} << 54};
  bool changed = false;
  for (std::size_t i = 0; i < options.traffic.size(); ++i) {
    const TrafficOptions& traffic = options.traffic[i];
    if (traffic.guest != guest || traffic.rate.value == 0) continue;
    for (const models::Network::FlowId flow : traffic_flows_[i]) changed |= network.rest(engine.now(), flow);
    traffic_flows_[i].clear();
    const std::uint32_t here = guests[guest].host;
    if (guests[guest].stopped || here == traffic.peer) continue;
    for (std::vector<std::uint32_t> route : {network.route(here, traffic.peer), network.route(traffic.peer, here)}) {
      if (route.empty()) continue;
      traffic_flows_[i].push_back(network.open(std::move(route)));
      changed |= network.send(engine.now(), traffic_flows_[i].back(), kWithoutEnd, traffic.rate);
    }
  }
  if (changed) replan_all_but(nullptr);
}

}  // namespace godwit::sim
