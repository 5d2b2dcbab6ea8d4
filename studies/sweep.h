#pragma once

#include <cstdint>

#include "studies/parallel.h"
#include "studies/sweep_file.h"
#include "studies/sweep_store.h"

namespace godwit::studies {

/// What describes the results of `shard` of `sweep`.
StoreHeader header_of(const Sweep& sweep, const std::string& file, Shard shard);

/// Whether `found` is an output of what `wanted` describes, and of this version. Empty: it is; else what differs.
std::string other_than(const StoreHeader& found, const StoreHeader& wanted);

/// The points of the store's shard that it has no row of, in order.
std::vector<std::uint64_t> missing_points(SweepStore& store);

/// Runs one point. A combination of values that is no scenario becomes a row too.
Row run_point(const Sweep& sweep, const SweepRows& rows, std::uint64_t number);

/// Runs `points` of `sweep` and commits their rows as they come; in which order does not depend on anything that the rows
/// depend on. Where `progress` ends it early, or something
/// is thrown, what was done is kept. Throws StoreError, or what a run throws.
void run_points(const Sweep& sweep, const std::vector<std::uint64_t>& points, std::uint32_t jobs, SweepStore& store,
                const Progress& progress);

}  // namespace godwit::studies
