#include <gtest/gtest.h>

#include "tests/support/scenario.h"
#include "tests/support/strategy.h"

// Pages that nobody in the guest uses: known exactly by a guest that moves itself, hinted at in blocks of 4 MiB to QEMU.
namespace godwit {
namespace {

using namespace std::chrono_literals;
using sim::MigrationResult;
using sim::Status;
using test::cpu_of;
using test::kMiB;
using test::migrate;

sim::RunOptions quarter_free(const scenarios::Json& strategy) {
  return test::quarter_of(sim::PageKind::kFree, strategy);
}

scenarios::Json self(const char* free_pages) { return {{"name", "self-migration"}, {"free_pages", free_pages}}; }

TEST(FreePages, AreLeftOutByAGuestThatMovesItself) {
  const MigrationResult sent = migrate(quarter_free(self("send")));
  EXPECT_EQ(sent.normal, Pages{16'384});
  EXPECT_EQ(sent.free, Pages{0});
  const MigrationResult skipped = migrate(quarter_free(self("skip")));
  EXPECT_EQ(skipped.status, Status::kCompleted);
  EXPECT_TRUE(skipped.verified);
  EXPECT_EQ(skipped.normal, Pages{12'288});
  EXPECT_EQ(skipped.free, Pages{4'096});
}

// Of the free pages the uppermost 512 are written before the end of the first round: they are in use from then on, and go.
TEST(FreePages, AreSentOnceTheyAreWritten) {
  sim::RunOptions run = quarter_free(self("skip"));
  run.guests[0].workload = {
      .kind = workloads::Kind::kSequential, .write_rate = 5'000, .memory = Bytes{2 * kMiB}, .at = Bytes{62 * kMiB}};
  const MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, Status::kCompleted);
  EXPECT_TRUE(r.verified);
  EXPECT_GE(r.normal, Pages{12'288 + 512});
  EXPECT_EQ(r.free, Pages{4'096});
}

// What is scanned is billed: 1 GiB takes 1,400 us, 64 MiB a sixteenth of that, in each of two rounds and the scan when it is frozen.
TEST(FreePages, CostTheGuestAScan) {
  sim::RunOptions run = quarter_free(self("skip"));
  const MigrationResult free_of_charge = migrate(run);
  run.hosts[0].profile.free_scan_per_gib = 1'400us;
  const MigrationResult billed = migrate(run);
  EXPECT_EQ(cpu_of(billed, sim::Activity::kHarvest) - cpu_of(free_of_charge, sim::Activity::kHarvest),
            Nanos{87'500} * static_cast<std::int64_t>(billed.iterations.size()));
}

TEST(FreePages, AreNotAnnouncedAsMissing) {
  sim::RunOptions run = quarter_free({{"name", "post-copy"}});
  run.migrations[0].strategy.plan.free_pages = core::FreePages::kSkipped;
  const MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, Status::kCompleted);
  EXPECT_TRUE(r.verified);
  EXPECT_EQ(r.normal, Pages{12'288});
}

scenarios::Json hinting() {
  return {{"name", "qemu-10"}, {"free_page_hinting", "on"}, {"zero_page_detection", "none"}};
}

// Four whole blocks of 1,024 pages.
TEST(FreePageHinting, LeavesOutWholeBlocks) {
  const MigrationResult r = migrate(quarter_free(hinting()));
  EXPECT_EQ(r.status, Status::kCompleted);
  EXPECT_TRUE(r.verified);
  EXPECT_EQ(r.free, Pages{4'096});
  EXPECT_EQ(r.normal, Pages{12'288});
}

// 17 MiB from 46.5 MiB on: blocks at 48, 52 and 56 MiB lie in it, those at 44 and 60 MiB in part.
TEST(FreePageHinting, KnowsNothingOfParts) {
  sim::RunOptions run = quarter_free(hinting());
  run.guests[0].pages = {{.kind = sim::PageKind::kFree, .share = kWhole / 64 * 17, .at = Bytes{46 * kMiB + kMiB / 2}}};
  EXPECT_EQ(migrate(run).free, Pages{3 * 1'024});
}

// What was left out once is not reported by a log again that is cleared chunk by chunk.
TEST(FreePageHinting, IsNotUndoneByTheNextRead) {
  sim::RunOptions run = quarter_free(hinting());
  run.guests[0].workload = {.kind = workloads::Kind::kUniform, .write_rate = 2'000, .memory = Bytes{16 * kMiB}};
  const MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, Status::kCompleted);
  EXPECT_TRUE(r.verified);
  EXPECT_GT(r.dirty_syncs, 2u);
  EXPECT_EQ(r.free, Pages{4'096});
}

// A block takes a second to tell of, and the memory a little more than half of one to send.
TEST(FreePageHinting, ComesTooLateForWhatHasBeenSent) {
  sim::RunOptions run = quarter_free(hinting());
  run.hosts[0].profile.free_block = 1s;
  const MigrationResult r = migrate(run);
  EXPECT_EQ(r.free, Pages{0});
  EXPECT_EQ(r.normal, Pages{16'384});
}

TEST(FreePageHinting, DoesNothingWherePostCopyIsOn) {
  scenarios::Json strategy = hinting();
  strategy["postcopy"] = "on";
  EXPECT_EQ(migrate(quarter_free(strategy)).free, Pages{0});
}

// What is given to the balloon is gone before the first round, in 4,096 pages x 2,250 ns = 9,216 us, and not asked for again.
// The plain run has no other cost.
TEST(Ballooning, TakesItsTimeBeforeTheFirstRound) {
  sim::RunOptions run = quarter_free(self("balloon"));
  const MigrationResult at_no_cost = migrate(run);
  EXPECT_EQ(at_no_cost.status, Status::kCompleted);
  EXPECT_TRUE(at_no_cost.verified);
  EXPECT_EQ(at_no_cost.normal, Pages{12'288});
  EXPECT_EQ(at_no_cost.free, Pages{4'096});
  ASSERT_FALSE(at_no_cost.iterations.empty());
  EXPECT_EQ(at_no_cost.iterations[0].round.free, Pages{4'096});

  run.hosts[0].profile.balloon_page = 2250ns;
  const MigrationResult billed = migrate(run);
  EXPECT_EQ(billed.free, Pages{4'096});
  EXPECT_EQ(billed.total_time - at_no_cost.total_time, 9216us);
  EXPECT_EQ(billed.setup_time - at_no_cost.setup_time, 9216us);
  EXPECT_EQ(cpu_of(billed, sim::Activity::kTrack) - cpu_of(at_no_cost, sim::Activity::kTrack), 9216us);
}

// Of the free pages the uppermost 512 are all written within 0.1 s, at 5,000 a second. Where the balloon takes 4,096 pages x 1 ms
// they are in use before it comes to an end, and never in it; where it takes no time they come back from it, and go.
TEST(Ballooning, SendsWhatIsWrittenMeanwhileAndLater) {
  sim::RunOptions run = quarter_free(self("balloon"));
  run.guests[0].workload = {
      .kind = workloads::Kind::kSequential, .write_rate = 5'000, .memory = Bytes{2 * kMiB}, .at = Bytes{62 * kMiB}};
  const MigrationResult at_once = migrate(run);
  EXPECT_TRUE(at_once.verified);
  EXPECT_EQ(at_once.free, Pages{4'096});
  EXPECT_GE(at_once.normal, Pages{12'288 + 512});
  run.hosts[0].profile.balloon_page = 1ms;
  const MigrationResult slow = migrate(run);
  EXPECT_TRUE(slow.verified);
  EXPECT_EQ(slow.free, Pages{4'096 - 512});
  EXPECT_GE(slow.normal, Pages{12'288 + 512});
}

// Clark's rate law grants what was allowed and not sent: not the time of the balloon.
TEST(Ballooning, IsNoTimeInWhichSendingWasAllowed) {
  for (const char* name : {"clark05", "xen"}) {
    sim::RunOptions run = quarter_free({{"name", name}, {"balloon", "on"}});
    const MigrationResult at_no_cost = migrate(run);
    run.hosts[0].profile.balloon_page = 2250ns;
    const MigrationResult billed = migrate(run);
    EXPECT_TRUE(billed.verified);
    EXPECT_EQ(billed.free, Pages{4'096}) << name;
    EXPECT_EQ(billed.normal, Pages{12'288}) << name;
    EXPECT_EQ(billed.total_time - at_no_cost.total_time, 9216us) << name;
  }
}

// With real contents the free pages are zeroes at the destination, and the guest goes on from there: the second migration finds
// them so.
TEST(FreePages, OfRealBytesAreZeroesWhereTheGuestComesTo) {
  sim::RunOptions run = quarter_free(self("skip"));
  run.guests[0].contents = sim::Contents::kBytes;
  sim::MigrationOptions back = test::migration_by({{"name", "qemu-10"}});
  back.to = 0;
  back.at = 10s;
  run.migrations.push_back(back);
  const sim::RunResult result = sim::run(run);
  ASSERT_EQ(result.migrations.size(), 2u);
  for (const MigrationResult& each : result.migrations) {
    EXPECT_EQ(each.status, Status::kCompleted) << each.reason;
    EXPECT_TRUE(each.verified);
  }
  EXPECT_EQ(result.migrations[1].duplicate, Pages{4'096});
}

}  // namespace
}  // namespace godwit
