#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "scenarios/load.h"
#include "studies/soak.h"

namespace godwit::studies {

/// What became of one seed, as a child process writes it to its pipe.
struct SoakRecord {
  struct Ending {
    std::uint8_t strategy, status, reason;  // places in strategies(), sim::Status, reasons()
  };
  static constexpr std::size_t kMost = 8;  // migrations of a drawn scenario

  std::uint64_t digest = 0;
  std::uint32_t workloads = 0, events = 0, checks = 0;  // bit i: the i-th kind occurs
  bool refused = false;
  std::uint8_t migrations = 0;
  std::array<Ending, kMost> endings{};
};
static_assert(std::is_trivially_copyable_v<SoakRecord>);

/// Runs what `seed` stands for, and looks at it in ways that the seed chooses.
SoakRecord soak_seed(std::uint64_t seed, const std::filesystem::path& folder);

/// Adds a seed to a summary.
void add(SoakSummary& summary, const SoakRecord& record);

}  // namespace godwit::studies
