#include "models/network.h"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/dijkstra_shortest_paths.hpp>

namespace godwit::models {
namespace {

/// How far a node is: hops first, then the narrowest wire on the way.
struct Distance {
  std::uint64_t hops = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t narrowest = std::numeric_limits<std::uint64_t>::max();
};
struct Nearer {
  bool operator()(const Distance& a, const Distance& b) const {
    return a.hops != b.hops ? a.hops < b.hops : a.narrowest > b.narrowest;
  }
};
struct Onward {
  Distance operator()(const Distance& way, const Distance& wire) const {
    if (way.hops == std::numeric_limits<std::uint64_t>::max()) return way;
    return {way.hops + wire.hops, std::min(way.narrowest, wire.narrowest)};
  }
};

}  // namespace

void Network::add_link(std::uint32_t from, std::uint32_t to, BitsPerSecond bandwidth, Nanos latency) {
  GODWIT_CHECK(from < nodes_ && to < nodes_ && from != to && bandwidth.value > 0);
  wires_.push_back({from, to, bandwidth, latency, bandwidth});
  wires_.push_back({to, from, bandwidth, latency, bandwidth});
}

std::uint32_t Network::add_sink(std::uint32_t sources, BitsPerSecond bandwidth) {
  GODWIT_CHECK(sources <= nodes_ && bandwidth.value > 0);
  for (std::uint32_t from = 0; from < sources; ++from) {
    wires_.push_back({from, nodes_, bandwidth, Nanos{0}, bandwidth});
  }
  return nodes_++;
}

void Network::set_link(Nanos now, std::uint32_t link, BitsPerSecond available) {
  GODWIT_CHECK(2 * link < wires_.size());
  wires_[2 * link].available = wires_[2 * link + 1].available = available;
  reshare(now);
}

bool Network::up(std::span<const std::uint32_t> route) const {
  return std::all_of(route.begin(), route.end(), [this](std::uint32_t w) { return wires_[w].available.value > 0; });
}

std::vector<std::uint32_t> Network::route(std::uint32_t from, std::uint32_t to) const {
  struct EdgeData {
    std::uint32_t wire;
    Distance length;
  };
  using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, boost::no_property, EdgeData>;
  Graph graph(nodes_);
  for (std::uint32_t w = 0; w < wires_.size(); ++w) {
    boost::add_edge(wires_[w].from, wires_[w].to, EdgeData{w, {1, wires_[w].bandwidth.value}}, graph);
  }
  std::vector<Distance> distance(nodes_);
  std::vector<Graph::vertex_descriptor> predecessor(nodes_);
  const auto index = boost::get(boost::vertex_index, graph);
  boost::dijkstra_shortest_paths(graph, from,
                                 boost::weight_map(boost::get(&EdgeData::length, graph))
                                     .distance_map(boost::make_iterator_property_map(distance.begin(), index))
                                     .predecessor_map(boost::make_iterator_property_map(predecessor.begin(), index))
                                     .distance_compare(Nearer{})
                                     .distance_combine(Onward{})
                                     .distance_inf(Distance{})
                                     .distance_zero(Distance{0, std::numeric_limits<std::uint64_t>::max()}));
  if (distance[to].hops == std::numeric_limits<std::uint64_t>::max()) return {};

  std::vector<std::uint32_t> way;
  for (std::uint32_t at = to; at != from; at = static_cast<std::uint32_t>(predecessor[at])) {
    const auto before = static_cast<std::uint32_t>(predecessor[at]);
    std::uint32_t best = std::numeric_limits<std::uint32_t>::max();
    for (std::uint32_t w = 0; w < wires_.size(); ++w) {
      if (wires_[w].from != before || wires_[w].to != at) continue;
      if (best == std::numeric_limits<std::uint32_t>::max() || wires_[w].bandwidth > wires_[best].bandwidth) best = w;
    }
    way.push_back(best);
  }
  std::reverse(way.begin(), way.end());
  return way;
}

Nanos Network::latency(std::span<const std::uint32_t> route) const {
  Nanos total{0};
  for (const std::uint32_t w : route) total += wires_[w].latency;
  return total;
}

BitsPerSecond Network::bottleneck(std::span<const std::uint32_t> route) const {
  BitsPerSecond narrowest{std::numeric_limits<std::uint64_t>::max()};
  for (const std::uint32_t w : route) narrowest = std::min(narrowest, wires_[w].bandwidth);
  return narrowest;
}

Network::FlowId Network::open(std::vector<std::uint32_t> route) {
  GODWIT_CHECK(!route.empty());
  Flow flow;
  flow.route = std::move(route);
  flows_.push_back(std::move(flow));
  return static_cast<FlowId>(flows_.size() - 1);
}

Bytes Network::through(const Flow& flow, Nanos now) const {
  if (!flow.active) return flow.wanted;
  return std::min(flow.wanted, flow.done + carried(flow.rate, now - flow.anchor));
}

bool Network::send(Nanos now, FlowId id, Bytes bytes, BitsPerSecond cap) {
  Flow& flow = flows_[id];
  carried_ += bytes;
  flow.before_last = flow.wanted;
  const bool goes_on = flow.active && finish(id) == now;
  flow.wanted += bytes;
  if (goes_on && cap == flow.cap) return false;
  if (!goes_on) {
    flow.anchor = now;
    flow.done = flow.before_last;
    flow.rate = {0};
  }
  const BitsPerSecond old = flow.rate;
  flow.active = true;
  flow.cap = cap;
  // Alone on its way it gets what there is: the common case needs no look at the others.
  reshare(now);
  return flow.rate != old || !goes_on;
}

bool Network::rest(Nanos now, FlowId id) {
  Flow& flow = flows_[id];
  if (!flow.active) return false;
  flow.active = false;
  flow.done = flow.wanted;
  flow.rate = {0};
  reshare(now);
  return true;
}

Nanos Network::finish(FlowId id) const {
  const Flow& flow = flows_[id];
  if (!flow.active || flow.wanted == flow.done) return flow.anchor;
  if (flow.rate.value == 0) return kNever;
  return later(flow.anchor, wire_time(flow.wanted - flow.done, flow.rate));
}

void Network::shorten(FlowId id, Bytes bytes) {
  Flow& flow = flows_[id];
  const Bytes wanted = flow.before_last + bytes;
  GODWIT_CHECK(wanted <= flow.wanted && wanted >= flow.done);
  carried_ -= flow.wanted - wanted;
  flow.wanted = wanted;
}

/// Progressive filling: the wire or cap that gives its flows least is settled first (Bertsekas and Gallager, Data
/// Networks, 6.5.2). A flow whose rate stays keeps its anchor, so it is not rounded again.
void Network::reshare(Nanos now) {
  std::vector<std::uint64_t> left(wires_.size());
  std::vector<std::uint32_t> users(wires_.size(), 0);
  for (std::size_t w = 0; w < wires_.size(); ++w) left[w] = wires_[w].available.value;
  std::vector<FlowId> open;
  for (FlowId f = 0; f < flows_.size(); ++f) {
    if (!flows_[f].active) continue;
    open.push_back(f);
    for (const std::uint32_t w : flows_[f].route) ++users[w];
  }
  const auto fair = [&](const Flow& flow) {
    std::uint64_t least = flow.cap.value > 0 ? flow.cap.value : std::numeric_limits<std::uint64_t>::max();
    for (const std::uint32_t w : flow.route) least = std::min(least, left[w] / users[w]);
    return least;
  };
  while (!open.empty()) {
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    for (const FlowId f : open) least = std::min(least, fair(flows_[f]));
    std::vector<FlowId> rest;
    std::vector<FlowId> settled;
    for (const FlowId f : open) (fair(flows_[f]) == least ? settled : rest).push_back(f);
    for (const FlowId f : settled) {
      Flow& flow = flows_[f];
      for (const std::uint32_t w : flow.route) {
        left[w] -= least;
        --users[w];
      }
      if (flow.rate.value == least) continue;
      flow.done = through(flow, now);
      flow.anchor = now;
      flow.rate = {least};
    }
    open = std::move(rest);
  }
}

}  // namespace godwit::models
