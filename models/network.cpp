#include "models/network.h"

#include <algorithm>
#include <limits>

namespace godwit::models {
namespace {

constexpr std::uint64_t kByte = 8 * kNanosPerSecond;  // in parts of Sent
constexpr std::uint64_t kUnbounded = std::numeric_limits<std::uint64_t>::max();

}  // namespace

void Network::add_link(std::uint32_t from, std::uint32_t to, BitsPerSecond bandwidth, Nanos latency) {
  topology_.add_link(from, to, bandwidth, latency);
  carriers_.resize(topology_.wires().size(), Carrier{.available = bandwidth, .groups = {}});
}

std::uint32_t Network::add_sink(std::uint32_t sources, BitsPerSecond bandwidth) {
  const std::uint32_t sink = topology_.add_sink(sources, bandwidth);
  carriers_.resize(topology_.wires().size(), Carrier{.available = bandwidth, .groups = {}});
  return sink;
}

void Network::set_link(Nanos now, std::uint32_t link, BitsPerSecond available) {
  GODWIT_CHECK(2 * link < carriers_.size());
  const std::uint32_t wires[] = {2 * link, 2 * link + 1};
  for (const std::uint32_t w : wires) carriers_[w].available = available;
  reshare(now, wires);
}

bool Network::up(std::span<const std::uint32_t> route) const {
  return std::all_of(route.begin(), route.end(), [this](std::uint32_t w) { return carriers_[w].available.value > 0; });
}

// ---------------------------------------------------------------- flows

Network::FlowId Network::open(const std::vector<std::uint32_t>& route) {
  GODWIT_CHECK(!route.empty());
  const auto [known, fresh] = route_ids_.try_emplace(route, static_cast<std::uint32_t>(routes_.size()));
  if (fresh) routes_.push_back({route});
  if (free_flows_.empty()) {
    free_flows_.push_back(static_cast<FlowId>(flows_.size()));
    flows_.emplace_back();
  }
  const FlowId id = free_flows_.back();
  free_flows_.pop_back();
  // The count of waits goes on, so that what is left of those before stays void.
  flows_[id] = {.route = known->second, .wait = flows_[id].wait};
  return id;
}

void Network::close(FlowId id) {
  Flow& flow = flows_[id];
  GODWIT_CHECK(!flow.active);
  if (flow.grouped) stop_being_member(flow);
  free_flows_.push_back(id);
}

void Network::send(Nanos now, FlowId id, Bytes bytes, BitsPerSecond cap) {
  Flow& flow = flows_[id];
  GODWIT_CHECK(flow.wait % 2 == 0 && (!flow.active || flow.through_at >= Nanos{0}));
  const bool goes_on = flow.active && flow.through_at == now;
  const Sent ahead = goes_on ? clock_at(groups_[flow.group], now) - flow.end : 0;
  flow.through_at = Nanos{-1};
  flow.last = bytes;
  const bool same = flow.grouped && groups_[flow.group].cap == cap;
  if (!flow.active || !same) {
    if (flow.active) leave(flow);
    if (!same) become_member(flow, group_for(flow.route, cap));
    join(flow);
    reshare(now, routes_[flow.route].wires);
  }
  flow.end = clock_at(groups_[flow.group], now) - ahead + static_cast<Sent>(bytes.value) * kByte;
}

void Network::rest(Nanos now, FlowId id) {
  Flow& flow = flows_[id];
  if (!flow.active) return;
  flow.wait += flow.wait % 2;
  leave(flow);
  reshare(now, routes_[flow.route].wires);
}

void Network::shorten(FlowId id, Bytes bytes) {
  Flow& flow = flows_[id];
  GODWIT_CHECK(flow.active && bytes <= flow.last);
  flow.end -= static_cast<Sent>((flow.last - bytes).value) * kByte;
  flow.last = bytes;
  if (flow.wait % 2 == 0) return;
  ++flow.wait;
  await(id);
}

Nanos Network::finish(FlowId id) const {
  const Flow& flow = flows_[id];
  GODWIT_CHECK(flow.active);
  return instant_of(groups_[flow.group], flow.end);
}

BitsPerSecond Network::rate(FlowId id) const {
  return flows_[id].active ? groups_[flows_[id].group].rate : BitsPerSecond{0};
}

Bytes Network::gone(Nanos now, FlowId id) const {
  const Flow& flow = flows_[id];
  GODWIT_CHECK(flow.active);
  const Sent whole = static_cast<Sent>(flow.last.value) * kByte;
  const Sent sent = whole - (flow.end - clock_at(groups_[flow.group], now));
  return {static_cast<std::uint64_t>(std::clamp<Sent>(sent, 0, whole) / kByte)};
}

void Network::through(Nanos now, FlowId id) { flows_[id].through_at = now; }

// ---------------------------------------------------------------- waiting

void Network::await(FlowId id) {
  Flow& flow = flows_[id];
  GODWIT_CHECK(flow.active && flow.wait % 2 == 0);
  ++flow.wait;
  std::vector<Due>& due = groups_[flow.group].due;
  due.push_back({flow.end, waits_++, id, flow.wait});
  std::push_heap(due.begin(), due.end(), later_first);
  note_change(flow.group);
}

bool Network::waits(GroupId id) {
  drop_void(groups_[id]);
  return !groups_[id].due.empty() && groups_[id].rate.value > 0;
}

Nanos Network::next_through(GroupId id) {
  Group& group = groups_[id];
  drop_void(group);
  return group.due.empty() ? kNever : instant_of(group, group.due.front().at);
}

/// So that the first entry, if there is one, counts.
void Network::drop_void(Group& group) {
  while (!group.due.empty() && is_void(group.due.front())) {
    std::pop_heap(group.due.begin(), group.due.end(), later_first);
    group.due.pop_back();
  }
}

std::optional<Network::FlowId> Network::take_through(Nanos now, GroupId id) {
  const Nanos instant = next_through(id);
  if (instant > now) return std::nullopt;
  Group& group = groups_[id];
  const FlowId flow = group.due.front().flow;
  std::pop_heap(group.due.begin(), group.due.end(), later_first);
  group.due.pop_back();
  ++flows_[flow].wait;
  through(instant, flow);
  return flow;
}

std::span<const Network::GroupId> Network::take_changed() {
  for (const GroupId id : changed_) groups_[id].changed = false;
  told_.swap(changed_);
  changed_.clear();
  return told_;
}

void Network::note_change(GroupId id) {
  if (std::exchange(groups_[id].changed, true)) return;
  changed_.push_back(id);
}

bool Network::later_first(const Due& a, const Due& b) { return a.at != b.at ? a.at > b.at : a.order > b.order; }

// ---------------------------------------------------------------- groups

Network::Sent Network::clock_at(const Group& group, Nanos now) {
  return group.clock + static_cast<Sent>(group.rate.value) * (now - group.anchor).count();
}

/// When the clock of `group` is at `end` or beyond, as things stand; not before the anchor.
Nanos Network::instant_of(const Group& group, Sent end) const {
  if (end <= group.clock) return group.anchor;
  if (group.rate.value == 0) return kNever;
  const u128 ahead = static_cast<u128>(end - group.clock) + (group.rate.value - 1);
  const bool narrow = ahead <= kUnbounded;  // as nearly always, and then divided sooner
  const u128 wait = narrow ? static_cast<std::uint64_t>(ahead) / group.rate.value : ahead / group.rate.value;
  return wait > kUnbounded ? kNever : later(group.anchor, saturating_nanos(static_cast<std::uint64_t>(wait)));
}

Network::GroupId Network::group_for(std::uint32_t route, BitsPerSecond cap) {
  const auto [known, fresh] = group_ids_.try_emplace({route, cap.value}, 0);
  if (!fresh) return known->second;
  if (free_groups_.empty()) {
    free_groups_.push_back(static_cast<GroupId>(groups_.size()));
    groups_.emplace_back();
  }
  known->second = free_groups_.back();
  free_groups_.pop_back();
  Group& group = groups_[known->second];
  group = {.route = route, .cap = cap, .due = std::move(group.due), .changed = group.changed};
  group.due.clear();
  return known->second;
}

void Network::become_member(Flow& flow, GroupId id) {
  ++groups_[id].members;
  if (flow.grouped) stop_being_member(flow);
  flow.group = id;
  flow.grouped = true;
}

void Network::stop_being_member(Flow& flow) {
  Group& group = groups_[flow.group];
  flow.grouped = false;
  if (--group.members > 0) return;
  group_ids_.erase({group.route, group.cap.value});
  free_groups_.push_back(flow.group);
}

void Network::join(Flow& flow) {
  flow.active = true;
  if (groups_[flow.group].flows++ > 0) return;
  for (const std::uint32_t w : routes_[flow.route].wires) carriers_[w].groups.push_back(flow.group);
}

void Network::leave(Flow& flow) {
  flow.active = false;
  if (--groups_[flow.group].flows > 0) return;
  for (const std::uint32_t w : routes_[flow.route].wires) std::erase(carriers_[w].groups, flow.group);
}

// ---------------------------------------------------------------- sharing

/// Works out the rates of all groups that are connected to one of `wires`.
void Network::reshare(Nanos now, std::span<const std::uint32_t> wires) {
  gather(wires);
  if (open_.size() == 1) {  // the common case needs no look at others, for there are none
    const Group& group = groups_[open_.front()];
    std::uint64_t rate = group.cap.value > 0 ? group.cap.value : kUnbounded;
    for (const std::uint32_t w : routes_[group.route].wires)
      rate = std::min(rate, carriers_[w].available.value / group.flows);
    return set_rate(now, open_.front(), rate);
  }
  fill(now);
}

/// Collects in open_ the groups that are connected to `wires`, and in reached_ their wires.
void Network::gather(std::span<const std::uint32_t> wires) {
  ++visit_;
  open_.clear();
  reached_.clear();
  const auto reach = [this](std::span<const std::uint32_t> route) {
    for (const std::uint32_t w : route)
      if (std::exchange(carriers_[w].visit, visit_) != visit_) reached_.push_back(w);
  };
  reach(wires);
  for (std::size_t i = 0; i < reached_.size(); ++i) {
    for (const GroupId id : carriers_[reached_[i]].groups) {
      if (std::exchange(groups_[id].visit, visit_) == visit_) continue;
      open_.push_back(id);
      reach(routes_[groups_[id].route].wires);
    }
  }
}

/// Progressive filling (Bertsekas and Gallager, Data Networks, 6.5.2). A wire's fair share only grows as others are
/// settled at less: floor((l - k r) / (u - k)) >= floor(l / u) for r <= floor(l / u). So a group whose cap is within the
/// fair shares of its wires can be settled at its cap at once, in whatever order; then the scarcest wire is settled.
void Network::fill(Nanos now) {
  for (const std::uint32_t w : reached_) {
    carriers_[w].left = carriers_[w].available.value;
    carriers_[w].users = 0;
  }
  for (const GroupId id : open_)
    for (const std::uint32_t w : routes_[groups_[id].route].wires) carriers_[w].users += groups_[id].flows;
  // The smallest cap first, those without one last; the order among equals changes nothing.
  std::sort(open_.begin(), open_.end(),
            [this](GroupId a, GroupId b) { return groups_[a].cap.value - 1 < groups_[b].cap.value - 1; });
  while (!open_.empty()) {
    const std::size_t before = open_.size();
    std::erase_if(open_, [&](GroupId id) {
      const Group& group = groups_[id];
      const bool capped = group.cap.value > 0 && group.cap.value <= fair_by_wires(group);
      if (capped) settle(now, id, group.cap.value);
      return capped;
    });
    if (open_.size() < before) continue;
    std::uint64_t least = kUnbounded;
    for (const GroupId id : open_) least = std::min(least, fair_by_wires(groups_[id]));
    std::vector<GroupId> settled;
    std::erase_if(open_, [&](GroupId id) {
      const bool scarce = fair_by_wires(groups_[id]) == least;
      if (scarce) settled.push_back(id);
      return scarce;
    });
    for (const GroupId id : settled) settle(now, id, least);
  }
}

std::uint64_t Network::fair_by_wires(const Group& group) const {
  std::uint64_t least = kUnbounded;
  for (const std::uint32_t w : routes_[group.route].wires)
    least = std::min(least, carriers_[w].left / carriers_[w].users);
  return least;
}

/// Takes what each flow of the group gets off its wires.
void Network::settle(Nanos now, GroupId id, std::uint64_t rate) {
  const Group& group = groups_[id];
  for (const std::uint32_t w : routes_[group.route].wires) {
    carriers_[w].left -= rate * group.flows;
    carriers_[w].users -= group.flows;
  }
  set_rate(now, id, rate);
}

void Network::set_rate(Nanos now, GroupId id, std::uint64_t rate) {
  Group& group = groups_[id];
  if (group.rate.value == rate) return;
  group.clock = clock_at(group, now);
  group.anchor = now;
  group.rate = {rate};
  note_change(id);
}

}  // namespace godwit::models
