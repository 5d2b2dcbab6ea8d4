#include "base/page_set.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/support/pages.h"

namespace godwit {
namespace {

TEST(PageSet, BeginsEmptyWhateverItsMemoryHolds) {
  test::Pages pages(10000);
  EXPECT_EQ(pages.set.count(), Pages{0});
  EXPECT_FALSE(pages.set.contains(0));
  EXPECT_FALSE(pages.set.contains(9999));
}

TEST(PageSet, HoldsExactlyWhatWasFilled) {
  test::Pages pages(4096 + 100);
  pages.set.fill();
  EXPECT_EQ(pages.set.count(), Pages{4196});
  EXPECT_TRUE(pages.set.contains(4195));
  EXPECT_EQ(pages.set.word(65), (std::uint64_t{1} << 36) - 1);  // 4196 = 65 x 64 + 36
}

TEST(PageSet, SpellsAFullBlockOutWhenAPageLeavesIt) {
  test::Pages pages(8192);
  pages.set.fill();
  pages.set.remove(4100);
  EXPECT_EQ(pages.set.count(), Pages{8191});
  EXPECT_FALSE(pages.set.contains(4100));
  EXPECT_TRUE(pages.set.contains(4099));
  EXPECT_TRUE(pages.set.contains(4101));
}

TEST(PageSet, JoinsFullBlocksIntoOneRun) {
  test::Pages pages(4 * 4096);
  pages.set.add(PageRange{0, 3 * 4096});
  std::vector<PageRun> runs;
  pages.set.for_each_run(pages.set.all(), [&](const PageRun& run) { runs.push_back(run); });
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0], PageRun::solid(0, 3 * 4096));
}

TEST(PageSet, TellsWhatWasNew) {
  test::Pages pages(4096);
  EXPECT_EQ(pages.set.add_word(0, 0b0110), 0b0110u);
  EXPECT_EQ(pages.set.add_word(0, 0b0011), 0b0001u);
  EXPECT_EQ(pages.set.remove_word(0, 0b1100), 0b0100u);
  EXPECT_EQ(pages.set.count(), Pages{2});
}

// The oracle is std::set: every operation on both, then the same pages in both.
RC_GTEST_PROP(PageSet, AgreesWithASetOfNumbers, ()) {
  const auto size = *rc::gen::inRange<std::uint64_t>(1, 3 * 4096 + 7);
  test::Pages pages(size);
  std::set<PageIndex> model;
  const auto steps = *rc::gen::inRange(1, 40);
  for (int i = 0; i < steps; ++i) {
    const auto first = *rc::gen::inRange<std::uint64_t>(0, size);
    const auto count = *rc::gen::inRange<std::uint64_t>(1, size - first + 1);
    const auto range = PageRange{first, count};
    switch (*rc::gen::inRange(0, 6)) {
      case 0:
        pages.set.add(range);
        for (PageIndex p = first; p < range.end(); ++p) model.insert(p);
        break;
      case 1:
        pages.set.remove(range);
        for (PageIndex p = first; p < range.end(); ++p) model.erase(p);
        break;
      case 2:
        pages.set.add(first);
        model.insert(first);
        break;
      case 3:
        pages.set.remove(first);
        model.erase(first);
        break;
      case 4: {
        test::Pages other(size);
        other.set.add(range);
        other.set.remove(first);
        pages.set.add(other.set, other.set.all());
        for (PageIndex p = first + 1; p < range.end(); ++p) model.insert(p);
        break;
      }
      default: {
        const auto there = std::distance(model.lower_bound(first), model.lower_bound(range.end()));
        RC_ASSERT(pages.set.count_in(range) == static_cast<std::uint64_t>(there));
        if (there == 0) break;
        const auto n = *rc::gen::inRange<std::ptrdiff_t>(0, there);
        RC_ASSERT(pages.set.nth_in(range, static_cast<std::uint64_t>(n)) == *std::next(model.lower_bound(first), n));
        break;
      }
    }
  }
  RC_ASSERT(pages.set.count().value == model.size());
  RC_ASSERT(test::pages_of(pages.set, pages.set.all()) == std::vector<PageIndex>(model.begin(), model.end()));
}

RC_GTEST_PROP(PageRun, SplitsWithoutLosingAPage, ()) {
  const bool mask = *rc::gen::arbitrary<bool>();
  const auto what = *rc::gen::inRange<std::uint64_t>(3, 1'000'000);
  PageRun run = mask ? PageRun::of_word(5, what) : PageRun::solid(77, what);
  RC_PRE(run.count() > 1);
  const std::vector<PageIndex> whole = test::pages_of({{run}});
  const auto n = *rc::gen::inRange<std::uint64_t>(1, run.count());
  const PageRun rest = run.split_after(n);
  RC_ASSERT(run.count() == n);
  std::vector<PageRun> both{run, rest};
  RC_ASSERT(test::pages_of(both) == whole);
}

TEST(Units, ATransferNeverFinishesEarly) {
  EXPECT_EQ(wire_time({1}, {8'000'000'000}), Nanos{1});
  EXPECT_EQ(wire_time({3}, {16'000'000'000}), Nanos{2});  // 1.5 ns, up
  EXPECT_EQ(carried({16'000'000'000}, Nanos{1}), Bytes{2});
}

}  // namespace
}  // namespace godwit
