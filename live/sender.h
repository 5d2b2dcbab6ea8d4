#pragma once

#include <span>

#include "core/source.h"
#include "live/link.h"

namespace godwit::live {

/// What the migration itself lives in at the source, besides its stack: carved from one stretch of memory, so that a
/// guest that moves itself can have it within its own.
class SenderSpace {
 public:
  /// Bytes that are needed for a guest of `pages`.
  static std::size_t size_for(Pages pages);

  /// Lays itself out in `memory`, which must be aligned to a page, have size_for(pages) bytes, and outlive it.
  SenderSpace(std::span<std::byte> memory, Pages pages);

  /// The pages of it that sending at `rate` writes, and of the sender's stack: what a guest that moves itself dirties.
  static Pages written_by_sending(Pages pages, BitsPerSecond rate);

  const core::SourceSpace& core() const { return core_; }
  const Link::Space& link() const { return link_; }

 private:
  core::SourceSpace core_;
  Link::Space link_;
};

/// `plan` as it is carried out here: batches that a cancel, or the end of a time slice, need not wait long for.
core::Plan in_batches(core::Plan plan);

/// Runs a migration over ports that block. `plan` must be in batches.
core::Outcome migrate(const core::Plan& plan, const core::SourcePorts& ports, const SenderSpace& space);

}  // namespace godwit::live
