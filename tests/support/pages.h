#pragma once

#include <set>
#include <vector>

#include "base/page_set.h"

namespace godwit::test {

/// A page set with memory of its own, filled with rubbish to begin with, as a lender may leave it.
struct Pages {
  explicit Pages(std::uint64_t size)
      : blocks(PageSet::blocks_for({size}), PageBlock{~0ull, 77}),
        words(PageSet::words_for({size}), 0xdeadbeefdeadbeefull),
        set({size}, blocks, words) {}
  std::vector<PageBlock> blocks;
  std::vector<std::uint64_t> words;
  PageSet set;
};

/// The pages that runs name, in order.
inline std::vector<PageIndex> pages_of(std::span<const PageRun> runs) {
  std::vector<PageIndex> pages;
  for (const PageRun& run : runs) {
    for_each_word(run, [&](std::uint64_t word, std::uint64_t mask) {
      for (unsigned b = 0; b < 64; ++b) {
        if ((mask >> b & 1) != 0) pages.push_back(word * 64 + b);
      }
    });
  }
  return pages;
}

inline std::vector<PageIndex> pages_of(const PageSet& set, PageRange range) {
  std::vector<PageRun> runs;
  set.for_each_run(range, [&](const PageRun& run) { runs.push_back(run); });
  return pages_of(runs);
}

}  // namespace godwit::test
