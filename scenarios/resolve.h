#pragma once

#include <filesystem>

#include "scenarios/issues.h"
#include "scenarios/spec.h"
#include "sim/options.h"

namespace godwit::scenarios {

/// Turns names into indices and checks what a field alone cannot show. Says in `issues` what does not fit together, apart
/// from what follows from issues that are there already. Fills in the names in `spec` that may stay away.
/// The options are right only where `issues` is empty in the end.
sim::RunOptions resolve(ScenarioSpec& spec, const std::filesystem::path& base_dir, Issues& issues);

}  // namespace godwit::scenarios
