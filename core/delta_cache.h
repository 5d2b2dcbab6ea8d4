#pragma once

#include <cstdint>
#include <span>

#include "base/units.h"

namespace godwit::core {

/// The pages whose contents the source remembers as it sent them last, so that only what has changed since need go: a
/// direct-mapped cache by page number. Here it knows which pages it has; their contents are the host's. Source: QEMU,
/// migration/page_cache.c.
class DeltaCache {
 public:
  struct Slot {
    PageIndex page = UINT64_MAX;
    std::uint32_t used = 0;  ///< The round in which it was used last.
  };

  /// Without slots it is off. Requires a power of two, or none.
  explicit DeltaCache(std::span<Slot> slots) : slots_(slots) {
    GODWIT_CHECK((slots_.size() & (slots_.size() - 1)) == 0);
    for (Slot& slot : slots_) slot = {};
  }

  bool on() const { return !slots_.empty(); }

  /// Whether `page` is in it; then it is used in `round`.
  bool use(PageIndex page, std::uint32_t round) {
    Slot& slot = slot_of(page);
    if (slot.page != page) return false;
    slot.used = round;
    return true;
  }

  /// Takes `page` in, unless the one in its place was used in this round or the one before.
  void keep(PageIndex page, std::uint32_t round) {
    Slot& slot = slot_of(page);
    if (slot.page != UINT64_MAX && slot.used + 2 > round) return;
    slot = {page, round};
  }

 private:
  Slot& slot_of(PageIndex page) { return slots_[page & (slots_.size() - 1)]; }
  std::span<Slot> slots_;
};

}  // namespace godwit::core
