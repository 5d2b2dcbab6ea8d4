#include "models/network.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "models/prng.h"

namespace godwit::models {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kGbit = 1'000'000'000;

/// Progressive filling as the books have it, flow by flow and with every flow's progress kept exactly: the reference.
/// Shares no code with Network.
class Plain {
 public:
  __extension__ typedef __int128 Sent;  // in bits x 10^-9
  struct Flow {
    std::vector<std::uint32_t> route;
    bool active = false;
    std::uint64_t cap = 0, rate = 0;
    Sent sent = 0, given = 0;
    Nanos through_at{-1};
  };
  std::vector<std::uint64_t> wires;
  std::vector<Flow> flows;
  Nanos now{0};

  void advance(Nanos to) {
    for (Flow& flow : flows)
      if (flow.active) flow.sent += static_cast<Sent>(flow.rate) * (to - now).count();
    now = to;
  }
  void send(std::size_t f, Bytes bytes, std::uint64_t cap) {
    Flow& flow = flows[f];
    if (!flow.active || flow.through_at != now) flow.sent = flow.given;
    flow.given += static_cast<Sent>(bytes.value) * 8'000'000'000;
    flow.active = true;
    flow.through_at = Nanos{-1};
    flow.cap = cap;
    share();
  }
  void rest(std::size_t f) {
    flows[f].active = false;
    share();
  }
  Nanos finish(std::size_t f) const {
    const Flow& flow = flows[f];
    if (flow.sent >= flow.given) return now;
    if (flow.rate == 0) return kNever;
    return now + Nanos{static_cast<std::int64_t>((flow.given - flow.sent + flow.rate - 1) / flow.rate)};
  }
  void share() {
    std::vector<std::uint64_t> left = wires;
    std::vector<std::size_t> open;
    for (std::size_t f = 0; f < flows.size(); ++f)
      if (flows[f].active) open.push_back(f);
    while (!open.empty()) {
      const auto fair = [&](std::size_t f) {
        std::uint64_t least = flows[f].cap > 0 ? flows[f].cap : UINT64_MAX;
        for (const std::uint32_t w : flows[f].route) {
          const auto users = std::ranges::count_if(
              open, [&](std::size_t other) { return std::ranges::count(flows[other].route, w) > 0; });
          least = std::min(least, left[w] / static_cast<std::uint64_t>(users));
        }
        return least;
      };
      std::uint64_t least = UINT64_MAX;
      for (const std::size_t f : open) least = std::min(least, fair(f));
      std::vector<std::size_t> settled;
      for (const std::size_t f : open)
        if (fair(f) == least) settled.push_back(f);
      for (const std::size_t f : settled) {
        flows[f].rate = least;
        for (const std::uint32_t w : flows[f].route) left[w] -= least;
        std::erase(open, f);
      }
    }
  }
};

Network line(std::uint64_t rate) {
  Network network(2);
  network.add_link(0, 1, {rate}, 0ns);
  return network;
}

// 125 MB at 1 Gbit/s take 1 s alone. The second flow comes at 0.5 s: from then on each has half. The first has 62.5 MB left,
// which take 1 s more; then the second, which has 62.5 MB left too, has all: 0.5 s more.
TEST(Network, TwoFlowsShareAWireAndTheSecondHasItAllInTheEnd) {
  Network network = line(kGbit);
  const auto a = network.open({0}), b = network.open({0});
  network.send(0ns, a, {125'000'000}, {0});
  EXPECT_EQ(network.finish(a), 1s);
  network.send(500ms, b, {125'000'000}, {0});
  EXPECT_EQ(network.finish(a), 1500ms);
  EXPECT_EQ(network.finish(b), 2500ms);
  network.rest(1500ms, a);
  EXPECT_EQ(network.finish(b), 2s);
}

// Of 10 Gbit/s, one flow may have 1 only; the two others share the rest.
TEST(Network, WhatACapLeavesGoesToTheOthers) {
  Network network = line(10 * kGbit);
  const auto a = network.open({0}), b = network.open({0}), c = network.open({0});
  network.send(0ns, a, {1'000'000}, {kGbit});
  network.send(0ns, b, {1'000'000}, {0});
  network.send(0ns, c, {1'000'000}, {8 * kGbit});
  EXPECT_EQ(network.rate(a).value, kGbit);
  EXPECT_EQ(network.rate(b).value, 4'500'000'000u);
  EXPECT_EQ(network.rate(c).value, 4'500'000'000u);
}

// 3 wires in a row of 1, 2 and 3 Gbit/s: one flow takes all three, each of three others one. The narrowest gives 0.5 to
// each of its two; that leaves 1.5 and 2.5 to the flows that have the others alone.
TEST(Network, ALongRouteIsHeldBackByItsNarrowestShare) {
  Network network(4);
  for (std::uint32_t i = 0; i < 3; ++i) network.add_link(i, i + 1, {(i + 1) * kGbit}, 0ns);
  const auto whole = network.open({0, 2, 4});
  const Network::FlowId parts[] = {network.open({0}), network.open({2}), network.open({4})};
  network.send(0ns, whole, {1'000}, {0});
  for (const auto part : parts) network.send(0ns, part, {1'000}, {0});
  EXPECT_EQ(network.rate(whole).value, kGbit / 2);
  EXPECT_EQ(network.rate(parts[0]).value, kGbit / 2);
  EXPECT_EQ(network.rate(parts[1]).value, 3 * kGbit / 2);
  EXPECT_EQ(network.rate(parts[2]).value, 5 * kGbit / 2);
}

// 1 byte at 3 bit/s is through after 8/3 s: 2.666666667 s. Three at once and three in turn take the same 8 s.
TEST(Network, AFlowThatGoesOnIsNotRoundedTwice) {
  Network network = line(3);
  const auto flow = network.open({0});
  Nanos now = 0ns;
  for (int i = 0; i < 3; ++i) {
    network.send(now, flow, {1}, {0});
    now = network.finish(flow);
    network.through(now, flow);
  }
  EXPECT_EQ(now, 8s);
  network.send(9s, flow, {1}, {0});  // it has paused: what it could have sent meanwhile is lost
  EXPECT_EQ(network.finish(flow), 11'666'666'667ns);
}

TEST(Network, FlowsOfOneGroupAreThroughInOrder) {
  Network network = line(kGbit);
  std::vector<Network::FlowId> flows;
  for (int i = 0; i < 4; ++i) flows.push_back(network.open({0}));
  const std::uint64_t sizes[] = {3000, 1000, 2000, 1000};
  for (int i = 0; i < 4; ++i) {
    network.send(0ns, flows[i], {sizes[i]}, {0});
    network.await(flows[i]);
  }
  const auto changed = network.take_changed();
  ASSERT_EQ(changed.size(), 1u);
  const Network::GroupId group = changed[0];
  // A quarter of 1 Gbit/s for 1000 bytes: 32 us; of the two, the one that was waited for first.
  EXPECT_EQ(network.next_through(group), 32us);
  EXPECT_EQ(network.take_through(31'999ns, group), std::nullopt);
  EXPECT_EQ(network.take_through(32us, group), flows[1]);
  EXPECT_EQ(network.take_through(32us, group), flows[3]);
  EXPECT_EQ(network.take_through(32us, group), std::nullopt);
  network.rest(32us, flows[1]);
  network.rest(32us, flows[3]);
  // Two are left, each with half: 1000 bytes more of the third take 16 us.
  EXPECT_EQ(network.next_through(group), 48us);
  network.shorten(flows[2], {1500});
  EXPECT_EQ(network.next_through(group), 40us);
  EXPECT_EQ(network.gone(40us, flows[0]).value, 1500u);
}

TEST(Network, AFlowThatRestsIsNotWaitedForAnyMore) {
  Network network = line(kGbit);
  const auto a = network.open({0});
  network.send(0ns, a, {1000}, {0});
  network.await(a);
  const auto group = network.take_changed()[0];
  network.rest(1us, a);
  EXPECT_EQ(network.next_through(group), kNever);
  network.close(a);
  EXPECT_EQ(network.open({0}), a);  // numbers are given again
}

TEST(Network, NothingGoesOverALinkThatIsDown) {
  Network network = line(kGbit);
  const auto a = network.open({0});
  network.send(0ns, a, {125'000'000}, {0});
  network.set_link(500ms, 0, {0});
  EXPECT_EQ(network.finish(a), kNever);
  EXPECT_FALSE(network.up(std::vector<std::uint32_t>{0}));
  network.set_link(10s, 0, {kGbit / 2});
  EXPECT_EQ(network.finish(a), 11s);
}

TEST(Topology, TheWidestOfTheShortestWays) {
  Topology ways(5);  // 0 - 1 - 4 is narrow, 0 - 2 - 4 is wide, 0 - 3 is wider but leads nowhere
  ways.add_link(0, 1, {kGbit}, 1us);
  ways.add_link(1, 4, {kGbit}, 1us);
  ways.add_link(0, 2, {2 * kGbit}, 2us);
  ways.add_link(2, 4, {3 * kGbit}, 3us);
  ways.add_link(0, 3, {9 * kGbit}, 1us);
  const std::vector<std::uint32_t> route = ways.route(0, 4);
  EXPECT_EQ(route, (std::vector<std::uint32_t>{4, 6}));
  EXPECT_EQ(ways.latency(route), 5us);
  EXPECT_EQ(ways.bottleneck(route).value, 2 * kGbit);
  EXPECT_EQ(ways.route(4, 0), (std::vector<std::uint32_t>{7, 5}));
  ways.add_link(0, 4, {1}, 1us);  // a wire is the shortest way, however narrow
  EXPECT_EQ(ways.route(0, 4), (std::vector<std::uint32_t>{10}));
  EXPECT_TRUE(ways.route(0, 0).empty());
  EXPECT_TRUE(Topology(2).route(0, 1).empty());
}

/// A random net and what happens to it, driven in step with the reference.
class Duel {
 public:
  explicit Duel(std::uint64_t seed) : random_(seed, 1, 2, 3), network_(kNodes) {
    const std::uint64_t links = 1 + random_.below(5);
    for (std::uint64_t i = 0; i < links; ++i) {
      const auto from = static_cast<std::uint32_t>(random_.below(kNodes));
      const auto to = static_cast<std::uint32_t>((from + 1 + random_.below(kNodes - 1)) % kNodes);
      // Small and odd rates, so that shares have remainders.
      const std::uint64_t rate = 1 + random_.below(random_.below(2) == 0 ? 1'000 : 10 * kGbit);
      network_.add_link(from, to, {rate}, 0ns);
      plain_.wires.insert(plain_.wires.end(), 2, rate);
    }
    for (int i = 0; i < 12; ++i) {
      std::vector<std::uint32_t> route;
      for (std::uint32_t w = 0; w < plain_.wires.size(); ++w)
        if (random_.below(3) == 0) route.push_back(w);
      if (route.empty()) route.push_back(0);
      if (i > 0 && random_.below(2) == 0) route = plain_.flows.back().route;
      network_.open(route);
      plain_.flows.push_back({.route = route});
    }
  }

  void step() {
    const std::uint64_t f = random_.below(plain_.flows.size());
    const auto id = static_cast<Network::FlowId>(f);
    Plain::Flow& flow = plain_.flows[f];
    const bool idle = !flow.active || flow.through_at >= 0ns;
    const std::uint64_t what = random_.below(8);
    if (what < 4 && idle) {
      const Bytes bytes{1 + random_.below(5'000)};
      const std::uint64_t caps[] = {0, 0, 0, 100, 1'000, 3 * kGbit, 1 + random_.below(1'000)};
      const std::uint64_t cap = caps[random_.below(7)];
      network_.send(plain_.now, id, bytes, {cap});
      plain_.send(f, bytes, cap);
    } else if (what == 4 && flow.active) {
      network_.rest(plain_.now, id);
      plain_.rest(f);
    } else if (what == 5 && random_.below(4) == 0) {
      const std::uint64_t link = random_.below(plain_.wires.size() / 2);
      const std::uint64_t rate = random_.below(3) == 0 ? 0 : 1 + random_.below(10 * kGbit);
      plain_.wires[2 * link] = plain_.wires[2 * link + 1] = rate;
      network_.set_link(plain_.now, static_cast<std::uint32_t>(link), {rate});
      plain_.share();
    } else {
      go_on();
    }
  }

  void compare() const {
    for (std::size_t f = 0; f < plain_.flows.size(); ++f) {
      const Plain::Flow& flow = plain_.flows[f];
      if (!flow.active) continue;
      const auto id = static_cast<Network::FlowId>(f);
      ASSERT_EQ(network_.rate(id).value, flow.rate) << f;
      if (flow.through_at < 0ns) {
        ASSERT_EQ(network_.finish(id), plain_.finish(f)) << f;
      }
    }
  }

 private:
  static constexpr std::uint32_t kNodes = 4;

  /// To the next end of a flow, or to somewhere before it.
  void go_on() {
    Nanos next = kNever;
    for (std::size_t f = 0; f < plain_.flows.size(); ++f)
      if (plain_.flows[f].active && plain_.flows[f].through_at < 0ns) next = std::min(next, plain_.finish(f));
    if (next == kNever) return;
    const bool before = random_.below(3) == 0;
    const auto wait = static_cast<std::uint64_t>((next - plain_.now).count());
    const Nanos to = before ? plain_.now + Nanos{static_cast<std::int64_t>(random_.below(wait + 1))} : next;
    plain_.advance(to);
    for (std::size_t f = 0; f < plain_.flows.size(); ++f) {
      Plain::Flow& flow = plain_.flows[f];
      if (!flow.active || flow.through_at >= 0ns || plain_.finish(f) != to) continue;
      flow.through_at = to;
      network_.through(to, static_cast<Network::FlowId>(f));
    }
  }

  Stream random_;
  Network network_;
  Plain plain_;
};

// Both are exact, so the instants are equal to the nanosecond and the rates to the bit, whatever happens.
TEST(Network, IsPlainProgressiveFilling) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Duel duel(seed);
    for (int i = 0; i < 200; ++i) {
      duel.step();
      ASSERT_NO_FATAL_FAILURE(duel.compare()) << "seed " << seed << ", step " << i;
    }
  }
}

}  // namespace
}  // namespace godwit::models
