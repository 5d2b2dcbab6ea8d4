#include "studies/work.h"

#include <gtest/gtest.h>

#include <vector>

namespace godwit::studies {
namespace {

using namespace std::chrono_literals;

sim::Iteration round(Nanos began, Nanos took, Nanos lost) {
  sim::Iteration iteration;
  iteration.round.began = began;
  iteration.round.took = took;
  iteration.work_lost = lost;
  return iteration;
}

// Asked for at 1 s: a round to 1.1 s, one from 1.12 to 1.2 s, and an end at 1.25 s. Of 60 ms, 10 and 20 are lost in them, so
// that 30 are left for the rest.
TEST(WorkOverTime, IsWithoutGapsAndSumsToWhatWasLost) {
  sim::MigrationResult migration;
  migration.requested_at = 1s;
  migration.total_time = 250ms;
  migration.work_lost = 60ms;
  migration.iterations = {round(1s, 100ms, 10ms), round(1120ms, 80ms, 20ms)};
  const std::vector<WorkStretch> all = work_over_time(migration);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].from, 0ms);
  EXPECT_EQ(all[0].to, 100ms);
  EXPECT_EQ(all[1].from, 100ms);
  EXPECT_EQ(all[1].to, 200ms);
  EXPECT_EQ(all[1].lost, 20ms);
  EXPECT_EQ(all[2].to, 250ms);
  EXPECT_EQ(all[2].lost, 30ms);
}

TEST(WorkOverTime, NeighboursArePutTogether) {
  std::vector<WorkStretch> all;
  for (int i = 0; i < 5; ++i) all.push_back({i * 1ms, (i + 1) * 1ms, 1us});
  const std::vector<WorkStretch> two = merged(all, 2);
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two[0].to, 3ms);
  EXPECT_EQ(two[0].lost, 3us);
  EXPECT_EQ(two[1].from, 3ms);
  EXPECT_EQ(two[1].to, 5ms);
  EXPECT_EQ(two[1].lost, 2us);
  EXPECT_EQ(merged(all, 5).size(), 5u);
  EXPECT_TRUE(merged({}, 5).empty());
}

}  // namespace
}  // namespace godwit::studies
