#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "scenarios/load.h"
#include "sim/result.h"

/// What must hold of any run, beside what the oracles inside it watch. What does not is a broken invariant.
namespace godwit::studies {

/// Every reason that a migration gives for how it ended, the empty one first.
const std::vector<std::string_view>& reasons();

/// The figures fit each other, and whatever went wrong has a cause in the scenario.
void check_result(const sim::RunOptions& options, const sim::RunResult& result);

/// The same scenario comes to the same again; it does with real bytes where it had none, and without where it had some;
/// and so does the effective scenario that the result carries.
void check_repeats(const sim::RunOptions& options, const sim::RunResult& result);
void check_contents(const sim::RunOptions& options, const sim::RunResult& result);
void check_effective(const scenarios::Loaded& loaded, const sim::RunResult& result);

/// The checkpoint that the `migration`-th migration wrote starts; cut short or altered, at places that `noise` chooses,
/// it does not.
void check_checkpoint(const scenarios::Loaded& loaded, std::uint32_t migration, const sim::RunResult& result,
                      std::uint64_t noise);

}  // namespace godwit::studies
