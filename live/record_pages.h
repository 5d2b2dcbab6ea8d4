#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <queue>
#include <span>
#include <utility>
#include <vector>

#include "live/write_tracker.h"

namespace godwit::live {

/// The memory of the guest that a recording makes up: pages numbered by first touch. A freed page is
/// used again, lowest first. Each has as many users as address spaces (or files) refer to it.
class GuestPages {
 public:
  using Page = std::uint32_t;

  Page take();
  void share(Page page) { ++users_[page]; }
  void drop(Page page);
  std::uint32_t users(Page page) const { return users_[page]; }

  /// How many pages the guest needs: one more than the highest number ever given.
  std::uint64_t size() const { return users_.size(); }

 private:
  std::vector<std::uint32_t> users_;
  std::priority_queue<Page, std::vector<Page>, std::greater<>> free_;
};

/// Which guest page stands behind which page of an address space, or of a shared file.
class PageTable {
 public:
  using Page = GuestPages::Page;

  /// The guest page that a write to `virtual_page` dirties. Takes a new one where there is none yet, and
  /// where others use it too: they keep the old one (copy on write).
  Page write_private(std::uint64_t virtual_page, GuestPages& guest);
  /// As above, for pages that all their users write together.
  Page write_shared(std::uint64_t virtual_page, GuestPages& guest);

  bool has(std::uint64_t virtual_page) const;

  /// What a forked child starts with: the same guest pages.
  PageTable fork(GuestPages& guest) const;

  /// Gives back every page outside `mapped`. Requires `mapped` ascending.
  void keep_only(std::span<const AddressRange> mapped, GuestPages& guest);
  void drop_all(GuestPages& guest) { keep_only({}, guest); }

 private:
  static constexpr std::uint64_t kChunkPages = 512;
  static constexpr Page kNone = 0xffffffff;
  using Chunk = std::array<Page, kChunkPages>;

  Page& entry(std::uint64_t virtual_page);

  std::map<std::uint64_t, std::unique_ptr<Chunk>> chunks_;  // by virtual page / kChunkPages
};

}  // namespace godwit::live
