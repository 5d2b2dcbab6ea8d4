#pragma once

#include <cstdint>
#include <filesystem>

#include "scenarios/node.h"

namespace godwit::studies {

/// The name of the recording that drawn scenarios play, relative to themselves.
inline constexpr const char* kSoakRecording = "soak.gwt";

/// Writes that recording into `folder`, the same each time. Throws std::runtime_error where it cannot be written.
void write_soak_recording(const std::filesystem::path& folder);

/// The scenario that `seed` stands for: small guests, and anything that a scenario file can say about them and may happen
/// to them. The same seed gives the same document; it loads where the recording lies in its folder.
scenarios::Json soak_scenario(std::uint64_t seed);

}  // namespace godwit::studies
