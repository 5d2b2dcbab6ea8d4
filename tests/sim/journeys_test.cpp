#include <gtest/gtest.h>

#include "tests/support/scenario.h"

// Guests that migrate more than once, and what becomes of a migration whose guest is not where it was expected.
namespace godwit {
namespace {

using namespace std::chrono_literals;
using sim::EventKind;
using sim::Home;
using sim::MigrationResult;
using sim::Status;

constexpr Nanos kAll = 536'870'912ns;  // 64 MiB at 1 Gbit/s

/// An idle guest that is to go from a to b, and 1 ms later from there to `to`.
sim::RunOptions two_moves(std::uint32_t to) {
  sim::RunOptions run = test::plain_run();
  run.hosts.resize(3);
  run.hosts[2].name = "c";
  run.links.push_back({.from = 1, .to = 2, .bandwidth = {1'000'000'000}, .latency = Nanos{0}});
  run.migrations.push_back(run.migrations[0]);
  run.migrations[1].to = to;
  run.migrations[1].at = 1ms;
  return run;
}

TEST(Journeys, OneMoveOfAGuestWaitsForTheOther) {
  const sim::RunResult r = sim::run(two_moves(2));
  EXPECT_EQ(r.migrations[0].total_time, kAll);
  EXPECT_EQ(r.migrations[1].requested_at, kAll);
  EXPECT_EQ(r.migrations[1].source, "b");
  for (const MigrationResult& each : r.migrations) EXPECT_TRUE(each.verified);
}

TEST(Journeys, WhoWaitsForItsGuestDoesNotKeepOthersWaiting) {
  sim::RunOptions run = two_moves(2);
  run.max_parallel = 2;
  run.guests.push_back(run.guests[0]);
  run.guests[1].name = "h";
  run.guests[1].host = 1;
  run.migrations.push_back(run.migrations[0]);
  run.migrations[2].guest = 1;
  run.migrations[2].to = 2;
  run.migrations[2].at = 2ms;
  const sim::RunResult r = sim::run(run);
  EXPECT_EQ(r.migrations[2].requested_at, 2ms);
  EXPECT_EQ(r.migrations[1].requested_at, kAll);
}

TEST(Journeys, AGuestThatIsThereAlreadyStays) {
  sim::RunOptions run = two_moves(0);
  run.events = {{.kind = EventKind::kCancel, .at = 100ms}};
  const sim::RunResult r = sim::run(run);
  EXPECT_EQ(r.migrations[0].status, Status::kCancelled);
  EXPECT_EQ(r.migrations[1].status, Status::kFailed);
  EXPECT_EQ(r.migrations[1].reason, "already_there");
  EXPECT_EQ(r.migrations[1].home, Home::kSource);
  EXPECT_EQ(r.migrations[1].total_time, 0ns);
}

TEST(Journeys, AGuestThatIsGoneDoesNotMove) {
  sim::RunOptions run = two_moves(2);
  run.links[0].latency = 1ms;
  // END and READY take 2 ms; COMMIT is under way.
  run.events = {{.kind = EventKind::kHostCrash, .at = kAll + 2500us, .host = 1}};
  const sim::RunResult r = sim::run(run);
  EXPECT_EQ(r.migrations[0].status, Status::kLost);
  EXPECT_EQ(r.migrations[0].reason, "destination_crashed");
  EXPECT_EQ(r.migrations[1].status, Status::kLost);
  EXPECT_EQ(r.migrations[1].reason, "guest_gone");
  EXPECT_EQ(r.migrations[1].home, Home::kNowhere);
}

// Whenever the sharing of the links changes, flows are planned anew: not that of a guest that is no more.
TEST(Journeys, WhatWasOnItsWayFromACrashedHostStaysThere) {
  sim::RunOptions run = two_moves(2);
  run.guests.push_back(run.guests[0]);
  run.guests[1].name = "h";
  run.guests[1].host = 2;
  run.migrations[1] = run.migrations[0];
  run.migrations[1].guest = 1;
  run.events = {{.kind = EventKind::kHostCrash, .at = 100ms, .host = 0}};
  const sim::RunResult r = sim::run(run);
  EXPECT_EQ(r.migrations[0].status, Status::kLost);
  EXPECT_EQ(r.migrations[0].total_time, 100ms);
  EXPECT_EQ(r.migrations[1].status, Status::kCompleted);
  EXPECT_EQ(r.migrations[1].total_time, kAll);
}

}  // namespace
}  // namespace godwit
