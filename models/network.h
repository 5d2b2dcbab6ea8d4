#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/units.h"

namespace godwit::models {

/// Links that share their capacity among flows, max-min fair, without overhead. Told the time, never asks.
/// Every link is two wires, one in each direction.
class Network {
 public:
  struct Wire {
    std::uint32_t from, to;
    BitsPerSecond bandwidth;
    Nanos latency;
    BitsPerSecond available;  ///< Now: less than its bandwidth after set_link, 0 while it is down.
  };
  using FlowId = std::uint32_t;

  explicit Network(std::uint32_t nodes) : nodes_(nodes) {}
  void add_link(std::uint32_t from, std::uint32_t to, BitsPerSecond bandwidth, Nanos latency);
  /// A new node, into which every one of the first `sources` nodes has a wire of its own, and out of which none leads.
  std::uint32_t add_sink(std::uint32_t sources, BitsPerSecond bandwidth);
  /// From now on the `link`-th link that was added has `available` in each direction; 0: it is down. Routes stay.
  void set_link(Nanos now, std::uint32_t link, BitsPerSecond available);
  BitsPerSecond bandwidth_of(std::uint32_t link) const { return wires_[2 * link].bandwidth; }
  /// Whether every wire of `route` carries something.
  bool up(std::span<const std::uint32_t> route) const;

  /// The wires of the widest among the shortest ways; empty where there is none.
  std::vector<std::uint32_t> route(std::uint32_t from, std::uint32_t to) const;
  Nanos latency(std::span<const std::uint32_t> route) const;
  BitsPerSecond bottleneck(std::span<const std::uint32_t> route) const;

  /// A flow that has nothing to send yet. Requires a route that is not empty.
  FlowId open(std::vector<std::uint32_t> route);

  /// Adds `bytes` to what `flow` has to send, at most at `cap` (0: no cap). A flow that goes on just when its last
  /// bytes are through, at the same rate, is one unbroken flow: nothing is rounded twice. Returns true where the rates
  /// of flows may have changed.
  bool send(Nanos now, FlowId flow, Bytes bytes, BitsPerSecond cap);
  /// Takes an idle flow out of the sharing. Returns true where rates may have changed.
  bool rest(Nanos now, FlowId flow);

  /// When everything given to `flow` so far is through, as things stand.
  Nanos finish(FlowId flow) const;
  /// The rate at which `flow` goes, or would go with `cap` if it began to send now and others kept their rates.
  BitsPerSecond rate(FlowId flow) const { return flows_[flow].rate; }
  /// How much of the last send is through.
  Bytes gone(Nanos now, FlowId flow) const { return through(flows_[flow], now) - flows_[flow].before_last; }
  /// Makes the last send of `flow` one of `bytes`. Requires that not more than those are through.
  void shorten(FlowId flow, Bytes bytes);

  std::size_t flows() const { return flows_.size(); }
  bool active(FlowId flow) const { return flows_[flow].active; }

  /// Bytes that entered and left, over all flows.
  Bytes carried_total() const { return carried_; }

 private:
  struct Flow {
    std::vector<std::uint32_t> route;
    bool active = false;
    BitsPerSecond cap{0};
    BitsPerSecond rate{0};
    Nanos anchor{0};  // since then the rate has not changed
    Bytes done{0};    // through at the anchor
    Bytes before_last{0};
    Bytes wanted{0};  // given so far
  };

  Bytes through(const Flow& flow, Nanos now) const;
  void reshare(Nanos now);

  std::uint32_t nodes_;
  std::vector<Wire> wires_;
  std::vector<Flow> flows_;
  Bytes carried_{0};
};

}  // namespace godwit::models
