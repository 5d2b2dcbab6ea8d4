#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/page_pool.h"

namespace godwit::sim {

/// Memory that migrations take while they last, and runs one after another: whatever has been given back is lent again
/// before more is asked of the system. Outlives every run that uses it; one run at a time.
class Arena {
 public:
  /// What the core of one migration lives in, beside its sets of pages.
  static constexpr std::size_t kSpaceBytes = std::size_t{60} << 10;

  Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  PagePool& pages() { return pages_; }

  /// kSpaceBytes, aligned to 64 bytes and of any contents.
  std::byte* take_space();
  void give_space(std::byte* space) { spaces_.push_back(space); }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::byte* more(std::size_t bytes);

  std::vector<std::unique_ptr<Line[]>> slabs_;
  std::vector<std::byte*> spaces_;
  PagePool pages_;
};

}  // namespace godwit::sim
