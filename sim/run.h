#pragma once

#include "sim/arena.h"
#include "sim/options.h"
#include "sim/result.h"

namespace godwit::sim {

/// Runs a scenario to its end or its horizon. The result depends on the options alone: same options, same bytes.
/// Throws std::runtime_error where a trace cannot be read. A broken invariant panics.
RunResult run(const RunOptions& options);
/// The same, with memory from `arena`: for one run after another.
RunResult run(const RunOptions& options, Arena& arena);

}  // namespace godwit::sim
