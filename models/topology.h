#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/units.h"

namespace godwit::models {

/// Which wires lead from where to where. Every link is two wires, one in each direction: the i-th link is the wires 2i
/// and 2i + 1, provided that links are added before sinks.
class Topology {
 public:
  struct Wire {
    std::uint32_t from, to;
    BitsPerSecond bandwidth;
    Nanos latency;
  };

  explicit Topology(std::uint32_t nodes);
  Topology(Topology&&) noexcept;
  ~Topology();

  void add_link(std::uint32_t from, std::uint32_t to, BitsPerSecond bandwidth, Nanos latency);
  /// A node that each of the first `sources` nodes reaches over a wire of its own, and that leads nowhere: storage.
  std::uint32_t add_sink(std::uint32_t sources, BitsPerSecond bandwidth);
  std::span<const Wire> wires() const { return wires_; }

  /// The wires of the widest among the shortest ways; empty where there is none.
  std::vector<std::uint32_t> route(std::uint32_t from, std::uint32_t to) const;
  Nanos latency(std::span<const std::uint32_t> route) const;
  BitsPerSecond bottleneck(std::span<const std::uint32_t> route) const;

 private:
  struct Ways;
  void add_wire(const Wire& wire);
  std::uint32_t widest(std::uint32_t from, std::uint32_t to) const;

  std::vector<Wire> wires_;
  std::vector<std::vector<std::uint32_t>> from_;  // the wires that leave each node
  mutable std::unique_ptr<Ways> ways_;            // made when it is first needed
};

}  // namespace godwit::models
