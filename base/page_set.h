#pragma once

#include <bit>
#include <cstdint>
#include <span>

#include "base/page_run.h"
#include "base/units.h"

namespace godwit {

/// Header of a block of 4096 pages. A block is empty (count 0), full (count 4096) or mixed; its words mean something
/// only while it is mixed, and then only where `nonzero` has their bit: a block changes its state without touching them.
struct PageBlock {
  std::uint64_t nonzero = 0;  ///< Bit w: word w of the block has a page. Meaningful while mixed.
  std::uint64_t count = 0;    ///< Pages of the block in the set.
};

/// A set of page indices below a fixed size, with the cost of what is in it rather than of what could be.
/// It owns no memory: the caller lends it one PageBlock per 4096 pages and one word per 64 pages, which may be
/// uninitialised. Sets of equal size can be combined block by block.
class PageSet {
 public:
  static constexpr std::uint64_t kBlockPages = 4096;
  static constexpr std::uint64_t kBlockWords = 64;

  static constexpr std::uint64_t blocks_for(Pages size) { return (size.value + kBlockPages - 1) / kBlockPages; }
  static constexpr std::uint64_t words_for(Pages size) { return blocks_for(size) * kBlockWords; }

  PageSet() = default;

  /// An empty set over `blocks` and `words`, which must outlive it and hold at least blocks_for and words_for(size).
  PageSet(Pages size, std::span<PageBlock> blocks, std::span<std::uint64_t> words)
      : size_(size.value), block_count_(blocks_for(size)), blocks_(blocks.data()), words_(words.data()) {
    GODWIT_CHECK(blocks.size() >= block_count_ && words.size() >= words_for(size));
    for (std::uint64_t b = 0; b < block_count_; ++b) blocks_[b] = {};
  }

  Pages size() const { return {size_}; }
  Pages count() const { return {count_}; }
  bool empty() const { return count_ == 0; }
  PageRange all() const { return {0, size_}; }
  std::uint64_t block_count() const { return block_count_; }

  bool contains(PageIndex page) const {
    GODWIT_CHECK(page < size_);
    return (word(page / 64) >> (page % 64) & 1) != 0;
  }

  /// The 64 pages from 64 * index on, one bit each.
  std::uint64_t word(std::uint64_t index) const {
    const PageBlock& block = blocks_[index / kBlockWords];
    if (block.count == 0) return 0;
    if (block.count == pages_in(index / kBlockWords)) return full_word(index);
    return (block.nonzero >> (index % kBlockWords) & 1) != 0 ? words_[index] : 0;
  }

  /// Pages of block `index` in the set.
  std::uint64_t count_in_block(std::uint64_t index) const { return blocks_[index].count; }
  bool block_full(std::uint64_t index) const { return blocks_[index].count == pages_in(index); }

  void clear() {
    if (count_ == 0) return;
    for (std::uint64_t b = 0; b < block_count_; ++b) blocks_[b].count = 0;
    count_ = 0;
  }

  void fill() {
    for (std::uint64_t b = 0; b < block_count_; ++b) blocks_[b].count = pages_in(b);
    count_ = size_;
  }

  /// Adds pages; returns those of `mask` that were not there before.
  std::uint64_t add_word(std::uint64_t index, std::uint64_t mask) {
    GODWIT_CHECK(index * 64 < size_ && (mask & ~full_word(index)) == 0);
    const std::uint64_t b = index / kBlockWords;
    PageBlock& block = blocks_[b];
    if (block.count == pages_in(b) || mask == 0) return 0;
    const std::uint64_t bit = std::uint64_t{1} << (index % kBlockWords);
    if (block.count == 0) block.nonzero = 0;
    const std::uint64_t old = (block.nonzero & bit) != 0 ? words_[index] : 0;
    const std::uint64_t fresh = mask & ~old;
    words_[index] = old | mask;
    block.nonzero |= bit;
    const auto added = static_cast<unsigned>(std::popcount(fresh));
    block.count += added;
    count_ += added;
    return fresh;
  }

  /// Takes pages out; returns those of `mask` that were there.
  std::uint64_t remove_word(std::uint64_t index, std::uint64_t mask) {
    const std::uint64_t b = index / kBlockWords;
    PageBlock& block = blocks_[b];
    if (block.count == 0 || mask == 0) return 0;
    if (block.count == pages_in(b)) spell_out(b);
    const std::uint64_t bit = std::uint64_t{1} << (index % kBlockWords);
    if ((block.nonzero & bit) == 0) return 0;
    const std::uint64_t gone = words_[index] & mask;
    words_[index] &= ~mask;
    if (words_[index] == 0) block.nonzero &= ~bit;
    const auto removed = static_cast<unsigned>(std::popcount(gone));
    block.count -= removed;
    count_ -= removed;
    return gone;
  }

  void add(PageIndex page) { add_word(page / 64, std::uint64_t{1} << (page % 64)); }
  void remove(PageIndex page) { remove_word(page / 64, std::uint64_t{1} << (page % 64)); }

  /// Adds every page of `range`; whole blocks cost one step each. Returns how many were new.
  std::uint64_t add(PageRange range) {
    GODWIT_CHECK(range.end() <= size_);
    const std::uint64_t before = count_;
    in_blocks(range, [&](std::uint64_t b, PageRange part) {
      if (part.count == pages_in(b)) {
        count_ += part.count - blocks_[b].count;
        blocks_[b].count = part.count;
      } else {
        for_each_word(PageRun::solid(part.first, part.count),
                      [&](std::uint64_t w, std::uint64_t m) { add_word(w, m); });
      }
    });
    return count_ - before;
  }

  /// Takes every page of `range` out. Returns how many were there.
  std::uint64_t remove(PageRange range) {
    GODWIT_CHECK(range.end() <= size_);
    const std::uint64_t before = count_;
    in_blocks(range, [&](std::uint64_t b, PageRange part) {
      if (blocks_[b].count == 0) return;
      if (part.count == pages_in(b)) {
        count_ -= blocks_[b].count;
        blocks_[b].count = 0;
      } else {
        for_each_word(PageRun::solid(part.first, part.count),
                      [&](std::uint64_t w, std::uint64_t m) { remove_word(w, m); });
      }
    });
    return before - count_;
  }

  void add(const PageRun& run) {
    if (!run.is_mask()) {
      add(PageRange{run.first(), run.count()});
      return;
    }
    add_word(run.word(), run.mask());
  }
  void remove(const PageRun& run) {
    if (!run.is_mask()) {
      remove(PageRange{run.first(), run.count()});
      return;
    }
    remove_word(run.word(), run.mask());
  }

  /// Adds what `other` has in `range`. Returns how many were new. Requires equal sizes.
  std::uint64_t add(const PageSet& other, PageRange range) {
    const std::uint64_t before = count_;
    other.for_each_run(range, [&](const PageRun& run) { add(run); });
    return count_ - before;
  }

  /// Takes out what `other` has in `range`. Requires equal sizes.
  void remove(const PageSet& other, PageRange range) {
    if (empty() || other.empty()) return;
    other.for_each_run(range, [&](const PageRun& run) { remove(run); });
  }

  /// How many pages of `range` are in the set.
  std::uint64_t count_in(PageRange range) const {
    std::uint64_t found = 0;
    for_each_run(range, [&](const PageRun& run) { found += run.count(); });
    return found;
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
      if (solid.count > 0) tell(PageRun::solid(solid.first, solid.count));
      solid.count = 0;
    };
    for (std::uint64_t b = range.first / kBlockPages; going && b * kBlockPages < range.end(); ++b) {
      if (blocks_[b].count == 0) continue;
      const PageRange part = intersect(range, {b * kBlockPages, pages_in(b)});
      if (blocks_[b].count == pages_in(b)) {
        if (solid.count > 0 && solid.end() != part.first) flush();
        if (!going) return;
        if (solid.count == 0) solid.first = part.first;
        solid.count += part.count;
        continue;
      }
      flush();
      std::uint64_t words = blocks_[b].nonzero;
      while (going && words != 0) {
        const auto w = b * kBlockWords + static_cast<unsigned>(std::countr_zero(words));
        words &= words - 1;
        if (w * 64 + 64 <= part.first) continue;
        if (w * 64 >= part.end()) break;
        const std::uint64_t mask = words_[w] & window(w, part);
        if (mask != 0) tell(PageRun::of_word(w, mask));
      }
    }
    if (going) flush();
  }

  /// The same pages in both. Requires equal sizes.
  friend bool operator==(const PageSet& a, const PageSet& b) {
    GODWIT_CHECK(a.size_ == b.size_);
    if (a.count_ != b.count_) return false;
    for (std::uint64_t i = 0; i < a.block_count_; ++i) {
      if (a.blocks_[i].count != b.blocks_[i].count) return false;
      if (a.blocks_[i].count == 0 || a.block_full(i)) continue;
      for (std::uint64_t w = i * kBlockWords; w < (i + 1) * kBlockWords; ++w) {
        if (a.word(w) != b.word(w)) return false;
      }
    }
    return true;
  }

 private:
  std::uint64_t pages_in(std::uint64_t block) const {
    return (block + 1) * kBlockPages <= size_ ? kBlockPages : size_ - block * kBlockPages;
  }

  std::uint64_t full_word(std::uint64_t index) const {
    if ((index + 1) * 64 <= size_) return ~std::uint64_t{0};
    if (index * 64 >= size_) return 0;
    return (std::uint64_t{1} << (size_ - index * 64)) - 1;
  }

  /// The bits of word `w` that lie in `part`. Requires that some do.
  static std::uint64_t window(std::uint64_t w, PageRange part) {
    std::uint64_t mask = ~std::uint64_t{0};
    if (part.first > w * 64) mask &= ~std::uint64_t{0} << (part.first - w * 64);
    if (part.end() < w * 64 + 64) mask &= ~std::uint64_t{0} >> (w * 64 + 64 - part.end());
    return mask;
  }

  /// Gives a full block real words, so that pages can be taken out of it.
  void spell_out(std::uint64_t b) {
    blocks_[b].nonzero = 0;
    for (std::uint64_t i = 0; i < kBlockWords; ++i) {
      const std::uint64_t full = full_word(b * kBlockWords + i);
      words_[b * kBlockWords + i] = full;
      if (full != 0) blocks_[b].nonzero |= std::uint64_t{1} << i;
    }
  }

  template <class Visit>
  void in_blocks(PageRange range, Visit&& visit) {
    for (std::uint64_t b = range.first / kBlockPages; b * kBlockPages < range.end(); ++b) {
      visit(b, intersect(range, {b * kBlockPages, pages_in(b)}));
    }
  }

  std::uint64_t size_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t block_count_ = 0;
  PageBlock* blocks_ = nullptr;
  std::uint64_t* words_ = nullptr;
};

}  // namespace godwit
