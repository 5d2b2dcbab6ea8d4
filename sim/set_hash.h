#pragma once

#include <cstdint>
#include <span>

#include "base/page_set.h"

namespace godwit::sim {

/// A hash of which pages are in `set`, the same on any processor.
std::uint64_t hash_of(const PageSet& set);

/// Mixes the 64 words of a block into eight lanes, word w into lane w % 8.
using LaneMix = void (*)(const std::uint64_t* words, std::uint64_t* lanes);
/// All that the processor at hand can do, the plainest first and the fastest last. The results are the same.
std::span<const LaneMix> lane_mixes();

}  // namespace godwit::sim
