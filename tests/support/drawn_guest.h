#pragma once

#include <algorithm>
#include <optional>

#include "base/page_set.h"
#include "tests/support/reference_guest.h"
#include "workloads/workload.h"

namespace godwit::test {

inline constexpr Bytes kTestPage{4096};

/// Bytes of `n` pages of a test guest.
constexpr Bytes pages(std::uint64_t n) { return {n * kTestPage.value}; }

inline void put(Bitmap& found, const PageRun& run) {
  for_each_word(run, [&](std::uint64_t word, std::uint64_t mask) { found[word] |= mask; });
}

/// Some memory, read at some instant. `range` begins and ends on blocks, or at the end of memory.
struct Look {
  PageRange range;
  Nanos at;
};

/// A workload as Godwit draws it, each block up to the instant of its last look.
class DrawnGuest {
 public:
  DrawnGuest(const workloads::Options& options, PageRange touchable, std::uint64_t guest_pages, std::uint64_t seed)
      : pages_(guest_pages),
        drawn_(PageSet::blocks_for({guest_pages}), Nanos{0}),
        workload_(options, touchable, kTestPage, seed, 1) {}

  /// What was written to the range since it was last looked at.
  Bitmap look(const Look& look) {
    Bitmap found = no_pages(pages_);
    for (std::uint64_t b = look.range.first / PageSet::kBlockPages; b * PageSet::kBlockPages < look.range.end();) {
      std::uint64_t same = b + 1;
      while (same < drawn_.size() && same * PageSet::kBlockPages < look.range.end() && drawn_[same] == drawn_[b])
        ++same;
      const PageRange blocks = intersect({b * PageSet::kBlockPages, (same - b) * PageSet::kBlockPages}, {0, pages_});
      workload_.writes(blocks, drawn_[b], look.at, [&](const PageRun& run) { put(found, run); });
      for (; b < same; ++b) drawn_[b] = look.at;
    }
    return found;
  }

  const workloads::Workload& workload() const { return workload_; }

 private:
  std::uint64_t pages_;
  std::vector<Nanos> drawn_;
  workloads::Workload workload_;
};

/// The same looks at the reference.
inline Bitmap look_at(ReferenceGuest& guest, const Look& look) {
  guest.run_until(look.at);
  Bitmap found = guest.log(look.range);
  guest.forget(look.range);
  return found;
}

}  // namespace godwit::test
