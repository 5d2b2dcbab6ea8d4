#pragma once

#include <bit>
#include <cstdint>

#include "base/bits.h"
#include "base/units.h"

namespace godwit {

/// Pages first ... first + count - 1.
struct PageRange {
  PageIndex first = 0;
  std::uint64_t count = 0;
  constexpr PageIndex end() const { return first + count; }
  friend constexpr bool operator==(const PageRange&, const PageRange&) = default;
};

/// The part of `a` that is also in `b`.
constexpr PageRange intersect(PageRange a, PageRange b) {
  const PageIndex first = a.first > b.first ? a.first : b.first;
  const PageIndex end = a.end() < b.end() ? a.end() : b.end();
  return end > first ? PageRange{first, end - first} : PageRange{first, 0};
}

/// Some pages, in ascending order, in 16 bytes: either a solid run, or those of one 64-page word that a mask names.
/// A batch is a span of them in *send order*, which need not ascend. A run may be marked as zero pages.
class PageRun {
 public:
  constexpr PageRun() = default;

  /// Pages first ... first + count - 1. Requires count > 0.
  static constexpr PageRun solid(PageIndex first, std::uint64_t count) { return {first, count}; }
  /// Page 64 * word + b for every bit b of `mask`. Requires mask != 0.
  static constexpr PageRun of_word(std::uint64_t word, std::uint64_t mask) { return {word | kMaskFlag, mask}; }

  constexpr bool is_mask() const { return (where_ & kMaskFlag) != 0; }
  constexpr bool is_zero() const { return (where_ & kZeroFlag) != 0; }
  constexpr PageRun as_zero() const { return {where_ | kZeroFlag, what_}; }

  constexpr PageIndex first() const {
    return is_mask() ? word() * 64 + static_cast<unsigned>(std::countr_zero(what_)) : place();
  }
  constexpr std::uint64_t count() const { return is_mask() ? popcount(what_) : what_; }
  constexpr std::uint64_t word() const { return place(); }  ///< Requires is_mask().
  constexpr std::uint64_t mask() const { return what_; }    ///< Requires is_mask().

  /// Two numbers that say all of it, for hashes: the word or first page, times four, plus one for a mask and two for zero
  /// pages; and the mask or the count.
  constexpr std::uint64_t where() const { return std::rotl(where_, 2); }
  constexpr std::uint64_t what() const { return what_; }

  /// Whether it is a mask, of a word whose number divided by 2^`shift` is `unit`.
  constexpr bool is_mask_in(std::uint64_t unit, unsigned shift) const {
    return where_ << 1 >> (1 + shift) == (unit | kMaskFlag >> shift);
  }

  /// Cuts this run after its first `n` pages: keeps those, returns the rest. Requires 0 < n < count().
  constexpr PageRun split_after(std::uint64_t n) {
    const std::uint64_t flags = where_ & (kMaskFlag | kZeroFlag);
    if (!is_mask()) {
      const PageRun rest{(place() + n) | flags, what_ - n};
      what_ = n;
      return rest;
    }
    std::uint64_t tail = what_;
    for (std::uint64_t i = 0; i < n; ++i) tail &= tail - 1;
    const PageRun rest{place() | flags, tail};
    what_ &= ~tail;
    return rest;
  }

  friend constexpr bool operator==(const PageRun&, const PageRun&) = default;

 private:
  static constexpr std::uint64_t kMaskFlag = std::uint64_t{1} << 62;
  static constexpr std::uint64_t kZeroFlag = std::uint64_t{1} << 63;
  constexpr PageRun(std::uint64_t where, std::uint64_t what) : where_(where), what_(what) {}
  constexpr std::uint64_t place() const { return where_ & ~(kMaskFlag | kZeroFlag); }

  std::uint64_t where_ = 0;
  std::uint64_t what_ = 0;
};
static_assert(sizeof(PageRun) == 16);

/// Calls `visit(word index, mask)` for every 64-page word that `run` touches, ascending.
template <class Visit>
constexpr void for_each_word(const PageRun& run, Visit&& visit) {
  if (run.is_mask()) return visit(run.word(), run.mask());
  PageIndex page = run.first();
  std::uint64_t left = run.count();
  while (left > 0) {
    const unsigned bit = static_cast<unsigned>(page % 64);
    const std::uint64_t here = left < 64 - bit ? left : 64 - bit;
    visit(page / 64, (here == 64 ? ~std::uint64_t{0} : ((std::uint64_t{1} << here) - 1)) << bit);
    page += here;
    left -= here;
  }
}

}  // namespace godwit
