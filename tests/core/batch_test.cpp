#include "core/batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "tests/support/pages.h"

namespace godwit::core {
namespace {

TEST(PagesBeyond, CountsInLumpsAsQemuDoes) {
  // 100 MB/s: 10,000,000 bytes a window, 4,104 a page. 76 lumps of 32 pages are 9,980,928, so the 77th goes too.
  const std::vector<PageRun> runs{PageRun::solid(0, 100000)};
  EXPECT_EQ(pages_beyond(runs, {.normal_page = {4104}}, {10'000'000}, {32}), Pages{77 * 32});
}

TEST(PagesBeyond, TakesAllWhereTheBudgetIsNotReached) {
  const std::vector<PageRun> runs{PageRun::solid(0, 10), PageRun::solid(10, 10).as_zero()};
  EXPECT_EQ(pages_beyond(runs, {.normal_page = {100}, .zero_page = {9}}, {1090}, {1}), Pages{20});
  EXPECT_EQ(pages_beyond(runs, {.normal_page = {100}, .zero_page = {9}}, {1089}, {1}), Pages{20});
  EXPECT_EQ(pages_beyond(runs, {.normal_page = {100}, .zero_page = {9}}, {1080}, {1}), Pages{19});
}

TEST(PagesBeyond, IsNotReachedWhereThereIsNoBudget) {
  // A zero page may cost a single byte.
  const std::vector<PageRun> runs{PageRun::solid(0, 10).as_zero(), PageRun::solid(10, 10)};
  EXPECT_EQ(pages_beyond(runs, {.normal_page = {1}, .zero_page = {1}}, {UINT64_MAX}, {32}), Pages{20});
}

TEST(Walk, GoesRoundWithoutMissingOrRepeatingAPage) {
  for (const PageOrder order : {PageOrder::kAscending, PageOrder::kRotated}) {
    test::Pages pages(5000);
    pages.set.add(PageRange{17, 4900});
    pages.set.remove(PageRange{100, 64});
    std::vector<PageIndex> expected = test::pages_of(pages.set, pages.set.all());
    Walk walk(order, {5000});
    std::vector<PageRun> out(64);
    std::vector<PageIndex> seen;
    while (!pages.set.empty()) {
      const std::size_t n = walk.take(pages.set, {50}, 0, out);
      ASSERT_GT(n, 0u);
      for (const PageIndex page : test::pages_of(std::span(out).first(n))) seen.push_back(page);
    }
    std::sort(seen.begin(), seen.end());
    EXPECT_EQ(seen, expected);
  }
}

/// The downward half of a bubble, page by page: with `left` pages of the words from `low` on downwards, whole ones but for the
/// first and the last, round and round.
std::vector<PageIndex> bubble_downwards(std::set<PageIndex>& pending, PageIndex& low, PageIndex size,
                                        std::uint64_t left) {
  std::vector<PageIndex> taken;
  for (std::uint64_t looked = 0; looked < (size + 63) / 64 && left > 0 && !pending.empty(); ++looked) {
    if (low == 0) low = size;
    const PageIndex word = (low - 1) / 64 * 64;
    std::vector<PageIndex> here;
    while (low > word && here.size() < left) {
      --low;
      if (pending.erase(low) > 0) here.push_back(low);
    }
    left -= here.size();
    taken.insert(taken.end(), here.rbegin(), here.rend());
  }
  return taken;
}

// Half of each batch goes upwards as the ascending order does, half downwards, from wherever the guest asked last.
TEST(Walk, BubbleGoesBothWays) {
  std::mt19937_64 random(1);
  for (const std::uint64_t size : {5000, 5 * 4096 + 777}) {
    for (int trial = 0; trial < 6; ++trial) {
      test::Pages pages(size), upper(size);
      for (int i = 0; i < 60; ++i) {
        const PageIndex first = random() % size;
        pages.set.add(intersect({first, 1 + random() % (trial % 2 == 0 ? 3 : 300)}, pages.set.all()));
      }
      Walk walk(PageOrder::kBubble, {size}), ascending(PageOrder::kAscending, {size});
      PageIndex low = 0;
      std::vector<PageRun> out(512), up(256);
      while (!pages.set.empty()) {
        if (random() % 3 == 0) {
          low = random() % size;
          walk.pivot(low);
          ascending.pivot(low);
        }
        const std::uint64_t most = 2 + random() % 100;
        upper.set.clear();
        upper.set.add(pages.set, pages.set.all());
        std::vector<PageIndex> expected =
            test::pages_of(std::span(up).first(ascending.take(upper.set, {most / 2}, 0, up)));
        const std::vector<PageIndex> rest = test::pages_of(upper.set, upper.set.all());
        std::set<PageIndex> pending(rest.begin(), rest.end());
        const std::vector<PageIndex> down = bubble_downwards(pending, low, size, most - most / 2);
        expected.insert(expected.end(), down.begin(), down.end());
        const std::size_t n = walk.take(pages.set, {most}, 0, out);
        ASSERT_EQ(test::pages_of(std::span(out).first(n)), expected);
        ASSERT_EQ(pages.set.count().value, pending.size());
      }
    }
  }
}

TEST(Walk, RotatedOrderIsXens) {
  // permute(i) = ((i >> (order - 10)) | (i << 10)) & mask with order 12: 0, 1024, 2048, 3072, 1, 1025, ...
  test::Pages pages(4096);
  pages.set.fill();
  Walk walk(PageOrder::kRotated, {4096});
  std::vector<PageRun> out(64);
  const std::size_t n = walk.take(pages.set, {6}, 0, out);
  EXPECT_EQ(test::pages_of(std::span(out).first(n)), (std::vector<PageIndex>{0, 1024, 2048, 3072, 1, 1025}));
}

// Columns that fit as a whole go word by word; the one that does not is cut where the batch is full.
TEST(Walk, RotatedOrderTakesWholeColumnsTogether) {
  test::Pages pages(4096);
  pages.set.add(PageRange{0, 4096});
  pages.set.remove(1025);
  Walk walk(PageOrder::kRotated, {4096});
  std::vector<PageRun> out(64);
  std::size_t n = walk.take(pages.set, {9}, 0, out);
  EXPECT_EQ(test::pages_of(std::span(out).first(n)),
            (std::vector<PageIndex>{0, 1, 1024, 2048, 2049, 3072, 3073, 2, 1026}));
  n = walk.take(pages.set, {2}, 0, out);
  EXPECT_EQ(test::pages_of(std::span(out).first(n)), (std::vector<PageIndex>{2050, 3074}));
}

TEST(Walk, StaysInOneChunk) {
  test::Pages pages(4096 * 4);
  pages.set.fill();
  Walk walk(PageOrder::kAscending, {4096 * 4});
  std::vector<PageRun> out(64);
  EXPECT_EQ(walk.take(pages.set, {100000}, 4096, out), 1u);
  EXPECT_EQ(out[0], PageRun::solid(0, 4096));
  EXPECT_EQ(walk.take(pages.set, {100000}, 4096, out), 1u);
  EXPECT_EQ(out[0], PageRun::solid(4096, 4096));
}

TEST(Walk, GoesOnAtAPageThatDidNotGo) {
  test::Pages pages(5000);
  pages.set.fill();
  Walk walk(PageOrder::kAscending, {5000});
  std::vector<PageRun> out(64);
  walk.take(pages.set, {300}, 0, out);
  pages.set.add(PageRange{200, 100});
  walk.back_to(200);
  const std::size_t n = walk.take(pages.set, {10}, 0, out);
  EXPECT_EQ(test::pages_of(std::span(out).first(n)).front(), 200u);
}

TEST(Walk, SaysOnceThatItHasGonePastTheEnd) {
  test::Pages pages(5000);
  pages.set.add(PageRange{10, 1});
  Walk walk(PageOrder::kAscending, {5000});
  std::vector<PageRun> out(64);
  walk.take(pages.set, {1}, 0, out);
  EXPECT_FALSE(walk.wrapped());
  pages.set.add(PageRange{5, 1});
  walk.take(pages.set, {1}, 0, out);
  EXPECT_TRUE(walk.wrapped());
  EXPECT_FALSE(walk.wrapped());
}

// 1,344 bytes for each packet of 128 pages, the last one in full; a packet that has 100 pages takes 28 more for nothing.
TEST(SizeOf, ChargesAPacketWhenItIsBegun) {
  Charge charge{.normal_page = {4096}, .packet = {1344}, .packet_pages = {128}};
  const std::vector<PageRun> runs{PageRun::solid(0, 129)};
  EXPECT_EQ(size_of(runs, charge).bytes, Bytes{129 * 4096 + 2 * 1344});
  charge.in_packet = {100};
  EXPECT_EQ(size_of(runs, charge).bytes, Bytes{129 * 4096 + 1344});
  charge.in_packet = {128};
  EXPECT_EQ(size_of(runs, charge).bytes, Bytes{129 * 4096 + 2 * 1344});
}

TEST(SizeOf, ZeroPagesTakeAPlaceInAPacketWhereItsThreadFindsThem) {
  Charge charge{.normal_page = {4096}, .packet = {1344}, .packet_pages = {128}, .zero_in_packet = true};
  const std::vector<PageRun> runs{PageRun::solid(0, 100), PageRun::solid(100, 29).as_zero()};
  EXPECT_EQ(size_of(runs, charge).bytes, Bytes{100 * 4096 + 2 * 1344});
  charge.zero_in_packet = false;
  charge.zero_page = {9};
  EXPECT_EQ(size_of(runs, charge).bytes, Bytes{100 * 4096 + 29 * 9 + 1344});
}

}  // namespace
}  // namespace godwit::core
