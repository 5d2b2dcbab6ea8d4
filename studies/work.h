#pragma once

#include <cstddef>
#include <vector>

#include "sim/result.h"

/// When a guest lost work, and how much.
namespace godwit::studies {

/// A stretch of a migration, counted from its request on.
struct WorkStretch {
  Nanos from{0}, to{0};
  Nanos lost{0};  ///< Of the guest's work: as much as the stretch is long where it stood still.
};

/// From the end of each round to the end of the next, and what is left of the migration after the last.
std::vector<WorkStretch> work_over_time(const sim::MigrationResult& migration);

/// The same in at most `most` stretches, neighbours put together. Requires most >= 1.
std::vector<WorkStretch> merged(const std::vector<WorkStretch>& stretches, std::size_t most);

/// As many as a chart shows.
inline constexpr std::size_t kWorkStretchesMost = 500;

}  // namespace godwit::studies
