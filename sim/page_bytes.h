#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/page_set.h"

namespace godwit::sim {

/// Memory with real bytes in it, for guests that are small enough. Pages hold noise at first, or zeroes; every write
/// leaves other bytes, and never a page of zeroes.
class PageBytes {
 public:
  /// Zeroes throughout, as memory is that nobody has touched.
  PageBytes(Pages size, Bytes page_size)
      : page_size_(static_cast<std::size_t>(page_size.value)), bytes_(size.value * page_size_) {}

  /// Fills all pages but those of `zero` with noise of `seed` and `consumer`.
  void fill(const PageSet& zero, std::uint64_t seed, std::uint64_t consumer);
  /// Each page of `run` is written once.
  void write(const PageRun& run);
  bool is_zero(PageIndex page) const;
  /// Puts the pages of `run` in place: zeroes, or what it takes from the front of `payload`.
  void place(const PageRun& run, std::span<const std::byte>& payload);

  std::span<const std::byte> page(PageIndex index) const {
    return std::span(bytes_).subspan(static_cast<std::size_t>(index) * page_size_, page_size_);
  }
  std::span<std::byte> page(PageIndex index) {
    return std::span(bytes_).subspan(static_cast<std::size_t>(index) * page_size_, page_size_);
  }
  std::span<const std::byte> all() const { return bytes_; }

  /// Whether all pages but those of `some` are the same in `other`.
  bool equals_but_for(const PageBytes& other, const PageSet& some) const;

 private:
  std::size_t page_size_;
  std::vector<std::byte> bytes_;
};

/// Pages copied aside.
using ShadowBytes = std::map<PageIndex, std::vector<std::byte>>;

/// Calls `visit(page)` for every page of `run`, ascending.
template <class Visit>
void for_each_page(const PageRun& run, Visit&& visit) {
  for_each_word(run, [&](std::uint64_t word, std::uint64_t mask) {
    for (; mask != 0; mask &= mask - 1) visit(word * 64 + static_cast<unsigned>(std::countr_zero(mask)));
  });
}

}  // namespace godwit::sim
