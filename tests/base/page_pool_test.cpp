#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <vector>

#include "base/page_set.h"
#include "models/prng.h"
#include "tests/support/pages.h"

namespace godwit {
namespace {

/// A pool that counts what it has asked for.
struct Pool {
  std::vector<std::unique_ptr<std::byte[]>> slabs;
  PagePool pool{[](void* owner, std::size_t bytes) -> void* {
                  auto& mine = static_cast<Pool*>(owner)->slabs;
                  mine.push_back(std::make_unique<std::byte[]>(bytes + 64));
                  const auto at = reinterpret_cast<std::uintptr_t>(mine.back().get());
                  return mine.back().get() + ((at + 63) / 64 * 64 - at);
                },
                this, kPlainKernels};
};

struct Pooled {
  Pooled(std::uint64_t size, Pool& pool) : groups(PageSet::groups_for({size})), set({size}, groups, pool.pool) {}
  ~Pooled() { set.drop_all(); }
  std::vector<PageBlock> groups;
  PageSet set;
};

constexpr std::uint64_t kGroup = PageSet::kGroupPages;

TEST(PagePool, EmptyAndFullTakeNothing) {
  Pool pool;
  Pooled set(std::uint64_t{1} << 32, pool);  // 16 TiB of 4 KiB pages
  EXPECT_TRUE(pool.slabs.empty());
  set.set.fill();
  set.set.remove(PageRange{kGroup, 5 * kGroup});
  EXPECT_EQ(set.set.count().value, (std::uint64_t{1} << 32) - 5 * kGroup);
  EXPECT_TRUE(pool.slabs.empty());
}

TEST(PagePool, WhatBecomesEmptyOrFullIsGivenBack) {
  Pool pool;
  Pooled set(4 * kGroup, pool);
  for (int round = 0; round < 1000; ++round) {
    for (PageIndex page = 0; page < 4 * kGroup; page += 4096) set.set.add(page);
    for (PageIndex page = 0; page < 4 * kGroup; page += 4096) set.set.remove(page);
    set.set.fill();
    set.set.remove(5);
    set.set.add(5);
    EXPECT_EQ(set.set.count().value, 4 * kGroup);
    set.set.clear();
  }
  EXPECT_LT(pool.slabs.size(), 10u);
}

TEST(PagePool, ASetThatIsDroppedMakesRoomForTheNext) {
  Pool pool;
  std::size_t after_first = 0;
  for (int round = 0; round < 100; ++round) {
    Pooled set(2 * kGroup, pool);
    for (PageIndex page = 0; page < 2 * kGroup; page += 64) set.set.add(page);
    if (round == 0) after_first = pool.slabs.size();
  }
  EXPECT_EQ(pool.slabs.size(), after_first);
}

/// One of every kind of operation on a set with lent memory, one with pooled memory, and a set of numbers.
class Trio {
 public:
  Trio(std::uint64_t seed, std::uint64_t size)
      : random_(seed, 0, 0, 0), size_(size), lent_(size), other_(size), pooled_(size, pool_) {}

  void step() {
    switch (random_.below(12)) {
      case 0: return add(some_range());
      case 1: return remove(some_range());
      case 2: return word(true);
      case 3: return word(false);
      case 4: return block(true);
      case 5: return block(false);
      case 6: return combine(true);
      case 7: return combine(false);
      case 8: return runs(true);
      case 9: return runs(false);
      case 10: return take_strided();
      default: return take();
    }
  }

  void compare() const {
    const std::vector<PageIndex> expected(model_.begin(), model_.end());
    ASSERT_EQ(lent_.set.count().value, expected.size());
    ASSERT_EQ(pooled_.set.count().value, expected.size());
    ASSERT_EQ(test::pages_of(lent_.set, lent_.set.all()), expected);
    ASSERT_EQ(test::pages_of(pooled_.set, pooled_.set.all()), expected);
    ASSERT_EQ(lent_.set.first_from(0), expected.empty() ? size_ : expected.front());
    PageSet::Reader read(pooled_.set);
    for (std::uint64_t w = 0; w * 64 < size_; w += 7) ASSERT_EQ(read.word(w), lent_.set.word(w));
  }

 private:
  /// Often aligned, so that whole words, blocks and groups are met.
  PageRange some_range() {
    constexpr std::uint64_t kUnits[] = {1, 64, 4096, kGroup};
    const std::uint64_t unit = kUnits[random_.below(4)];
    const PageIndex first = random_.below(size_) / unit * unit;
    const std::uint64_t count = (1 + random_.below(random_.below(2) == 0 ? 3 * unit : size_)) / unit * unit;
    return intersect({first, count == 0 ? unit : count}, {0, size_});
  }

  void add(PageRange range) {
    std::uint64_t fresh = 0;
    for (PageIndex p = range.first; p < range.end(); ++p) fresh += model_.insert(p).second ? 1 : 0;
    ASSERT_EQ(lent_.set.add(range), fresh);
    ASSERT_EQ(pooled_.set.add(range), fresh);
  }

  void remove(PageRange range) {
    std::uint64_t gone = 0;
    for (PageIndex p = range.first; p < range.end(); ++p) gone += model_.erase(p);
    ASSERT_EQ(lent_.set.remove(range), gone);
    ASSERT_EQ(pooled_.set.remove(range), gone);
  }

  void word(bool adding) {
    const std::uint64_t index = random_.below(size_) / 64;
    std::uint64_t mask = random_.next() & random_.next();
    if (size_ - index * 64 < 64) mask &= (std::uint64_t{1} << (size_ - index * 64)) - 1;
    std::uint64_t changed = 0;
    for_each_bit(mask, [&](unsigned b) {
      const bool done = adding ? model_.insert(index * 64 + b).second : model_.erase(index * 64 + b) > 0;
      if (done) changed |= std::uint64_t{1} << b;
    });
    ASSERT_EQ(adding ? lent_.set.add_word(index, mask) : lent_.set.remove_word(index, mask), changed);
    ASSERT_EQ(adding ? pooled_.set.add_word(index, mask) : pooled_.set.remove_word(index, mask), changed);
  }

  void block(bool adding) {
    const std::uint64_t b = random_.below(size_) / 4096;
    std::uint64_t words[64] = {};
    BlockWords some{b, words, 0};
    const bool dense = random_.below(3) == 0;
    std::uint64_t changed = 0;
    for (unsigned w = 0; w < 64; ++w) {
      if (!dense && random_.below(3) > 0) continue;
      for (unsigned bit = 0; bit < 64; ++bit) {
        const PageIndex page = b * 4096 + w * 64 + bit;
        if (page >= size_ || (!dense && random_.below(2) == 0)) continue;
        words[w] |= std::uint64_t{1} << bit;
        changed += adding ? (model_.insert(page).second ? 1 : 0) : model_.erase(page);
      }
      if (words[w] != 0) some.present |= std::uint64_t{1} << w;
    }
    ASSERT_EQ(adding ? lent_.set.add(some) : lent_.set.remove(some), changed);
    ASSERT_EQ(adding ? pooled_.set.add(some) : pooled_.set.remove(some), changed);
  }

  /// Words in a row, strides of them, and solid runs, as batches have them; a word may come twice.
  void runs(bool adding) {
    std::vector<PageRun> runs;
    while (runs.size() < 300) {
      const std::uint64_t stride = random_.below(2) == 0 ? 1 : 1 + random_.below(40);
      std::uint64_t word = random_.below(size_) / 64;
      for (std::uint64_t n = 1 + random_.below(70); n > 0 && word * 64 < size_; --n, word += stride) {
        std::uint64_t mask = random_.bits(random_.next());
        if (size_ - word * 64 < 64) mask &= (std::uint64_t{1} << (size_ - word * 64)) - 1;
        if (mask != 0) runs.push_back(PageRun::of_word(word, mask));
      }
      const PageRange range = some_range();
      if (range.count <= 5000) runs.push_back(PageRun::solid(range.first, range.count));
    }
    std::uint64_t changed = 0;
    for (const PageIndex page : test::pages_of(runs))
      changed += adding ? (model_.insert(page).second ? 1 : 0) : model_.erase(page);
    ASSERT_EQ(adding ? lent_.set.add(runs) : lent_.set.remove(runs), changed);
    ASSERT_EQ(adding ? pooled_.set.add(runs) : pooled_.set.remove(runs), changed);
  }

  void combine(bool adding) {
    other_.set.clear();
    for (int i = 0; i < 4; ++i) {
      other_.set.add(some_range());
      other_.set.remove(some_range());
    }
    const PageRange range = random_.below(2) == 0 ? lent_.set.all() : some_range();
    for (const PageIndex page : test::pages_of(other_.set, range)) {
      if (adding)
        model_.insert(page);
      else
        model_.erase(page);
    }
    for (PageSet* set : {&lent_.set, &pooled_.set}) {
      if (adding)
        set->add(other_.set, range);
      else
        set->remove(other_.set, range);
    }
    if (!adding || random_.below(2) == 0) return;
    // As adding and taking out: where the pool is one, and where it is not; into an empty set, and into another.
    Pooled taken(size_, pool_);
    if (random_.below(2) == 0) taken.set.add(some_range());
    test::Pages sum(size_), rest(size_);
    sum.set.add(taken.set, taken.set.all());
    sum.set.add(pooled_.set, range);
    rest.set.add(pooled_.set, pooled_.set.all());
    rest.set.remove(range);
    taken.set.take_over(pooled_.set, range);
    ASSERT_EQ(test::pages_of(taken.set, taken.set.all()), test::pages_of(sum.set, sum.set.all()));
    ASSERT_EQ(test::pages_of(pooled_.set, pooled_.set.all()), test::pages_of(rest.set, rest.set.all()));
    lent_.set.take_over(other_.set, range);  // which has it all already
    ASSERT_EQ(other_.set.count_in(range), 0u);
    pooled_.set.clear();
    pooled_.set.add(lent_.set, lent_.set.all());
  }

  /// The runs are those that a walk tells of, cut where there is no room for more.
  void take() {
    const PageRange range = some_range();
    const std::uint64_t most = random_.below(3) == 0 ? size_ : 1 + random_.below(5000);
    std::vector<PageRun> room(1 + random_.below(random_.below(2) == 0 ? 5 : 2000));
    std::vector<PageRun> expected;
    std::uint64_t left = most;
    lent_.set.for_each_run(range, [&](PageRun run) {
      if (left == 0 || expected.size() == room.size()) return false;
      if (run.count() > left) run.split_after(left);
      left -= run.count();
      expected.push_back(run);
      return true;
    });
    for (PageSet* set : {&lent_.set, &pooled_.set}) {
      const std::size_t taken = set->take(range, most, room);
      ASSERT_EQ(std::vector<PageRun>(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(taken)), expected);
    }
    for (const PageIndex page : test::pages_of(expected)) model_.erase(page);
  }

  /// Word by word and page by page.
  void take_strided() {
    const std::uint64_t first = random_.below(size_) / 64, stride = 1 + random_.below(20);
    const std::uint64_t end = first + random_.below((size_ + 63) / 64 - first + 1);
    const std::uint64_t bit = std::uint64_t{1} << random_.below(64);
    const bool whole = random_.below(2) == 0;
    const std::uint64_t mask = whole ? random_.bits(random_.next()) | bit : bit;
    std::uint64_t left = whole ? size_ : 1 + random_.below(50);
    const std::uint64_t most = left;
    std::vector<PageRun> room(1 + random_.below(200));
    std::vector<PageRun> expected;
    std::uint64_t at = first;
    for (; at < end && left > 0 && expected.size() < room.size(); at += stride) {
      const std::uint64_t there = lent_.set.word(at) & mask;
      if (there != 0) expected.push_back(PageRun::of_word(at, there));
      left -= std::min<std::uint64_t>(left, static_cast<unsigned>(std::popcount(there)));
    }
    for (PageSet* set : {&lent_.set, &pooled_.set}) {
      std::uint64_t word = first, still = most;
      const std::size_t taken = set->take_strided(word, end, stride, mask, still, room);
      ASSERT_EQ(std::vector<PageRun>(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(taken)), expected);
      ASSERT_EQ(still, left);
      ASSERT_EQ(std::min(word, end), std::min(at, end));
    }
    for (const PageIndex page : test::pages_of(expected)) model_.erase(page);
  }

  models::Stream random_;
  std::uint64_t size_;
  Pool pool_;
  test::Pages lent_, other_;
  Pooled pooled_;
  std::set<PageIndex> model_;
};

TEST(PageSet, IsASetOfNumbersWhereverItsMemoryComesFrom) {
  const std::uint64_t sizes[] = {1, 63, 64, 4095, 4096, 4100, 3 * 4096 + 70, kGroup, kGroup + 1, 2 * kGroup + 5000};
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const std::uint64_t size = sizes[seed % 10];
    Trio trio(seed, size);
    const int steps = size >= kGroup ? 15 : 60;
    for (int i = 0; i < steps; ++i) {
      ASSERT_NO_FATAL_FAILURE(trio.step()) << "seed " << seed << ", step " << i;
      ASSERT_NO_FATAL_FAILURE(trio.compare()) << "seed " << seed << ", step " << i;
    }
  }
}

}  // namespace
}  // namespace godwit
