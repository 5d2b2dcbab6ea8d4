#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/units.h"

namespace godwit::models {

/// How writes are noticed.
enum class Tracker : std::uint8_t { kShadowPageTables, kEptWriteProtect, kPml, kDirtyRing, kGuestPageTables, kTcg };
inline constexpr std::size_t kTrackers = 6;

/// What one way of tracking costs, in CPU time.
struct TrackerCosts {
  Nanos first_write{0};    ///< Fault of the first write to a protected page; paid on the writing virtual CPU.
  Nanos read_per_gib{0};   ///< Reading the log of 1 GiB, whatever is in it.
  Nanos clear_per_gib{0};  ///< Protecting 1 GiB again, whatever is in it.
  Nanos per_page{0};       ///< On top, for each page reported.
};

/// What the boundary between guest, hypervisor and network costs on a kind of host. All CPU time, zero by default.
struct CostProfile {
  std::string name = "ideal";
  bool cpu_unlimited = true;  ///< Work takes the time below but never waits for a core.

  Nanos copy_page{0};         ///< Reading a page and handing it to the network, at the sender.
  Nanos zero_test_page{0};    ///< Testing a page for zeroes.
  Nanos zero_page{0};         ///< On top, finding that a page is zero: at the sender, and again at the receiver.
  Nanos delta_page{0};        ///< Finding what has changed in a page since it was sent.
  Nanos protocol_page{0};     ///< Network protocol work per page, sender and receiver each.
  Nanos apply_page{0};        ///< Putting an arrived page in place.
  Nanos first_touch_page{0};  ///< First touch of a page of the destination's memory, on top of apply_page.
  Nanos missing_fault{0};     ///< From a touch of a missing page until the request for it goes out.
  Nanos map_batch{0};         ///< Mapping 1024 foreign pages to read them from outside.
  Nanos shadow_copy_page{0};  ///< Copying a page aside.
  Nanos pause{0};             ///< Stopping the virtual CPUs.
  Nanos resume{0};            ///< Starting them again.
  Nanos device_load{0};       ///< Restoring devices at the destination.
  Nanos inflate_table{0};     ///< Remapping one page-table page after arrival.
  Nanos announce{0};          ///< From resume until the network sends to the new place.
  Bytes send_buffer{0};       ///< What the kernel has taken over of a connection while its sender is ahead of the link.
  Nanos free_scan_per_gib{0};  ///< Finding out which pages of 1 GiB nobody uses, for the guest itself.
  Nanos free_block{0};         ///< Telling a hypervisor of a free block of 4 MiB.
  Nanos balloon_page{0};       ///< Giving one page to a balloon, from the guest's allocator to the host's.
  Nanos disk_read_per_gib{0};  ///< Reading 1 GiB from a disk again, for a guest that has come without its page cache.
  std::array<TrackerCosts, kTrackers> trackers{};

  const TrackerCosts& of(Tracker tracker) const { return trackers[static_cast<std::size_t>(tracker)]; }
};

}  // namespace godwit::models
