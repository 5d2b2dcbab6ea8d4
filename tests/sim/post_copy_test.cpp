#include <gtest/gtest.h>

#include <map>

#include "tests/support/scenario.h"

// Hosts cost nothing and pages have no header: a page takes 32,768 ns at 1 Gbit/s.
namespace godwit {
namespace {

using namespace std::chrono_literals;
using sim::EventKind;
using sim::Home;
using sim::Status;
using test::migrate;

constexpr Nanos kPage = 32768ns;

sim::RunOptions post_copy_run() {
  sim::RunOptions run = test::plain_run();
  run.links[0].latency = 1ms;
  run.guests[0].vcpus = 1;
  core::Plan& plan = run.migrations[0].strategy.plan;
  plan.live = false;
  plan.switch_over = core::Switch::kPostCopy;
  plan.order = core::PageOrder::kBubble;
  return run;
}

TEST(PostCopy, OfAnIdleGuestPushesEveryPageOnceAndIsDownForTheCommitOnly) {
  const sim::MigrationResult r = migrate(post_copy_run());
  EXPECT_EQ(r.status, Status::kCompleted);
  EXPECT_EQ(r.home, Home::kDestination);
  EXPECT_TRUE(r.verified);
  EXPECT_EQ(r.downtime, 3ms);  // END forth, READY back, COMMIT forth
  EXPECT_EQ(r.normal, Pages{16384});
  EXPECT_EQ(r.postcopy, Bytes{64 * test::kMiB});
  EXPECT_EQ(r.postcopy_requests, 0u);
  // After READY's arrival at 2 ms: all pages, ALL SENT forth, the answer back.
  EXPECT_EQ(r.total_time, 2ms + kPage * 16384 + 2ms);
}

// A writer that sweeps from the first page on meets a page that is not there at its first write, 1 ms after its start, at
// 4 ms: by then page 0, pushed first, has been there since 2 ms + a page + 1 ms. With the push limited to next to nothing
// every page of the sweep is asked for: request 1 ms, page, 1 ms back.
TEST(PostCopy, AFaultTakesARoundTripAndItsPage) {
  sim::RunOptions run = post_copy_run();
  run.guests[0].workload = {.kind = workloads::Kind::kSequential, .write_rate = 1000, .memory = Bytes{8 * 4096}};
  run.migrations[0].strategy.plan.postcopy_rate_max = {1'000'000};  // a page in 32.768 ms, and cut short by requests
  run.migrations[0].strategy.plan.order = core::PageOrder::kAscending;
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, Status::kCompleted);
  EXPECT_TRUE(r.verified);
  // Each request cuts the unasked record that is on its way after the page that it is at, which is the sweep's next one:
  // that page is under way at 1 Mbit/s when it is asked for, so no fault waits longer than for it and the round trip.
  EXPECT_GT(r.postcopy_requests, 0u);
  EXPECT_LE(r.postcopy_requests, 8u);
  EXPECT_GE(r.postcopy_stall, (2ms + kPage) * static_cast<std::int64_t>(r.postcopy_requests));
  EXPECT_LE(r.postcopy_stall, (2ms + kPage + 33ms) * static_cast<std::int64_t>(r.postcopy_requests));
  EXPECT_EQ(r.work_lost, r.downtime + r.postcopy_stall);
}

TEST(PostCopy, AfterOneRoundSendsAgainOnlyWhatWasWritten) {
  sim::RunOptions run = post_copy_run();
  run.guests[0].workload = {.kind = workloads::Kind::kSequential, .write_rate = 2000};
  core::Plan& plan = run.migrations[0].strategy.plan;
  plan.live = true;
  plan.stop = {.budget = false, .rounds_max = 1};
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, Status::kCompleted);
  EXPECT_TRUE(r.verified);
  // 536.87 ms of round: 1,073 writes, all to distinct pages.
  EXPECT_EQ(r.postcopy, Bytes{1073 * 4096});
  EXPECT_EQ(r.normal, Pages{16384 + 1073});
}

sim::RunOptions busy_post_copy() {
  sim::RunOptions run = post_copy_run();
  run.guests[0].memory = {16 * test::kMiB};
  run.guests[0].vcpus = 2;
  run.guests[0].workload = {
      .kind = workloads::Kind::kMix,
      .parts = {
          {.kind = workloads::Kind::kHotSet, .write_rate = 4000, .hot_memory = {test::kMiB}, .hot_share = kWhole / 2},
          {.kind = workloads::Kind::kZipf, .write_rate = 2000, .exponent_millionths = 900'000}}};
  run.migrations[0].connection_timeout = 10ms;
  return run;
}

TEST(PostCopy, ALinkThatBreaksPausesItAndRecoveringGoesOn) {
  sim::RunOptions run = busy_post_copy();
  run.events = {{.kind = EventKind::kLinkDown, .at = 40ms, .lasts = 30ms}};
  const sim::MigrationResult paused = migrate(run);
  EXPECT_EQ(paused.status, Status::kPaused);
  EXPECT_EQ(paused.reason, "link_broken");
  EXPECT_EQ(paused.home, Home::kDestination);
  EXPECT_FALSE(paused.verified);
  run.events.push_back({.kind = EventKind::kRecover, .at = 60ms});  // too early: nothing
  EXPECT_EQ(migrate(run).status, Status::kPaused);
  run.events.push_back({.kind = EventKind::kRecover, .at = 90ms});
  for (const sim::Contents contents : {sim::Contents::kVersions, sim::Contents::kBytes}) {
    run.guests[0].contents = contents;
    const sim::MigrationResult r = migrate(run);
    EXPECT_EQ(r.status, Status::kCompleted);
    EXPECT_TRUE(r.verified);
  }
}

TEST(PostCopy, ADamagedRecordPausesItToo) {
  sim::RunOptions run = busy_post_copy();
  run.events = {{.kind = EventKind::kCorrupt, .at = 30ms}};
  EXPECT_EQ(migrate(run).status, Status::kPaused);
  run.events.push_back({.kind = EventKind::kRecover, .at = 300ms});
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, Status::kCompleted);
  EXPECT_TRUE(r.verified);
}

TEST(PostCopy, ADamagedCommitLeavesItInDoubt) {
  sim::RunOptions run = post_copy_run();
  run.events = {{.kind = EventKind::kCorrupt, .at = 2500us}};  // READY is in at 2 ms, COMMIT arrives at 3 ms
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, Status::kInDoubt);
  EXPECT_EQ(r.home, Home::kNowhere);
  EXPECT_EQ(r.total_time, 3ms);  // the destination hangs up: the source need not wait for an answer
}

TEST(PostCopy, WithNothingLeftAfterItsRoundIsOverWithTheCommit) {
  sim::RunOptions run = post_copy_run();
  core::Plan& plan = run.migrations[0].strategy.plan;
  plan.live = true;
  plan.stop = {.budget = false, .rounds_max = 1};
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, Status::kCompleted);
  EXPECT_TRUE(r.verified);
  EXPECT_EQ(r.postcopy, Bytes{0});
  EXPECT_EQ(r.total_time, kPage * 16384 + 3ms);
}

TEST(PostCopy, HasADowntimeOfWhichEachPartIsCountedOnce) {
  const sim::MigrationResult r = migrate(busy_post_copy());
  Nanos sum{0};
  for (const Nanos part : r.parts) sum += part;
  EXPECT_EQ(sum, r.downtime);
  EXPECT_EQ(r.downtime, 3ms);
}

TEST(PostCopy, ACrashOfEitherHostLosesTheGuest) {
  for (const std::uint32_t host : {0u, 1u}) {
    sim::RunOptions run = busy_post_copy();
    run.events = {{.kind = EventKind::kHostCrash, .at = 40ms, .host = host}};
    const sim::MigrationResult r = migrate(run);
    EXPECT_EQ(r.status, Status::kLost);
    EXPECT_EQ(r.home, Home::kNowhere);
  }
}

TEST(PostCopy, CannotBeCancelledOnceTheGuestHasLeft) {
  sim::RunOptions run = busy_post_copy();
  run.events = {{.kind = EventKind::kCancel, .at = 40ms}};
  EXPECT_EQ(migrate(run).status, Status::kCompleted);
}

// Whenever the link is cut, the guest runs in one place, or nowhere and that is said.
TEST(PostCopy, ALinkCutAtAnyInstantHasANamedEnd) {
  sim::RunOptions run = busy_post_copy();
  const Nanos over = migrate(run).total_time;
  std::map<Status, int> counts;
  for (int i = 0; i < 200; ++i) {
    run.events = {{.kind = EventKind::kLinkDown, .at = over * i / 200}};
    const sim::MigrationResult r = migrate(run);
    ++counts[r.status];
    if (r.status == Status::kFailed) {
      EXPECT_EQ(r.home, Home::kSource);
    }
    if (r.status == Status::kPaused) {
      EXPECT_EQ(r.home, Home::kDestination);
    }
    if (r.status == Status::kInDoubt) {
      EXPECT_EQ(r.home, Home::kNowhere);
    }
    if (r.status == Status::kCompleted) {
      EXPECT_TRUE(r.verified);
    }
  }
  EXPECT_GT(counts[Status::kFailed], 0);
  EXPECT_GT(counts[Status::kInDoubt], 0);
  EXPECT_GT(counts[Status::kPaused], 150);
  EXPECT_EQ(counts[Status::kFailed] + counts[Status::kInDoubt] + counts[Status::kPaused] + counts[Status::kCompleted],
            200);
}

}  // namespace
}  // namespace godwit
