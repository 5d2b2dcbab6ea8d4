#include "models/topology.h"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/dijkstra_shortest_paths.hpp>
#include <limits>

namespace godwit::models {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

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

/// The wires as a graph, each one hop long.
struct Topology::Ways {
  struct EdgeData {
    Distance length;
  };
  using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, boost::no_property, EdgeData>;
  Graph graph;

  Ways(std::size_t nodes, std::span<const Wire> wires) : graph(nodes) {
    for (const Wire& wire : wires) boost::add_edge(wire.from, wire.to, EdgeData{{1, wire.bandwidth.value}}, graph);
  }

  /// The node before each on the way from `from`; itself where there is none.
  std::vector<Graph::vertex_descriptor> predecessors(std::uint32_t from) const {
    std::vector<Distance> distance(boost::num_vertices(graph));
    std::vector<Graph::vertex_descriptor> predecessor(boost::num_vertices(graph));
    const auto index = boost::get(boost::vertex_index, graph);
    boost::dijkstra_shortest_paths(graph, from,
                                   boost::weight_map(boost::get(&EdgeData::length, graph))
                                       .distance_map(boost::make_iterator_property_map(distance.begin(), index))
                                       .predecessor_map(boost::make_iterator_property_map(predecessor.begin(), index))
                                       .distance_compare(Nearer{})
                                       .distance_combine(Onward{})
                                       .distance_inf(Distance{})
                                       .distance_zero(Distance{0, std::numeric_limits<std::uint64_t>::max()}));
    return predecessor;
  }
};

Topology::Topology(std::uint32_t nodes) : from_(nodes) {}
Topology::Topology(Topology&&) noexcept = default;
Topology::~Topology() = default;

void Topology::add_link(std::uint32_t from, std::uint32_t to, BitsPerSecond bandwidth, Nanos latency) {
  add_wire({from, to, bandwidth, latency});
  add_wire({to, from, bandwidth, latency});
}

std::uint32_t Topology::add_sink(std::uint32_t sources, BitsPerSecond bandwidth) {
  const auto sink = static_cast<std::uint32_t>(from_.size());
  from_.emplace_back();
  for (std::uint32_t from = 0; from < sources; ++from) add_wire({from, sink, bandwidth, Nanos{0}});
  return sink;
}

void Topology::add_wire(const Wire& wire) {
  GODWIT_CHECK(wire.from < from_.size() && wire.to < from_.size() && wire.from != wire.to && wire.bandwidth.value > 0);
  from_[wire.from].push_back(static_cast<std::uint32_t>(wires_.size()));
  wires_.push_back(wire);
  ways_.reset();
}

/// The first of the widest wires that lead straight from `from` to `to`.
std::uint32_t Topology::widest(std::uint32_t from, std::uint32_t to) const {
  std::uint32_t best = kNone;
  for (const std::uint32_t w : from_[from])
    if (wires_[w].to == to && (best == kNone || wires_[w].bandwidth > wires_[best].bandwidth)) best = w;
  return best;
}

std::vector<std::uint32_t> Topology::route(std::uint32_t from, std::uint32_t to) const {
  if (from == to) return {};
  // No way is shorter than a wire, so that neighbours need no search: of many pairs on links of their own, each.
  if (const std::uint32_t wire = widest(from, to); wire != kNone) return {wire};
  if (!ways_) ways_ = std::make_unique<Ways>(from_.size(), wires_);
  const auto before = ways_->predecessors(from);
  std::vector<std::uint32_t> way;
  for (std::uint32_t at = to; at != from; at = static_cast<std::uint32_t>(before[at])) {
    if (before[at] == at) return {};
    way.push_back(widest(static_cast<std::uint32_t>(before[at]), at));
  }
  std::reverse(way.begin(), way.end());
  return way;
}

Nanos Topology::latency(std::span<const std::uint32_t> route) const {
  Nanos total{0};
  for (const std::uint32_t w : route) total += wires_[w].latency;
  return total;
}

BitsPerSecond Topology::bottleneck(std::span<const std::uint32_t> route) const {
  BitsPerSecond narrowest{std::numeric_limits<std::uint64_t>::max()};
  for (const std::uint32_t w : route) narrowest = std::min(narrowest, wires_[w].bandwidth);
  return narrowest;
}

}  // namespace godwit::models
