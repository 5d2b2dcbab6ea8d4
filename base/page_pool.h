#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bits.h"
#include "base/check.h"
#include "base/page_run.h"

namespace godwit {

/// Head of a block of 4096 pages, or of a group of 64 blocks. It is empty (count 0), full (count as many as it has pages)
/// or mixed; what is below it means something only while it is mixed.
struct PageBlock {
  std::uint64_t present = 0;  ///< Bit i: the i-th word, or block, below has a page. Meaningful while mixed.
  std::uint64_t count = 0;    ///< Pages in the set.
  union {
    std::uint64_t* words = nullptr;  ///< Of a block: 64 words.
    PageBlock* blocks;               ///< Of a group: 64 blocks.
  };
};

/// What sets do with the 64 words of a block. A table of functions, so that a host can put in those that its processor is
/// best at, while the core stays portable.
struct PageKernels {
  /// into |= from, in the words of `which`. Returns how many bits are new.
  std::uint64_t (*merge)(std::uint64_t* into, const std::uint64_t* from, std::uint64_t which);
  /// from &= ~what, in the words of `which`; takes the words that become 0 out of `present`. Returns how many bits are gone.
  std::uint64_t (*subtract)(std::uint64_t* from, const std::uint64_t* what, std::uint64_t which,
                            std::uint64_t& present);
  /// The same with the masks of block `block` that lie before `end`, from `run` on, which is moved behind them; there is one
  /// at least. merge_runs adds their words to `present`.
  std::uint64_t (*merge_runs)(std::uint64_t* into, std::uint64_t block, const PageRun*& run, const PageRun* end,
                              std::uint64_t& present);
  std::uint64_t (*subtract_runs)(std::uint64_t* from, std::uint64_t block, const PageRun*& run, const PageRun* end,
                                 std::uint64_t& present);
};

namespace plain_kernels {

inline std::uint64_t merge(std::uint64_t* into, const std::uint64_t* from, std::uint64_t which) {
  std::uint64_t added = 0;
  for_each_bit(which, [&](unsigned w) {
    added += popcount(from[w] & ~into[w]);
    into[w] |= from[w];
  });
  return added;
}

inline std::uint64_t subtract(std::uint64_t* from, const std::uint64_t* what, std::uint64_t which,
                              std::uint64_t& present) {
  std::uint64_t gone = 0;
  for_each_bit(which, [&](unsigned w) {
    gone += popcount(from[w] & what[w]);
    from[w] &= ~what[w];
    if (from[w] == 0) present &= ~(std::uint64_t{1} << w);
  });
  return gone;
}

constexpr unsigned kBlockShift = 6;  // from a word's number to its block's

inline std::uint64_t merge_runs(std::uint64_t* into, std::uint64_t block, const PageRun*& run, const PageRun* end,
                                std::uint64_t& present) {
  std::uint64_t added = 0, words = present;
  const PageRun* at = run;
  do {
    const std::uint64_t w = at->word() % 64, mask = at->mask(), old = into[w];
    into[w] = old | mask;
    added += popcount(mask & ~old);
    words |= std::uint64_t{1} << w;
  } while (++at != end && at->is_mask_in(block, kBlockShift));
  run = at;
  present = words;
  return added;
}

inline std::uint64_t subtract_runs(std::uint64_t* from, std::uint64_t block, const PageRun*& run, const PageRun* end,
                                   std::uint64_t& present) {
  std::uint64_t gone = 0, words = present;
  const PageRun* at = run;
  do {
    const std::uint64_t w = at->word() % 64, old = from[w], left = old & ~at->mask();
    from[w] = left;
    gone += popcount(old ^ left);
    words &= ~(std::uint64_t{left == 0} << w);
  } while (++at != end && at->is_mask_in(block, kBlockShift));
  run = at;
  present = words;
  return gone;
}

}  // namespace plain_kernels

inline constexpr PageKernels kPlainKernels{&plain_kernels::merge, &plain_kernels::subtract, &plain_kernels::merge_runs,
                                           &plain_kernels::subtract_runs};

/// Lends sets what they need for blocks that are neither empty nor full, and takes it back: a set costs what is in it.
/// What has been given back is lent again before `more` is asked.
class PagePool {
 public:
  /// Gives `bytes` more, aligned to 64 bytes, that outlive the pool; never fails.
  using More = void* (*)(void* owner, std::size_t bytes);

  PagePool(More more, void* owner, const PageKernels& kernels) : more_(more), owner_(owner), kernels_(&kernels) {}
  PagePool(const PagePool&) = delete;
  PagePool& operator=(const PagePool&) = delete;

  /// 64 words, all 0.
  std::uint64_t* take_words() {
    auto* words = static_cast<std::uint64_t*>(take(free_words_, kWordsBytes));
    for (int i = 0; i < 64; ++i) words[i] = 0;
    return words;
  }
  void give_words(std::uint64_t* words) { give(free_words_, words); }

  /// 64 heads, of any contents.
  PageBlock* take_blocks() { return static_cast<PageBlock*>(take(free_blocks_, kBlocksBytes)); }
  void give_blocks(PageBlock* blocks) { give(free_blocks_, blocks); }

  const PageKernels& kernels() const { return *kernels_; }

 private:
  struct Free {
    Free* next;
  };
  static constexpr std::size_t kWordsBytes = 64 * sizeof(std::uint64_t);
  static constexpr std::size_t kBlocksBytes = 64 * sizeof(PageBlock);
  static constexpr std::size_t kSlabBytes = std::size_t{64} << 10;

  void* take(Free*& list, std::size_t bytes) {
    if (list != nullptr) {
      Free* first = list;
      list = first->next;
      return first;
    }
    if (left_ < bytes) {
      slab_ = static_cast<std::byte*>(more_(owner_, kSlabBytes));
      left_ = kSlabBytes;
    }
    std::byte* taken = slab_;
    slab_ += bytes;
    left_ -= bytes;
    return taken;
  }
  static void give(Free*& list, void* what) {
    auto* first = static_cast<Free*>(what);
    first->next = list;
    list = first;
  }

  More more_;
  void* owner_;
  const PageKernels* kernels_;
  Free* free_words_ = nullptr;
  Free* free_blocks_ = nullptr;
  std::byte* slab_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace godwit
