#include "sim/event_queue.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <tuple>

#include "models/prng.h"

namespace godwit::sim {
namespace {

TEST(EventQueue, InstantThenLaneThenOrderOfScheduling) {
  EventQueue queue;
  std::string happened;
  const auto push = [&](std::int64_t at, Lane lane, char name) {
    queue.push(Nanos{at}, lane, [&happened, name] { happened += name; });
  };
  push(7, Lane::kFault, 'f');
  push(5, Lane::kStart, 'd');
  push(5, Lane::kFault, 'a');
  push(5, Lane::kCore, 'b');
  push(5, Lane::kCore, 'c');
  push(6, Lane::kStart, 'e');
  EXPECT_EQ(queue.size(), 6u);
  while (!queue.empty()) queue.pop()();
  EXPECT_EQ(happened, "abcdef");
}

TEST(EventQueue, AnEventMayBeScheduledForThePresentAndForNever) {
  EventQueue queue;
  EXPECT_EQ(queue.first_at(), kNever);
  queue.push(Nanos{5}, Lane::kStart, [] {});
  queue.push(kNever, Lane::kCore, [] {});
  queue.pop();
  queue.push(Nanos{5}, Lane::kFault, [] {});
  EXPECT_EQ(queue.first_at(), Nanos{5});
  queue.pop();
  EXPECT_EQ(queue.first_at(), kNever);
  EXPECT_FALSE(queue.empty());
  queue.pop();
  EXPECT_TRUE(queue.empty());
}

// The oracle is a sorted map; times far apart and close together, many of them equal.
TEST(EventQueue, IsASortedMap) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    models::Stream random(seed, 1, 1, 1);
    EventQueue queue;
    std::map<std::tuple<Nanos, Lane, int>, int> model;
    Nanos now{0};
    int taken = -1;
    for (int i = 0; i < 2000; ++i) {
      if (random.below(5) < 3 || model.empty()) {
        const Nanos at = now + Nanos{static_cast<std::int64_t>(random.next() >> (24 + random.below(40)))};
        const auto lane = static_cast<Lane>(random.below(4));
        queue.push(at, lane, [&taken, i] { taken = i; });
        model.emplace(std::tuple(at, lane, i), i);
      } else {
        now = std::get<Nanos>(model.begin()->first);
        ASSERT_EQ(queue.first_at(), now);
        queue.pop()();
        ASSERT_EQ(taken, model.begin()->second);
        model.erase(model.begin());
      }
      ASSERT_EQ(queue.size(), model.size());
    }
  }
}

}  // namespace
}  // namespace godwit::sim
