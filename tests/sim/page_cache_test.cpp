#include <gtest/gtest.h>

#include "tests/support/scenario.h"
#include "tests/support/strategy.h"

// Clean copies of what a disk has, which a guest that moves itself may give up.
namespace godwit {
namespace {

using namespace std::chrono_literals;
using sim::MigrationResult;
using sim::Status;
using test::cpu_of;
using test::kMiB;
using test::migrate;

sim::RunOptions quarter_cached(const char* page_cache) {
  return test::quarter_of(sim::PageKind::kPageCache, {{"name", "self-migration"}, {"page_cache", page_cache}});
}

TEST(PageCache, IsSentOrDropped) {
  const MigrationResult sent = migrate(quarter_cached("send"));
  EXPECT_EQ(sent.normal, Pages{16'384});
  EXPECT_EQ(sent.dropped, Pages{0});
  const MigrationResult dropped = migrate(quarter_cached("drop"));
  EXPECT_EQ(dropped.status, Status::kCompleted);
  EXPECT_TRUE(dropped.verified);
  EXPECT_EQ(dropped.normal, Pages{12'288});
  EXPECT_EQ(dropped.free, Pages{4'096});
  EXPECT_EQ(dropped.dropped, Pages{4'096});
}

// A guest that is half page cache and free pages sends the other half where both are left out. Each page is left out once.
TEST(PageCache, IsFreeOnceDropped) {
  sim::RunOptions run = quarter_cached("drop");
  run.guests[0].pages.push_back({.kind = sim::PageKind::kFree, .share = kWhole / 4});
  EXPECT_EQ(migrate(run).normal, Pages{12'288});
  for (const core::FreePages left_out : {core::FreePages::kSkipped, core::FreePages::kBallooned}) {
    run.migrations[0].strategy.plan.free_pages = left_out;
    const MigrationResult both = migrate(run);
    EXPECT_TRUE(both.verified);
    EXPECT_EQ(both.normal, Pages{8'192});
    EXPECT_EQ(both.free, Pages{8'192});
    EXPECT_EQ(both.dropped, Pages{4'096});
  }
}

// 16 MiB at 860 ms a GiB: a 64th of that. To find out, 64 MiB are scanned: a 16th of 1,600 us.
TEST(PageCache, CostsAScanAndReadingAgain) {
  sim::RunOptions run = quarter_cached("drop");
  const MigrationResult free_of_charge = migrate(run);
  EXPECT_EQ(free_of_charge.reread, Nanos{0});
  run.hosts[0].profile.free_scan_per_gib = 1'600us;
  run.hosts[0].profile.disk_read_per_gib = 99s;  // where it leaves
  run.hosts[1].profile.disk_read_per_gib = 860ms;
  const MigrationResult billed = migrate(run);
  EXPECT_EQ(billed.reread, Nanos{13'437'500});
  EXPECT_EQ(cpu_of(billed, sim::Activity::kHarvest) - cpu_of(free_of_charge, sim::Activity::kHarvest), 100us);
}

// The upper 512 pages are all written in the 10 s before the migration begins, at 100 a second: no disk has them.
TEST(PageCache, KeepsWhatWasWritten) {
  sim::RunOptions run = quarter_cached("drop");
  run.guests[0].workload = {
      .kind = workloads::Kind::kSequential, .write_rate = 100, .memory = Bytes{2 * kMiB}, .at = Bytes{62 * kMiB}};
  run.migrations[0].at = 10s;
  const MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, Status::kCompleted);
  EXPECT_TRUE(r.verified);
  EXPECT_EQ(r.dropped, Pages{3'584});
  EXPECT_GE(r.normal, Pages{12'800});
}

// Nothing of it is written before the migration begins, but all of the upper 512 pages within 0.1 s: they are dropped, and
// what was written is sent.
TEST(PageCache, SendsWhatIsWrittenOnceDropped) {
  sim::RunOptions run = quarter_cached("drop");
  run.guests[0].workload = {
      .kind = workloads::Kind::kSequential, .write_rate = 5'000, .memory = Bytes{2 * kMiB}, .at = Bytes{62 * kMiB}};
  const MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, Status::kCompleted);
  EXPECT_TRUE(r.verified);
  EXPECT_EQ(r.dropped, Pages{4'096});
  EXPECT_GE(r.normal, Pages{12'288 + 512});
}

// A migration that fails has dropped it all the same: the next one finds nothing.
TEST(PageCache, IsGoneWhereTheMigrationFails) {
  sim::RunOptions run = quarter_cached("drop");
  run.migrations.push_back(run.migrations[0]);
  run.migrations[1].at = 10s;
  run.events.push_back({.kind = sim::EventKind::kCancel, .at = 100ms});
  const sim::RunResult result = sim::run(run);
  ASSERT_EQ(result.migrations.size(), 2u);
  EXPECT_EQ(result.migrations[0].status, Status::kCancelled);
  EXPECT_EQ(result.migrations[0].dropped, Pages{4'096});
  EXPECT_EQ(result.migrations[1].status, Status::kCompleted);
  EXPECT_EQ(result.migrations[1].dropped, Pages{0});
  EXPECT_EQ(result.migrations[1].normal, Pages{16'384});
}

// With real contents what was dropped is zeroes where the guest comes to.
TEST(PageCache, OfRealBytesIsComparedButForWhatWasDropped) {
  sim::RunOptions run = quarter_cached("drop");
  run.guests[0].contents = sim::Contents::kBytes;
  const MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, Status::kCompleted);
  EXPECT_TRUE(r.verified);
  EXPECT_EQ(r.dropped, Pages{4'096});
}

}  // namespace
}  // namespace godwit
