#include <gtest/gtest.h>

#include <map>

#include "tests/support/scenario.h"

// What goes wrong on the way, and what becomes of the guest. At most one of it runs, always: the engine itself checks
// that whenever a guest is started.
namespace godwit {
namespace {

using namespace std::chrono_literals;
using sim::EventKind;
using sim::Home;
using sim::Status;
using test::migrate;
using test::plain_run;

constexpr Nanos kAll = 536'870'912ns;  // 64 MiB at 1 Gbit/s

sim::RunOptions run_with(const sim::EventOptions& event) {
  sim::RunOptions run = plain_run();
  run.links[0].latency = 50us;
  run.migrations[0].connection_timeout = 1s;
  run.events = {event};
  return run;
}

void expect_untouched(const sim::MigrationResult& r, Status status, const std::string& reason) {
  EXPECT_EQ(r.status, status);
  EXPECT_EQ(r.reason, reason);
  EXPECT_EQ(r.home, Home::kSource);
  EXPECT_EQ(r.downtime, 0ns);
}

TEST(Cancel, EndsTheMigrationWithinAPage) {
  const sim::MigrationResult r = migrate(run_with({.kind = EventKind::kCancel, .at = 100ms}));
  expect_untouched(r, Status::kCancelled, "");
  // 100 ms are 3,051.8 pages: the one on its way still goes.
  EXPECT_EQ(r.normal, Pages{3052});
  EXPECT_EQ(r.total_time, 3052 * 32768ns);
}

TEST(Cancel, ComesThroughWhileTheLinkIsDown) {
  sim::RunOptions run = run_with({.kind = EventKind::kLinkDown, .at = 100ms});
  run.migrations[0].connection_timeout = 1h;
  run.events.push_back({.kind = EventKind::kCancel, .at = 200ms});
  const sim::MigrationResult r = migrate(run);
  expect_untouched(r, Status::kCancelled, "");
  EXPECT_EQ(r.total_time, 200ms);
}

TEST(Cancel, AfterTheFenceComesTooLate) {
  const sim::MigrationResult r =
      migrate(run_with({.kind = EventKind::kCancel, .phase = core::Phase::kResume, .migration = 0}));
  EXPECT_EQ(r.status, Status::kCompleted);
}

TEST(LinkDown, ForAWhileIsADelay) {
  const sim::MigrationResult r = migrate(run_with({.kind = EventKind::kLinkDown, .at = 100ms, .lasts = 300ms}));
  EXPECT_EQ(r.status, Status::kCompleted);
  EXPECT_EQ(r.total_time, kAll + 300ms + 150us);
  EXPECT_TRUE(r.verified);
}

TEST(LinkDown, ForGoodBreaksTheConnection) {
  const sim::MigrationResult r = migrate(run_with({.kind = EventKind::kLinkDown, .at = 100ms}));
  expect_untouched(r, Status::kFailed, "link_broken");
  EXPECT_EQ(r.total_time, 1100ms);
}

TEST(LinkDown, WhileTheGuestIsStoppedThawsIt) {
  sim::RunOptions run = run_with({.kind = EventKind::kLinkDown, .at = 100ms});
  run.migrations[0].strategy.plan.live = false;
  const sim::MigrationResult r = migrate(run);
  expect_untouched(r, Status::kFailed, "link_broken");
  EXPECT_EQ(r.paused_total, 1100ms);
}

TEST(Bandwidth, ChangesTheRateAtOnce) {
  // Half is sent in half the time; the other half goes at half the rate.
  const sim::MigrationResult r =
      migrate(run_with({.kind = EventKind::kBandwidth, .at = kAll / 2, .bandwidth = {500'000'000}}));
  EXPECT_EQ(r.total_time, kAll / 2 + kAll + 150us);
}

TEST(Loss, TakesItsShareOfTheLink) {
  const sim::MigrationResult r = migrate(run_with({.kind = EventKind::kLoss, .at = 0ns, .loss = kWhole / 2}));
  EXPECT_EQ(r.total_time, kAll * 2 + 150us);
}

TEST(MemoryRefused, IsHeardBeforeMemoryIsSentTwice) {
  expect_untouched(migrate(run_with({.kind = EventKind::kMemoryRefused, .host = 1})), Status::kFailed,
                   "memory_refused");
}

TEST(Corrupt, IsNoticedAndRefused) {
  expect_untouched(migrate(run_with({.kind = EventKind::kCorrupt, .at = 100ms})), Status::kFailed, "corrupt_stream");
}

TEST(Corrupt, OfAShadowThawsTheGuest) {
  sim::RunOptions run = run_with({.kind = EventKind::kCorrupt, .phase = core::Phase::kShadow, .migration = 0});
  test::self_migrating(run);
  const sim::MigrationResult r = migrate(run);
  expect_untouched(r, Status::kFailed, "corrupt_stream");
  EXPECT_GT(r.paused_total, 0ns);
  for (const Nanos part : r.parts) EXPECT_EQ(part, 0ns);
}

TEST(HostCrash, OfTheDestinationLeavesTheGuestWhereItIs) {
  expect_untouched(migrate(run_with({.kind = EventKind::kHostCrash, .at = 100ms, .host = 1})), Status::kFailed,
                   "destination_crashed");
}

TEST(HostCrash, OfTheSourceLosesTheGuest) {
  const sim::MigrationResult r = migrate(run_with({.kind = EventKind::kHostCrash, .at = 100ms, .host = 0}));
  EXPECT_EQ(r.status, Status::kLost);
  EXPECT_EQ(r.home, Home::kNowhere);
  EXPECT_EQ(r.total_time, 100ms);
}

// Every 2.5 us around READY, fence and COMMIT, for a guest that is moved and one that moves itself.
class AroundTheCommit : public testing::TestWithParam<bool> {
 protected:
  /// How often each way of ending came out of `event` at 200 instants.
  std::map<Status, int> outcomes(sim::EventOptions event) const {
    sim::RunOptions run = run_with(event);
    if (GetParam()) test::self_migrating(run);
    run.events.clear();
    const Nanos over = migrate(run).total_time;
    std::map<Status, int> counts;
    for (int i = 0; i < 200; ++i) {
      event.at = over - 400us + i * 2500ns;
      run.events = {event};
      const sim::MigrationResult r = migrate(run);
      ++counts[r.status];
      switch (r.status) {
        case Status::kCompleted:
          EXPECT_EQ(r.home, Home::kDestination);
          EXPECT_TRUE(r.verified);
          break;
        case Status::kFailed: EXPECT_EQ(r.home, Home::kSource); break;
        default: EXPECT_EQ(r.home, Home::kNowhere); break;
      }
    }
    return counts;
  }
};

TEST_P(AroundTheCommit, ACutLinkLeavesOneGuestOrAnHonestDoubt) {
  const auto counts = outcomes({.kind = EventKind::kLinkDown});
  // From READY's arrival and the fence on, COMMIT is under way for 50 us: 20 instants, give or take the ends.
  EXPECT_NEAR(counts.at(Status::kInDoubt), 20, 1);
  EXPECT_NEAR(counts.at(Status::kCompleted), 40, 1);
  EXPECT_EQ(counts.at(Status::kFailed) + counts.at(Status::kInDoubt) + counts.at(Status::kCompleted), 200);
}

TEST_P(AroundTheCommit, ACrashOfTheDestinationAfterTheFenceLosesTheGuest) {
  const auto counts = outcomes({.kind = EventKind::kHostCrash, .host = 1});
  EXPECT_NEAR(counts.at(Status::kLost), 20, 1);
  EXPECT_EQ(counts.count(Status::kInDoubt), 0u);
}

TEST_P(AroundTheCommit, ACrashOfTheSourceAfterTheFenceDoesNotMatter) {
  const auto counts = outcomes({.kind = EventKind::kHostCrash, .host = 0});
  EXPECT_NEAR(counts.at(Status::kCompleted), 60, 1);
  EXPECT_EQ(counts.at(Status::kCompleted) + counts.at(Status::kLost), 200);
}

TEST_P(AroundTheCommit, ACancelAtAnyInstantLeavesTheGuestHereOrComesTooLate) {
  sim::RunOptions run = run_with({});
  run.events.clear();
  if (GetParam()) test::self_migrating(run);
  run.guests[0].memory = {4 * test::kMiB};
  run.guests[0].contents = sim::Contents::kBytes;
  const Nanos over = migrate(run).total_time;
  int cancelled = 0;
  for (int i = 0; i < 60; ++i) {
    run.events = {{.kind = EventKind::kCancel, .at = over * i / 60}};
    const sim::MigrationResult r = migrate(run);
    cancelled += r.status == Status::kCancelled ? 1 : 0;
    EXPECT_TRUE(r.status == Status::kCancelled || r.verified);
    EXPECT_EQ(r.home, r.status == Status::kCancelled ? Home::kSource : Home::kDestination);
  }
  EXPECT_GT(cancelled, 50);
}

INSTANTIATE_TEST_SUITE_P(MovedAndMovingItself, AroundTheCommit, testing::Bool());

}  // namespace
}  // namespace godwit
