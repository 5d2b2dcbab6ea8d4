#pragma once

#include <cstdint>
#include <span>

#include "live/dirty_log.h"

namespace godwit::live {

/// A hash of one page (XXH3, 64 bits). It shares nothing with the checksum that guards the stream.
std::uint64_t page_hash(const std::byte* page);

/// The hash of each page of this process' `memory`, to `out`, which has room for them.
void page_hashes(Span memory, std::span<std::uint64_t> out);

}  // namespace godwit::live
