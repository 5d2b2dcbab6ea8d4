#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <utility>

#include "base/bits.h"
#include "base/page_pool.h"
#include "base/page_run.h"
#include "base/units.h"

namespace godwit {

/// Some pages of one block, a bit each: word w of the block is words[w], 0 where `present` has not its bit.
struct BlockWords {
  std::uint64_t block;
  const std::uint64_t* words;
  std::uint64_t present;
};

/// A set of page indices below a fixed size, with the cost of what is in it rather than of what could be: a tree of
/// groups of 64 blocks of 64 words of 64 pages, in which whatever is empty or full has nothing below it.
///
/// It owns no memory. Either the caller lends it all that it could ever need, which may be uninitialised; or the heads
/// of the groups, and a pool that lends the rest while it is needed. Then clear() gives all back.
/// Sets of equal size can be combined block by block.
class PageSet {
 public:
  static constexpr std::uint64_t kBlockPages = 4096;
  static constexpr std::uint64_t kBlockWords = 64;
  static constexpr std::uint64_t kGroupBlocks = 64;
  static constexpr std::uint64_t kGroupPages = kGroupBlocks * kBlockPages;
  // From a word's number to its block's, and to its group's.
  static constexpr unsigned kBlockShift = plain_kernels::kBlockShift, kGroupShift = kBlockShift + 6;

  /// The heads of groups alone, and with those of blocks, that a set of `size` needs; and the words.
  static constexpr std::uint64_t groups_for(Pages size) { return (size.value + kGroupPages - 1) / kGroupPages; }
  static constexpr std::uint64_t blocks_for(Pages size) { return groups_for(size) + count_of_blocks(size.value); }
  static constexpr std::uint64_t words_for(Pages size) { return count_of_blocks(size.value) * kBlockWords; }

  PageSet() = default;

  /// An empty set over `blocks` and `words`, which must outlive it and hold at least blocks_for and words_for(size).
  PageSet(Pages size, std::span<PageBlock> blocks, std::span<std::uint64_t> words)
      : size_(size.value), group_count_(groups_for(size)), groups_(blocks.data()) {
    GODWIT_CHECK(blocks.size() >= blocks_for(size) && words.size() >= words_for(size));
    PageBlock* heads = groups_ + group_count_;
    for (std::uint64_t b = 0; b < count_of_blocks(size_); ++b) {
      heads[b] = {};
      heads[b].words = words.data() + b * kBlockWords;
    }
    for (std::uint64_t g = 0; g < group_count_; ++g) {
      groups_[g] = {};
      groups_[g].blocks = heads + g * kGroupBlocks;
    }
  }

  /// An empty set over `groups`, at least groups_for(size), and what `pool` lends. Both must outlive it. Whoever drops
  /// it calls drop_all() before.
  PageSet(Pages size, std::span<PageBlock> groups, PagePool& pool)
      : size_(size.value), group_count_(groups_for(size)), groups_(groups.data()), pool_(&pool) {
    GODWIT_CHECK(groups.size() >= group_count_);
    for (std::uint64_t g = 0; g < group_count_; ++g) groups_[g] = {};
  }

  Pages size() const { return {size_}; }
  Pages count() const { return {count_}; }
  bool empty() const { return count_ == 0; }
  PageRange all() const { return {0, size_}; }
  std::uint64_t block_count() const { return count_of_blocks(size_); }

  bool contains(PageIndex page) const {
    GODWIT_CHECK(page < size_);
    return (word(page / 64) >> (page % 64) & 1) != 0;
  }

  /// The 64 pages from 64 * index on, one bit each.
  std::uint64_t word(std::uint64_t index) const {
    const std::uint64_t b = index / kBlockWords;
    const std::uint64_t count = count_in_block(b);
    if (count == 0) return 0;
    if (count == pages_in(b)) return full_word(index);
    const PageBlock& block = groups_[b / kGroupBlocks].blocks[b % kGroupBlocks];
    return (block.present >> (index % kBlockWords) & 1) != 0 ? block.words[index % kBlockWords] : 0;
  }

  /// Reads words of a set that does not change meanwhile. Words of the block of the one before cost next to nothing.
  class Reader {
   public:
    explicit Reader(const PageSet& set) : set_(set) {}
    /// word(index).
    std::uint64_t word(std::uint64_t index) { return block(index / kBlockWords)[index % kBlockWords]; }
    /// The 64 words of block `b`, those beyond the end 0. Until the next call.
    const std::uint64_t* block(std::uint64_t b) {
      if (b != block_) enter(b);
      return words_;
    }

   private:
    void enter(std::uint64_t b) {
      block_ = b;
      const std::uint64_t count = set_.count_in_block(b), pages = set_.pages_in(b);
      if (count == 0) {
        words_ = kNoneThere.data();
      } else if (count < pages) {
        words_ = set_.groups_[b / kGroupBlocks].blocks[b % kGroupBlocks].words;
      } else if (pages == kBlockPages) {
        words_ = kAllThere.data();
      } else {
        for (std::uint64_t w = 0; w < kBlockWords; ++w) last_[w] = set_.full_word(b * kBlockWords + w);
        words_ = last_.data();
      }
    }

    const PageSet& set_;
    std::uint64_t block_ = UINT64_MAX;
    const std::uint64_t* words_ = nullptr;
    std::array<std::uint64_t, kBlockWords> last_;  // of a block that memory ends in, where that is full
  };

  /// Pages of block `index` in the set.
  std::uint64_t count_in_block(std::uint64_t index) const {
    const PageBlock& group = groups_[index / kGroupBlocks];
    if (group.count == 0) return 0;
    if (group.count == pages_in_group(index / kGroupBlocks)) return pages_in(index);
    return group.blocks[index % kGroupBlocks].count;
  }
  bool block_full(std::uint64_t index) const { return count_in_block(index) == pages_in(index); }

  void clear() {
    if (count_ > 0) drop_all();
  }
  /// Gives back what the pool has lent, also where copies of this set have borrowed it.
  void drop_all() {
    for (std::uint64_t g = 0; g < group_count_; ++g) empty_group(g);
    count_ = 0;
  }

  void fill() {
    for (std::uint64_t g = 0; g < group_count_; ++g) fill_group(g);
  }

  /// Adds pages; returns those of `mask` that were not there before.
  std::uint64_t add_word(std::uint64_t index, std::uint64_t mask) {
    GODWIT_CHECK(index * 64 < size_ && (mask & ~full_word(index)) == 0);
    const std::uint64_t b = index / kBlockWords;
    if (mask == 0 || block_full(b)) return 0;
    PageBlock& block = open(b);
    if (block.count == 0) begin_empty(block);
    const std::uint64_t w = index % kBlockWords;
    const std::uint64_t fresh = mask & ~block.words[w];
    block.words[w] |= mask;
    block.present |= std::uint64_t{1} << w;
    grow(b, block, popcount(fresh));
    return fresh;
  }

  /// Takes pages out; returns those of `mask` that were there.
  std::uint64_t remove_word(std::uint64_t index, std::uint64_t mask) {
    GODWIT_CHECK(index * 64 < size_ && (mask & ~full_word(index)) == 0);
    const std::uint64_t b = index / kBlockWords;
    if (mask == 0 || count_in_block(b) == 0) return 0;
    PageBlock& block = open(b);
    if (block.count == pages_in(b)) begin_full(b, block);
    const std::uint64_t w = index % kBlockWords;
    const std::uint64_t gone = block.words[w] & mask;
    block.words[w] &= ~mask;
    if (block.words[w] == 0) block.present &= ~(std::uint64_t{1} << w);
    shrink(b, block, popcount(gone));
    return gone;
  }

  void add(PageIndex page) { add_word(page / 64, std::uint64_t{1} << (page % 64)); }
  void remove(PageIndex page) { remove_word(page / 64, std::uint64_t{1} << (page % 64)); }

  /// Adds every page of `range`; whole groups and blocks cost one step each. Returns how many were new.
  std::uint64_t add(PageRange range) {
    GODWIT_CHECK(range.end() <= size_);
    if (in_one_word(range)) return popcount(add_word(range.first / 64, window(range.first / 64, range)));
    const std::uint64_t before = count_;
    in_parts(
        range, [this](std::uint64_t g) { fill_group(g); }, [this](std::uint64_t b) { fill_block(b); },
        [this](std::uint64_t b, PageRange part) { add_part(b, part); });
    return count_ - before;
  }

  /// Takes every page of `range` out. Returns how many were there.
  std::uint64_t remove(PageRange range) {
    GODWIT_CHECK(range.end() <= size_);
    if (in_one_word(range)) return popcount(remove_word(range.first / 64, window(range.first / 64, range)));
    const std::uint64_t before = count_;
    in_parts(
        range, [this](std::uint64_t g) { empty_group(g); }, [this](std::uint64_t b) { empty_block(b); },
        [this](std::uint64_t b, PageRange part) { remove_part(b, part); });
    return before - count_;
  }

  void add(const PageRun& run) {
    if (run.is_mask())
      add_word(run.word(), run.mask());
    else
      add(PageRange{run.first(), run.count()});
  }
  void remove(const PageRun& run) {
    if (run.is_mask())
      remove_word(run.word(), run.mask());
    else
      remove(PageRange{run.first(), run.count()});
  }

  /// Adds pages of one block; returns how many were new.
  std::uint64_t add(const BlockWords& some) {
    if (some.present == 0 || block_full(some.block)) return 0;
    PageBlock& block = open(some.block);
    if (block.count == 0) begin_empty(block);
    const std::uint64_t added = kernels().merge(block.words, some.words, some.present);
    block.present |= some.present;
    grow(some.block, block, added);
    return added;
  }

  /// Takes pages of one block out; returns how many were there.
  std::uint64_t remove(const BlockWords& some) {
    if (some.present == 0 || count_in_block(some.block) == 0) return 0;
    PageBlock& block = open(some.block);
    if (block.count == pages_in(some.block)) begin_full(some.block, block);
    const std::uint64_t gone = kernels().subtract(block.words, some.words, some.present, block.present);
    shrink(some.block, block, gone);
    return gone;
  }

  /// Adds all pages of `runs`; returns how many were new. Masks of one group that follow each other share what it costs to
  /// find it.
  std::uint64_t add(std::span<const PageRun> runs) {
    const std::uint64_t before = count_;
    change<true>(runs);
    return count_ - before;
  }

  /// Takes all pages of `runs` out; returns how many were there.
  std::uint64_t remove(std::span<const PageRun> runs) {
    const std::uint64_t before = count_;
    change<false>(runs);
    return before - count_;
  }

  /// Adds what `other` has in `range`. Returns how many were new. Requires equal sizes.
  std::uint64_t add(const PageSet& other, PageRange range) {
    GODWIT_CHECK(other.size_ == size_);
    const std::uint64_t before = count_;
    other.in_pieces(
        range, [this](PageRange whole) { add(whole); }, [this](const BlockWords& some) { add(some); },
        [this](const PageRun& run) { add(run); });
    return count_ - before;
  }

  /// Adds what `other` has in `range`, and takes it out there. Costs next to nothing where there was nothing here and both
  /// have their memory from one pool. Requires equal sizes.
  void take_over(PageSet& other, PageRange range) {
    const bool own = pool_ != nullptr && pool_ == other.pool_ && range == all();
    if (!own || count_ > 0) {
      add(other, range);
      other.remove(range);
      return;
    }
    GODWIT_CHECK(other.size_ == size_);
    for (std::uint64_t g = 0; g < group_count_; ++g) std::swap(groups_[g], other.groups_[g]);
    std::swap(count_, other.count_);
  }

  /// Takes out what `other` has in `range`. Requires equal sizes.
  void remove(const PageSet& other, PageRange range) {
    GODWIT_CHECK(other.size_ == size_);
    if (empty() || other.empty()) return;
    other.in_pieces(
        range, [this](PageRange whole) { remove(whole); }, [this](const BlockWords& some) { remove(some); },
        [this](const PageRun& run) { remove(run); });
  }

  /// Takes up to `most` pages of `range` out, from the first on, as runs in ascending order: as for_each_run tells of
  /// them, the last one cut where need be. Returns how many runs were written; fewer than fit `out` only where `most`
  /// pages are taken or none is left.
  std::size_t take(PageRange range, std::uint64_t most, std::span<PageRun> out) {
    GODWIT_CHECK(range.end() <= size_);
    Taking taking{.left = most, .out = out, .solid = {range.first, 0}};
    for (PageIndex at = range.first; at < range.end() && taking.going();) {
      const std::uint64_t g = at / kGroupPages;
      const PageRange group = intersect(range, {g * kGroupPages, pages_in_group(g)});
      if (groups_[g].count == 0) {
        at = group.end();
      } else if (groups_[g].count == pages_in_group(g)) {
        at = take_solid(taking, group);
      } else {
        const std::uint64_t b = at / kBlockPages;
        const PageRange block = intersect(group, {b * kBlockPages, kBlockPages});
        const std::uint64_t count = groups_[g].blocks[b % kGroupBlocks].count;
        if (count == pages_in(b))
          take_solid(taking, block);
        else if (count > 0)
          take_words(taking, b, block);
        at = block.end();
      }
    }
    flush(taking);
    return taking.taken;
  }

  /// Takes the pages of `mask` out of every `stride`-th word, from `word` on and below `end`, and writes them to `out`, until
  /// that is full or `most` pages are taken. Where `mask` has more than one page there must be no more than `most` in all: a
  /// word is not cut. Moves `word` to the first that it has not looked at, `most` down by what it took. Returns the runs.
  std::size_t take_strided(std::uint64_t& word, std::uint64_t end, std::uint64_t stride, std::uint64_t mask,
                           std::uint64_t& most, std::span<PageRun> out) {
    GODWIT_CHECK(end * 64 < size_ + 64);
    std::size_t taken = 0;
    std::uint64_t at = word, left = most;
    while (at < end && left > 0 && taken < out.size()) {
      const std::uint64_t g = at >> kGroupShift;
      const std::uint64_t group_end = end < (g + 1) << kGroupShift ? end : (g + 1) << kGroupShift;
      PageBlock& group = groups_[g];
      if (group.count == 0) {
        while (at < group_end) at += stride;
        continue;
      }
      static_cast<void>(open(g * kGroupBlocks));
      std::uint64_t gone = 0, present = group.present;
      while (at < group_end && left > 0 && taken < out.size()) {
        const std::uint64_t b = at >> kBlockShift;
        const std::uint64_t block_end = group_end < (b + 1) << kBlockShift ? group_end : (b + 1) << kBlockShift;
        PageBlock& block = group.blocks[b % kGroupBlocks];
        if (block.count == 0) {
          while (at < block_end) at += stride;
          continue;
        }
        if (block.count == pages_in(b)) begin_full(b, block);
        std::uint64_t* const words = block.words;
        const std::uint64_t before = left;
        for (; at < block_end && left > 0 && taken < out.size(); at += stride) {
          const std::uint64_t old = words[at % kBlockWords], there = old & mask;
          if (there == 0) continue;
          out[taken++] = PageRun::of_word(at, there);
          words[at % kBlockWords] = old ^ there;
          if (old == there) block.present &= ~(std::uint64_t{1} << (at % kBlockWords));
          GODWIT_CHECK(popcount(there) <= left);
          left -= popcount(there);
        }
        block.count -= before - left;
        gone += before - left;
        if (block.count > 0) continue;
        give_words(block);
        present &= ~(std::uint64_t{1} << (b % kGroupBlocks));
      }
      group.present = present;
      group.count -= gone;
      count_ -= gone;
      if (group.count == 0) give_blocks(group);
    }
    word = at;
    most = left;
    return taken;
  }

  /// The first page at or after `from` that is in the set; size() where there is none.
  PageIndex first_from(PageIndex from) const {
    PageIndex found = size_;
    for_each_run({from, size_ - from}, [&](const PageRun& run) {
      found = run.first();
      return false;
    });
    return found;
  }

  /// How many pages of `range` are in the set. Looks into a block only where it is mixed and partly in `range`.
  std::uint64_t count_in(PageRange range) const {
    GODWIT_CHECK(range.end() <= size_);
    if (in_one_word(range)) return popcount(word(range.first / 64) & window(range.first / 64, range));
    std::uint64_t found = 0;
    for (std::uint64_t g = range.first / kGroupPages; g * kGroupPages < range.end(); ++g)
      found += count_in_group(g, intersect(range, {g * kGroupPages, pages_in_group(g)}));
    return found;
  }

  /// The `n`-th page of `range` that is in the set, from 0 on. Requires count_in(range) > n.
  PageIndex nth_in(PageRange range, std::uint64_t n) const {
    std::uint64_t g = range.first / kGroupPages;
    n += count_in_group(g, {g * kGroupPages, range.first % kGroupPages});  // of the group now, and no more of the range
    for (; n >= groups_[g].count; ++g) n -= groups_[g].count;
    if (groups_[g].count == pages_in_group(g)) return g * kGroupPages + n;
    const PageBlock* block = groups_[g].blocks;
    for (; n >= block->count; ++block) n -= block->count;
    const std::uint64_t b = g * kGroupBlocks + static_cast<std::uint64_t>(block - groups_[g].blocks);
    if (block->count == pages_in(b)) return b * kBlockPages + n;
    return b * kBlockPages + nth_in_words(block->words, n);
  }

  /// Calls `visit(PageRun)` for the pages of `range` that are in the set, ascending. Neighbouring full blocks are
  /// joined into one solid run. `visit` must not change the set; if it returns bool, false ends the walk.
  template <class Visit>
  void for_each_run(PageRange range, Visit&& visit) const {
    GODWIT_CHECK(range.end() <= size_);
    PageRange solid{range.first, 0};
    bool going = true;
    const auto tell = [&](const PageRun& run) {
      if constexpr (std::is_same_v<decltype(visit(run)), bool>)
        going = visit(run);
      else
        visit(run);
    };
    const auto flush = [&] {
      if (going && solid.count > 0) tell(PageRun::solid(solid.first, solid.count));
      solid.count = 0;
    };
    const auto full = [&](PageRange part) {
      if (solid.count > 0 && solid.end() != part.first) flush();
      if (solid.count == 0) solid.first = part.first;
      solid.count += part.count;
    };
    for (PageIndex at = range.first; at < range.end() && going;) {
      const std::uint64_t g = at / kGroupPages;
      const PageRange group = intersect(range, {g * kGroupPages, pages_in_group(g)});
      if (groups_[g].count == pages_in_group(g)) full(group);
      if (groups_[g].count == 0 || groups_[g].count == pages_in_group(g)) {
        at = group.end();
        continue;
      }
      std::uint64_t blocks = groups_[g].present & ~std::uint64_t{0} << (at / kBlockPages % kGroupBlocks);
      for (; blocks != 0 && going; blocks &= blocks - 1) {
        const auto i = static_cast<unsigned>(std::countr_zero(blocks));
        const std::uint64_t b = g * kGroupBlocks + i;
        const PageRange part = intersect(group, {b * kBlockPages, kBlockPages});
        if (part.count == 0) break;
        const PageBlock& block = groups_[g].blocks[i];
        if (block.count == pages_in(b)) {
          full(part);
          continue;
        }
        flush();
        std::uint64_t words = block.present & words_in(part);
        for (; words != 0 && going; words &= words - 1) {
          const auto w = static_cast<unsigned>(std::countr_zero(words));
          const std::uint64_t mask = block.words[w] & window(b * kBlockWords + w, part);
          if (mask != 0) tell(PageRun::of_word(b * kBlockWords + w, mask));
        }
      }
      at = group.end();
    }
    flush();
  }

  /// Calls `whole(PageRange)` for each full group, and each full block of another, and `mixed(BlockWords)` for each block
  /// that is neither full nor empty, ascending: equal sets in equal pieces.
  template <class Whole, class Mixed>
  void for_each_piece(Whole&& whole, Mixed&& mixed) const {
    in_pieces(all(), whole, mixed, [](const PageRun&) {});
  }

  /// The same pages in both. Requires equal sizes.
  friend bool operator==(const PageSet& a, const PageSet& b) {
    GODWIT_CHECK(a.size_ == b.size_);
    if (a.count_ != b.count_) return false;
    for (std::uint64_t i = 0; i < a.block_count(); ++i) {
      if (a.count_in_block(i) != b.count_in_block(i)) return false;
      if (a.count_in_block(i) == 0 || a.block_full(i)) continue;
      for (std::uint64_t w = i * kBlockWords; w < (i + 1) * kBlockWords; ++w) {
        if (a.word(w) != b.word(w)) return false;
      }
    }
    return true;
  }

 private:
  static constexpr std::array<std::uint64_t, kBlockWords> kNoneThere{};
  static constexpr std::array<std::uint64_t, kBlockWords> kAllThere = [] {
    std::array<std::uint64_t, kBlockWords> words{};
    for (std::uint64_t& word : words) word = ~std::uint64_t{0};
    return words;
  }();
  static constexpr std::ptrdiff_t kManyMasks = 8;  // which are worth a call

  /// What `take` has got so far.
  struct Taking {
    std::uint64_t left;  // pages that may still be taken
    std::span<PageRun> out;
    std::size_t taken = 0;
    PageRange solid;  // seen, and not taken yet
    bool going() const { return left > 0 && taken < out.size(); }
  };

  static constexpr std::uint64_t count_of_blocks(std::uint64_t pages) {
    return (pages + kBlockPages - 1) / kBlockPages;
  }
  std::uint64_t pages_in(std::uint64_t block) const {
    return (block + 1) * kBlockPages <= size_ ? kBlockPages : size_ - block * kBlockPages;
  }
  std::uint64_t pages_in_group(std::uint64_t group) const {
    return (group + 1) * kGroupPages <= size_ ? kGroupPages : size_ - group * kGroupPages;
  }
  std::uint64_t full_word(std::uint64_t index) const {
    if ((index + 1) * 64 <= size_) return ~std::uint64_t{0};
    if (index * 64 >= size_) return 0;
    return (std::uint64_t{1} << (size_ - index * 64)) - 1;
  }
  const PageKernels& kernels() const { return pool_ != nullptr ? pool_->kernels() : kPlainKernels; }

  /// Whether it is what a word can name, as a single page is: then the way through groups and blocks is short.
  static bool in_one_word(PageRange range) { return range.count > 0 && range.first / 64 == (range.end() - 1) / 64; }
  /// The bits of word `w` that lie in `part`. Requires that some do.
  static std::uint64_t window(std::uint64_t w, PageRange part) {
    const std::uint64_t first = part.first > w * 64 ? part.first - w * 64 : 0;
    const std::uint64_t end = part.end() < w * 64 + 64 ? part.end() - w * 64 : 64;
    return bits_between(first, end);
  }
  /// The words of its block that `part` touches, a bit each. Requires that it touches some.
  static std::uint64_t words_in(PageRange part) {
    return bits_between(part.first / 64 % kBlockWords, (part.end() - 1) / 64 % kBlockWords + 1);
  }

  /// Of `part`, which lies in group `g`.
  std::uint64_t count_in_group(std::uint64_t g, PageRange part) const {
    const std::uint64_t pages = pages_in_group(g), count = groups_[g].count;
    if (count == 0 || part.count == pages) return count;
    if (count == pages || part.count == 0) return part.count;
    const PageRange before{g * kGroupPages, part.first - g * kGroupPages};  // counted instead where that is less to do
    if (before.count < part.count && before.count + part.count == pages) return count - count_in_group(g, before);
    const std::uint64_t first = part.first / kBlockPages, last = (part.end() - 1) / kBlockPages;
    const auto at_end = [&](std::uint64_t b) {
      return count_in_part(b, intersect(part, {b * kBlockPages, kBlockPages}));
    };
    std::uint64_t found = at_end(first) + (last > first ? at_end(last) : 0);
    for (std::uint64_t b = first + 1; b < last; ++b) found += groups_[g].blocks[b % kGroupBlocks].count;
    return found;
  }
  /// Of `part`, which lies in block `b`.
  std::uint64_t count_in_part(std::uint64_t b, PageRange part) const {
    const std::uint64_t pages = pages_in(b), count = count_in_block(b);
    if (count == 0 || part.count == pages) return count;
    if (count == pages) return part.count;
    const PageBlock& block = groups_[b / kGroupBlocks].blocks[b % kGroupBlocks];
    std::uint64_t found = 0;
    for_each_bit(block.present & words_in(part),
                 [&](unsigned w) { found += popcount(block.words[w] & window(b * kBlockWords + w, part)); });
    return found;
  }

  /// The place of the `n`-th bit that is set, from 0 on. Requires more than `n` in all 64 words.
  static std::uint64_t nth_in_words(const std::uint64_t* words, std::uint64_t n) {
    std::uint64_t w = 0;
    for (std::uint64_t there; n >= (there = popcount(words[w])); ++w) n -= there;
    return w * 64 + nth_bit(words[w], n);
  }

  // ---- from uniform to mixed and back

  /// The head of block `b`, in a group that may now become mixed.
  PageBlock& open(std::uint64_t b) {
    const std::uint64_t g = b / kGroupBlocks;
    PageBlock& group = groups_[g];
    const bool full = group.count == pages_in_group(g);
    if (group.count == 0 || full) {
      if (pool_ != nullptr) group.blocks = pool_->take_blocks();
      const std::uint64_t blocks = count_of_blocks(pages_in_group(g));
      for (std::uint64_t i = 0; i < blocks; ++i) group.blocks[i].count = full ? pages_in(g * kGroupBlocks + i) : 0;
      group.present = full ? bits_between(0, blocks) : 0;
    }
    return group.blocks[b % kGroupBlocks];
  }

  /// Gives an empty block words.
  void begin_empty(PageBlock& block) {
    if (pool_ != nullptr) {
      block.words = pool_->take_words();
    } else {
      for (std::uint64_t w = 0; w < kBlockWords; ++w) block.words[w] = 0;
    }
    block.present = 0;
  }

  /// Gives a full block words, so that pages can be taken out of it.
  void begin_full(std::uint64_t b, PageBlock& block) {
    begin_empty(block);
    for (std::uint64_t w = 0; w * 64 < pages_in(b); ++w) {
      block.words[w] = full_word(b * kBlockWords + w);
      block.present |= std::uint64_t{1} << w;
    }
  }

  /// A block that was not full has `added` more pages.
  void grow(std::uint64_t b, PageBlock& block, std::uint64_t added) {
    block.count += added;
    if (block.count == pages_in(b)) give_words(block);
    grow_group(b, added);
  }
  void grow_group(std::uint64_t b, std::uint64_t added) {
    PageBlock& group = groups_[b / kGroupBlocks];
    group.present |= std::uint64_t{1} << (b % kGroupBlocks);
    group.count += added;
    count_ += added;
    if (group.count == pages_in_group(b / kGroupBlocks)) give_blocks(group);
  }

  /// A block that was not empty has `gone` fewer.
  void shrink(std::uint64_t b, PageBlock& block, std::uint64_t gone) {
    block.count -= gone;
    if (block.count == 0) give_words(block);
    shrink_group(b, block.count == 0, gone);
  }
  void shrink_group(std::uint64_t b, bool emptied, std::uint64_t gone) {
    PageBlock& group = groups_[b / kGroupBlocks];
    if (emptied) group.present &= ~(std::uint64_t{1} << (b % kGroupBlocks));
    group.count -= gone;
    count_ -= gone;
    if (group.count == 0) give_blocks(group);
  }

  void give_words(PageBlock& block) {
    if (pool_ != nullptr) pool_->give_words(block.words);
  }
  void give_blocks(PageBlock& group) {
    if (pool_ != nullptr) pool_->give_blocks(group.blocks);
  }

  /// Gives back all that lies under a group. Requires that it is mixed.
  void drop(std::uint64_t g) {
    if (pool_ == nullptr) return;
    PageBlock& group = groups_[g];
    for_each_bit(group.present, [&](unsigned i) {
      PageBlock& block = group.blocks[i];
      if (block.count < pages_in(g * kGroupBlocks + i)) give_words(block);
    });
    give_blocks(group);
  }

  void set_group(std::uint64_t g, std::uint64_t count) {
    PageBlock& group = groups_[g];
    if (group.count != 0 && group.count != pages_in_group(g)) drop(g);
    count_ = count_ - group.count + count;
    group.count = count;
  }
  void fill_group(std::uint64_t g) { set_group(g, pages_in_group(g)); }
  void empty_group(std::uint64_t g) { set_group(g, 0); }

  void fill_block(std::uint64_t b) {
    const std::uint64_t before = count_in_block(b);
    if (before == pages_in(b)) return;
    PageBlock& block = open(b);
    if (before > 0) give_words(block);
    block.count = pages_in(b);
    grow_group(b, block.count - before);
  }
  void empty_block(std::uint64_t b) {
    const std::uint64_t before = count_in_block(b);
    if (before == 0) return;
    PageBlock& block = open(b);
    if (before < pages_in(b)) give_words(block);
    block.count = 0;
    shrink_group(b, true, before);
  }

  void add_part(std::uint64_t b, PageRange part) {
    if (block_full(b)) return;
    PageBlock& block = open(b);
    if (block.count == 0) begin_empty(block);
    std::uint64_t added = 0;
    for_each_bit(words_in(part), [&](unsigned w) {
      const std::uint64_t mask = window(b * kBlockWords + w, part);
      added += popcount(mask & ~block.words[w]);
      block.words[w] |= mask;
    });
    block.present |= words_in(part);
    grow(b, block, added);
  }
  void remove_part(std::uint64_t b, PageRange part) {
    if (count_in_block(b) == 0) return;
    PageBlock& block = open(b);
    if (block.count == pages_in(b)) begin_full(b, block);
    std::uint64_t gone = 0;
    for_each_bit(words_in(part) & block.present, [&](unsigned w) {
      const std::uint64_t mask = window(b * kBlockWords + w, part);
      gone += popcount(mask & block.words[w]);
      block.words[w] &= ~mask;
      if (block.words[w] == 0) block.present &= ~(std::uint64_t{1} << w);
    });
    shrink(b, block, gone);
  }

  // ---- many masks at once

  /// Adds `runs`, or takes them out.
  template <bool kAdds>
  void change(std::span<const PageRun> runs) {
    for (std::size_t i = 0; i < runs.size();) {
      const PageRun& run = runs[i];
      if (run.is_mask()) {
        i += change_group<kAdds>(runs.subspan(i));
        continue;
      }
      if constexpr (kAdds)
        add(PageRange{run.first(), run.count()});
      else
        remove(PageRange{run.first(), run.count()});
      ++i;
    }
  }

  /// Those masks of one group that `runs` begins with. Returns how many they are.
  template <bool kAdds>
  std::size_t change_group(std::span<const PageRun> runs) {
    const std::uint64_t g = runs.front().word() >> kGroupShift;
    GODWIT_CHECK(g < group_count_);
    PageBlock& group = groups_[g];
    const std::uint64_t whole = pages_in_group(g), done = kAdds ? whole : 0;
    const PageRun* run = runs.data();
    const PageRun* const end = run + runs.size();
    if (group.count == done) {
      while (++run != end && run->is_mask_in(g, kGroupShift)) {
      }
      return static_cast<std::size_t>(run - runs.data());
    }
    static_cast<void>(open(g * kGroupBlocks));
    std::uint64_t changed = 0, present = group.present;
    do {
      const std::uint64_t b = run->word() / kBlockWords;
      PageBlock& block = group.blocks[b % kGroupBlocks];
      if (whole < kGroupPages) check_masks(b, run, end);
      const std::uint64_t pages = whole == kGroupPages ? kBlockPages : pages_in(b);
      changed += change_block<kAdds>(block, pages, b, run, end);
      const std::uint64_t bit = std::uint64_t{1} << (b % kGroupBlocks);
      present = block.count > 0 ? present | bit : present & ~bit;
    } while (run != end && run->is_mask_in(g, kGroupShift));
    group.present = present;
    group.count = kAdds ? group.count + changed : group.count - changed;
    count_ = kAdds ? count_ + changed : count_ - changed;
    if (group.count == done) give_blocks(group);
    return static_cast<std::size_t>(run - runs.data());
  }

  /// The masks of block `b`, of `pages`, from `run` on, which it moves behind them. Returns how many pages changed. In line: it
  /// has a handful of masks to do where the order of sending strides over blocks.
  template <bool kAdds>
  [[gnu::always_inline]] std::uint64_t change_block(PageBlock& block, std::uint64_t pages, std::uint64_t b,
                                                    const PageRun*& run, const PageRun* end) {
    const std::uint64_t done = kAdds ? pages : 0;
    if (block.count == done) {
      while (++run != end && run->is_mask_in(b, kBlockShift)) {
      }
      return 0;
    }
    if (block.count == 0) begin_empty(block);
    if (block.count == pages) begin_full(b, block);
    const bool many = end - run >= kManyMasks && run[kManyMasks - 1].is_mask_in(b, kBlockShift);
    std::uint64_t changed = 0;
    if (many)
      changed = (kAdds ? kernels().merge_runs : kernels().subtract_runs)(block.words, b, run, end, block.present);
    else if constexpr (kAdds)
      changed = plain_kernels::merge_runs(block.words, b, run, end, block.present);
    else
      changed = plain_kernels::subtract_runs(block.words, b, run, end, block.present);
    block.count = kAdds ? block.count + changed : block.count - changed;
    if (block.count == done) give_words(block);
    return changed;
  }

  /// That those of block `b` lie in the set.
  void check_masks(std::uint64_t b, const PageRun* run, const PageRun* end) const {
    GODWIT_CHECK(b < block_count());
    for (; run != end && run->is_mask_in(b, kBlockShift); ++run)
      GODWIT_CHECK((run->mask() & ~full_word(run->word())) == 0);
  }

  // ---- walks

  /// Cuts `range` into whole groups, whole blocks and parts of blocks.
  template <class Group, class Block, class Part>
  void in_parts(PageRange range, Group&& group, Block&& block, Part&& rest) {
    for (PageIndex at = range.first; at < range.end();) {
      const std::uint64_t g = at / kGroupPages;
      const PageRange in_group = intersect(range, {g * kGroupPages, pages_in_group(g)});
      if (at == in_group.first && in_group.count == pages_in_group(g)) {
        group(g);
        at = in_group.end();
        continue;
      }
      const std::uint64_t b = at / kBlockPages;
      const PageRange part = intersect(range, {b * kBlockPages, pages_in(b)});
      if (part.count == pages_in(b))
        block(b);
      else
        rest(b, part);
      at = part.end();
    }
  }

  /// Tells of what lies in `range` in the largest pieces there are: ranges, mixed blocks, and runs where a mixed block
  /// is cut by an end of the range.
  template <class Whole, class Block, class Run>
  void in_pieces(PageRange range, Whole&& whole, Block&& mixed, Run&& rest) const {
    GODWIT_CHECK(range.end() <= size_);
    for (PageIndex at = range.first; at < range.end();) {
      const std::uint64_t g = at / kGroupPages;
      const PageRange group = intersect(range, {g * kGroupPages, pages_in_group(g)});
      at = group.end();
      if (groups_[g].count == 0) continue;
      if (groups_[g].count == pages_in_group(g)) {
        whole(group);
        continue;
      }
      for_each_bit(groups_[g].present, [&](unsigned i) {
        const std::uint64_t b = g * kGroupBlocks + i;
        const PageRange part = intersect(group, {b * kBlockPages, pages_in(b)});
        if (part.count == 0) return;
        const PageBlock& block = groups_[g].blocks[i];
        if (block.count == pages_in(b))
          whole(part);
        else if (part.count == pages_in(b))
          mixed(BlockWords{b, block.words, block.present});
        else
          for_each_run(part, rest);
      });
    }
  }

  /// Joins `part`, all of which is there, to the solid run. Returns its end.
  PageIndex take_solid(Taking& taking, PageRange part) {
    if (taking.solid.count > 0 && taking.solid.end() != part.first) flush(taking);
    if (!taking.going()) return part.end();
    if (taking.solid.count == 0) taking.solid.first = part.first;
    taking.solid.count += part.count;
    return part.end();
  }

  void flush(Taking& taking) {
    const std::uint64_t count = taking.solid.count < taking.left ? taking.solid.count : taking.left;
    const PageIndex first = taking.solid.first;
    taking.solid.count = 0;
    if (count == 0 || !taking.going()) return;
    taking.out[taking.taken++] = PageRun::solid(first, count);
    taking.left -= count;
    remove(PageRange{first, count});
  }

  /// Takes what there is of `part` of the mixed block `b`.
  void take_words(Taking& taking, std::uint64_t b, PageRange part) {
    flush(taking);
    if (!taking.going()) return;
    const PageBlock& block = groups_[b / kGroupBlocks].blocks[b % kGroupBlocks];
    if (part.count == pages_in(b) && block.count <= taking.left &&
        popcount(block.present) <= taking.out.size() - taking.taken) {
      taking.left -= block.count;
      for_each_bit(block.present, [&](unsigned w) {
        taking.out[taking.taken++] = PageRun::of_word(b * kBlockWords + w, block.words[w]);
      });
      return empty_block(b);
    }
    std::uint64_t words = block.present & words_in(part);
    while (words != 0 && taking.going()) {
      const auto w = static_cast<unsigned>(std::countr_zero(words));
      words &= words - 1;
      const std::uint64_t mask = block.words[w] & window(b * kBlockWords + w, part);
      if (mask == 0) continue;
      PageRun run = PageRun::of_word(b * kBlockWords + w, mask);
      if (run.count() > taking.left) run.split_after(taking.left);
      taking.out[taking.taken++] = run;
      taking.left -= run.count();
      remove_word(run.word(), run.mask());
      if (count_in_block(b) == 0) return;  // `block` is no more
    }
  }

  std::uint64_t size_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t group_count_ = 0;
  PageBlock* groups_ = nullptr;
  PagePool* pool_ = nullptr;
};

/// Calls `visit(PageRun)` for each word of `some`, ascending.
template <class Visit>
void for_each_run(const BlockWords& some, Visit&& visit) {
  for_each_bit(some.present,
               [&](unsigned w) { visit(PageRun::of_word(some.block * PageSet::kBlockWords + w, some.words[w])); });
}

}  // namespace godwit
