#pragma once

#include "base/page_set.h"
#include "sim/guest_memory.h"
#include "sim/options.h"
#include "sim/result.h"

namespace godwit::sim {

/// The pages of page tables that map `size` pages: one for each 512 (x86-64).
constexpr Pages page_table_pages(Pages size) { return {(size.value + 511) / 512}; }

/// What the sending itself dirties in a guest that moves itself. It lies at the start of the guest's used memory, where
/// its kernel keeps it: descriptor rings, sockets and stack; the dirty bitmap; the buffers of what is in flight; and
/// the page tables that write-protection rewrites, one page of them for each 512 pages.
/// Which pages these are is our inference from Clark et al. 2005, section 5.2, and Hansen's thesis.
class SenderSet {
 public:
  /// Nothing is dirtied by sending.
  SenderSet() = default;
  /// Places the set in `memory`, with buffers for `in_flight_max`. Throws std::runtime_error where it does not fit.
  SenderSet(const SenderOptions& options, GuestMemory& memory, const std::string& guest, Bytes in_flight_max);

  /// What is dirtied as long as something is sent.
  Pages pages() const;

  /// The whole memory has been protected.
  void protected_all(GuestMemory& memory);
  /// The pages that `protect` was told of have been protected. Two calls, since what protecting writes is marked
  /// after the marks of what was reported are gone.
  void protect(const PageSet& pages, PageRange range);
  void protected_those(GuestMemory& memory);
  /// Something begins to be sent, with so much of it in flight at a time.
  void sends(GuestMemory& memory, Pages in_flight) {
    if (derived_) in_flight_ = in_flight;
    if (shadowed_) memory.scribble(rings_);
  }
  /// It was sent: what that dirties is marked, and what it was goes into the figures.
  void sent(GuestMemory& memory, MigrationResult& result);
  /// The rest of the sending is from the shadow: what it dirties belongs to no checkpoint.
  void shadowed() { shadowed_ = true; }

 private:
  PageRange rings_{}, bitmap_{}, buffers_{}, tables_{};
  Pages in_flight_{0};
  Pages tables_written_{0};
  std::vector<PageIndex> tables_touched_;  // by the last protect, not marked yet
  bool derived_ = false;
  bool shadowed_ = false;
};

}  // namespace godwit::sim
