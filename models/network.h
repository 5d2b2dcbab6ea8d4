#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/units.h"
#include "models/topology.h"

namespace godwit::models {

/// Links that share their capacity among flows, max-min fair, without overhead. Told the time, never asks.
///
/// Flows of the same route and cap always go at the same rate. They form a group, which has one clock: how much each of
/// its flows would have sent since it began. A flow is through when that clock has gone on by what the flow was given, so
/// a change of rates moves clocks and touches no flow: of n flows over one link each comes and goes in O(log n). Groups
/// that meet on wires are shared out by progressive filling; a change looks at those alone that are connected to it.
///
/// Two things are rounded, and nothing else: a rate is a whole number of bits per second, rounded down; and a flow is
/// through at the first whole nanosecond at which all of it is. What it could have sent in the rest of that nanosecond
/// counts for what it is given at that instant.
class Network {
 public:
  using FlowId = std::uint32_t;
  using GroupId = std::uint32_t;

  explicit Network(std::uint32_t nodes) : topology_(nodes) {}
  void add_link(std::uint32_t from, std::uint32_t to, BitsPerSecond bandwidth, Nanos latency);
  std::uint32_t add_sink(std::uint32_t sources, BitsPerSecond bandwidth);
  const Topology& topology() const { return topology_; }
  /// From now on the `link`-th link that was added has `available` in each direction; 0: it is down. Routes stay.
  void set_link(Nanos now, std::uint32_t link, BitsPerSecond available);
  BitsPerSecond bandwidth_of(std::uint32_t link) const { return topology_.wires()[2 * link].bandwidth; }
  /// Whether every wire of `route` carries something.
  bool up(std::span<const std::uint32_t> route) const;

  /// A flow that has nothing to send yet. Requires a route that is not empty.
  FlowId open(const std::vector<std::uint32_t>& route);
  /// Forgets a flow that rests; its number may be given again.
  void close(FlowId flow);

  /// Gives `flow` `bytes` to send, at most at `cap` (0: no cap). A flow that is given more just when it is through is one
  /// unbroken flow. Requires that it rests or is through.
  void send(Nanos now, FlowId flow, Bytes bytes, BitsPerSecond cap);
  /// Takes a flow out of the sharing; what it has not sent by then it never sends.
  void rest(Nanos now, FlowId flow);
  /// Makes the last send of `flow` one of `bytes`. Requires that it is not through.
  void shorten(FlowId flow, Bytes bytes);

  /// When everything given to `flow` so far is through, as things stand. Requires that it sends.
  Nanos finish(FlowId flow) const;
  BitsPerSecond rate(FlowId flow) const;
  /// How much of the last send is through. Requires that it sends.
  Bytes gone(Nanos now, FlowId flow) const;
  /// Says that `flow` is through, now.
  void through(Nanos now, FlowId flow);

  /// From now on `flow` is waited for: take_through will tell of it.
  void await(FlowId flow);
  /// Whether anybody waits for a flow of `group` that moves.
  bool waits(GroupId group);
  /// When the next of those waited for is through, of the flows of `group`; kNever: none, or too late to be counted.
  Nanos next_through(GroupId group);
  /// The next of those of `group` that are through by now, in the order of their ends, then of the waiting.
  std::optional<FlowId> take_through(Nanos now, GroupId group);
  /// The groups whose next_through may have changed since the last call. Good until the next one.
  std::span<const GroupId> take_changed();

 private:
  __extension__ typedef __int128 Sent;  // in bits x 10^-9: what one bit per second carries in a nanosecond

  struct Route {
    std::vector<std::uint32_t> wires;
  };
  struct Due {
    Sent at;
    std::uint64_t order;  // of the waiting
    FlowId flow;
    std::uint32_t wait;  // the flow's; else the entry is void
  };
  struct Group {
    std::uint32_t route = 0;
    BitsPerSecond cap{0};
    std::uint32_t members = 0;  // flows that were in it last, whether they rest or not
    std::uint32_t flows = 0;    // that take part in the sharing
    BitsPerSecond rate{0};
    Nanos anchor{0};  // since then the rate has not changed
    Sent clock = 0;   // at the anchor
    std::vector<Due> due;
    bool changed = false;
    std::uint64_t visit = 0;
  };
  struct Flow {
    std::uint32_t route = 0;
    GroupId group = 0;
    bool grouped = false;    // `group` counts it as a member
    bool active = false;     // takes part in the sharing
    std::uint32_t wait = 0;  // odd while it is waited for
    Nanos through_at{-1};
    Sent end = 0;  // on the group's clock
    Bytes last{0};
  };
  struct Carrier {  // what a wire is to the sharing
    BitsPerSecond available{0};
    std::vector<GroupId> groups;
    std::uint64_t visit = 0;
    std::uint64_t left = 0;
    std::uint64_t users = 0;
  };

  static Sent clock_at(const Group& group, Nanos now);
  static bool later_first(const Due& a, const Due& b);
  Nanos instant_of(const Group& group, Sent end) const;
  void drop_void(Group& group);
  bool is_void(const Due& due) const { return flows_[due.flow].wait != due.wait; }
  GroupId group_for(std::uint32_t route, BitsPerSecond cap);
  void become_member(Flow& flow, GroupId group);
  void stop_being_member(Flow& flow);
  void join(Flow& flow);
  void leave(Flow& flow);
  void note_change(GroupId group);
  void reshare(Nanos now, std::span<const std::uint32_t> wires);
  void gather(std::span<const std::uint32_t> wires);
  void fill(Nanos now);
  std::uint64_t fair_by_wires(const Group& group) const;
  void settle(Nanos now, GroupId group, std::uint64_t rate);
  void set_rate(Nanos now, GroupId group, std::uint64_t rate);

  Topology topology_;
  std::vector<Carrier> carriers_;
  std::vector<Route> routes_;
  std::map<std::vector<std::uint32_t>, std::uint32_t> route_ids_;
  std::vector<Group> groups_;
  std::vector<GroupId> free_groups_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, GroupId> group_ids_;  // by route and cap
  std::vector<Flow> flows_;
  std::vector<FlowId> free_flows_;
  std::vector<GroupId> changed_, told_;
  std::uint64_t waits_ = 0;
  std::uint64_t visit_ = 0;
  std::vector<std::uint32_t> reached_;  // wires, while shares are worked out
  std::vector<GroupId> open_;           // groups, likewise
};

}  // namespace godwit::models
