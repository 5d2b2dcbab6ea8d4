#include <gtest/gtest.h>

#include "tests/support/scenario.h"

// A page's mark in the log is forgotten only where the page is sent after that, whatever the order and the chunks.
namespace godwit {
namespace {

sim::RunOptions written_all_over() {
  sim::RunOptions run = test::plain_run();
  run.guests[0].workload = {.kind = workloads::Kind::kUniform, .write_rate = 20000};
  core::Plan& plan = run.migrations[0].strategy.plan;
  plan.stop = {.budget = false, .rounds_max = 4};
  plan.clear = core::ClearRule::kPerChunk;
  return run;
}

TEST(ClearPerChunk, LosesNoWriteInAnyOrder) {
  for (const core::PageOrder order :
       {core::PageOrder::kAscending, core::PageOrder::kRotated, core::PageOrder::kBubble}) {
    for (const std::uint64_t chunk : {64u, 512u, 8192u, 262144u}) {
      for (const std::uint64_t batch : {0u, 2u, 300u}) {
        sim::RunOptions run = written_all_over();
        core::Plan& plan = run.migrations[0].strategy.plan;
        plan.order = order;
        plan.clear_chunk = {chunk};
        plan.batch = {batch};
        const sim::MigrationResult r = test::migrate(run);
        EXPECT_EQ(r.status, sim::Status::kCompleted);
        EXPECT_TRUE(r.verified) << "chunks of " << chunk << " pages, records of " << batch;
      }
    }
  }
}

}  // namespace
}  // namespace godwit
