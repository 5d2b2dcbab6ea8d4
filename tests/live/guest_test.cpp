// A guest with threads of its own moves itself, and is moved from outside, to another process where it goes on.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "live/trial.h"

namespace godwit::test {
namespace {

using namespace std::chrono_literals;
using live::Trial;
using live::Way;

class Guests : public testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    if (const auto why = live::guests_unsupported()) GTEST_SKIP() << *why;
  }
};

core::Plan limited(std::uint64_t bits_per_second, Nanos downtime) {
  core::Plan plan;
  plan.stop.downtime_max = downtime;
  plan.stop.rounds_max = 12;
  plan.rate = bits_per_second > 0 ? core::RateLaw::kFixed : core::RateLaw::kUnlimited;
  plan.rate_max = {bits_per_second};
  plan.limit_stop_phase = true;
  return plan;
}

/// How far it came, where it was not to its end.
std::string how_far(const live::TrialFigures& told) {
  return "ready " + std::to_string(told.ready) + ", departed " + std::to_string(told.departure.over) + " (phase " +
         std::to_string(static_cast<int>(told.departure.figures.phase)) + ", " + told.departure.refused.data() +
         "), arrived " + std::to_string(told.arrival.over) + ", client over " + std::to_string(told.client.over) +
         ", answers " + std::to_string(told.client.answers);
}

std::string how_it_ended(const live::Departure& departure) {
  if (!departure.admitted) return departure.refused.data();
  return live::explain(departure.outcome, departure.trouble, departure.refusal);
}

/// All that must hold after a move that succeeded.
void expect_moved(const Trial& trial) {
  const live::TrialFigures& told = trial.figures();
  ASSERT_TRUE(told.departure.completed()) << how_it_ended(told.departure);
  EXPECT_GT(told.arrival.runs_at, Nanos{0});
  EXPECT_EQ(trial.pages_that_differ(), 0u);
  EXPECT_EQ(told.unsound, 0u);
  EXPECT_TRUE(told.client.reached);
  EXPECT_GT(told.client.keys, 0u);
  EXPECT_EQ(told.client.lost, 0u);
  EXPECT_EQ(told.client.moves, 1u);
}

TEST_P(Guests, GoOnInAnotherProcessWithAllTheyHad) {
  Trial trial({.way = GetParam(),
               .guest = {.writers = 3, .write_rate = 20'000, .hot_pages = 300, .hot_share = kWhole / 10 * 9},
               .plan = limited(2'000'000'000, 20ms)});
  ASSERT_TRUE(trial.happen()) << how_far(trial.figures());
  expect_moved(trial);
  const live::TrialFigures& told = trial.figures();
  EXPECT_GE(told.writes_after, told.writes_before + 20) << "the writers have not gone on";
  EXPECT_GE(told.departure.figures.rounds, 2u);
  if (GetParam() == Way::kByItself) {
    EXPECT_GT(told.departure.shadow, Pages{0});
    EXPECT_GT(told.departure.sender, Pages{0});
  }
}

// What sending dirties is sent as well, so a checkpoint of memory as it is then is of no single instant. The guest may
// even go on: what is wrong is the migration's own memory.
TEST_P(Guests, WithoutItsShadowAGuestArrivesWrong) {
  if (GetParam() == Way::kManaged) GTEST_SKIP() << "who sends from outside dirties nothing inside";
  Trial trial({.way = GetParam(),
               .guest = {.pages = 2048, .write_rate = 5'000},
               .plan = limited(2'000'000'000, 20ms),
               .without_shadow = true});
  trial.happen();
  ASSERT_TRUE(trial.figures().departure.completed()) << how_it_ended(trial.figures().departure);
  EXPECT_GT(trial.pages_that_differ(), 0u);
}

// GODWIT_MOVES=1000 for the long version, GODWIT_MOVE_PAGES=65536 for guests up to 256 MiB.
TEST_P(Guests, ArriveWholeTimeAndAgain) {
  const auto number = [](const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
  };
  std::mt19937_64 engine(number("GODWIT_MOVE_SEED", 20260101));
  const std::uint64_t moves = number("GODWIT_MOVES", 5);
  const std::uint64_t pages_max = number("GODWIT_MOVE_PAGES", 8192);
  const std::uint64_t pages_min = number("GODWIT_MOVE_PAGES_MIN", 512);
  for (std::uint64_t i = 0; i < moves && !HasFailure(); ++i) {
    live::GuestOptions guest{.pages = pages_min + engine() % (pages_max - pages_min + 1),
                             .writers = 1 + static_cast<std::uint32_t>(engine() % 4),
                             .write_rate = engine() % 60'000,
                             .hot_share = kWhole / 100 * (engine() % 101),
                             .seed = engine()};
    guest.hot_pages = 16 + engine() % (guest.pages / 2);
    const std::uint64_t rate = engine() % 3 == 0 ? 0 : 1'000'000'000 * (1 + engine() % 16);
    SCOPED_TRACE(testing::Message() << "move " << i << ": " << guest.pages << " pages, " << guest.write_rate
                                    << " writes/s, hot " << guest.hot_pages << ", rate " << rate);
    Trial trial({.way = GetParam(),
                 .guest = guest,
                 .plan = limited(rate, 20ms),
                 .warm_up = 1ms,
                 .stall_max = 100s,
                 .patience = 200s,
                 .tcp = i % 2 == 0});
    ASSERT_TRUE(trial.happen()) << how_far(trial.figures());
    expect_moved(trial);
  }
}

INSTANTIATE_TEST_SUITE_P(Live, Guests, testing::Values(Way::kByItself, Way::kManaged),
                         [](const auto& way) { return way.param == Way::kByItself ? "ByItself" : "Managed"; });

}  // namespace
}  // namespace godwit::test
