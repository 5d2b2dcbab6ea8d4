// The core moves real memory to another process over a socket, while threads write it.
#include "tests/live/migration.h"

namespace godwit::test {
namespace {

using Migrate = EveryTracking;

TEST_P(Migrate, AllPagesAreThereAsTheyWereWhenTheGuestWasStopped) {
  Region region(4096);
  live::Freezer freezer;
  for (PageIndex page = 0; page < 3000; ++page) region.write(page, static_cast<std::uint8_t>(page | 1));
  const live::Token token = live::Token::random();
  DestinationProcess destination(token, {});
  Writers writers(region, freezer, 3, 20'000, 3000, 100, 1);  // the pages above stay zero
  core::Plan plan;
  plan.stop = {.budget = false, .rounds_max = 5};
  plan.detect_zero = true;
  // However little of the processors this test gets, something is written between two rounds.
  const auto some_writes = [&] {
    const std::uint64_t wanted = writers.writes() + 100;
    const Nanos until = live::monotonic_now() + 60s;
    while (writers.writes() < wanted && live::monotonic_now() < until) live::sleep_until(live::monotonic_now() + 1ms);
  };
  const Sent sent = send(region, freezer, GetParam(), plan, destination.address(), token, 60s, some_writes);
  ASSERT_EQ(sent.outcome, core::Outcome::kCompleted) << live::explain(sent.outcome, sent.trouble, sent.refusal);
  destination.join();
  EXPECT_TRUE(destination.seen().runs);
  EXPECT_EQ(pages_that_differ(region, destination.seen().hashes), 0u);
  EXPECT_GE(sent.figures.rounds, 3u);
  EXPECT_EQ(sent.figures.kept[0].zero.value, 1096u);
  std::uint64_t later = 0;
  for (unsigned i = 1; i < sent.figures.rounds; ++i) later += sent.figures.kept[i].sent.value;
  EXPECT_GT(later, 0u) << "nothing was written meanwhile: this shows nothing";
  freezer.thaw();
}

// The comparison above can fail: a page that is written after the stop is seen.
TEST_P(Migrate, APageThatDiffersIsSeen) {
  Region region(64);
  live::Freezer freezer;
  const live::Token token = live::Token::random();
  DestinationProcess destination(token, {});
  ASSERT_EQ(send(region, freezer, GetParam(), {}, destination.address(), token).outcome, core::Outcome::kCompleted);
  destination.join();
  EXPECT_EQ(pages_that_differ(region, destination.seen().hashes), 0u);
  region.write(17, 1);
  EXPECT_EQ(pages_that_differ(region, destination.seen().hashes), 1u);
}

INSTANTIATE_TEST_SUITE_P(Live, Migrate, testing::Values(live::Tracking::kAsynchronous, live::Tracking::kProtection),
                         tracking_name);

}  // namespace
}  // namespace godwit::test
