#pragma once

#include <string>
#include <vector>

#include "scenarios/node.h"
#include "studies/real_run.h"

namespace godwit::studies {

/// What of a real migration Godwit has no model for; empty: it can be predicted.
std::vector<std::string> not_modelled(const RealRun& run);

/// The scenario that predicts `run`: from its parameters and the guest's rate before the migration, never from its
/// result. Requires that nothing of it is not modelled.
scenarios::Json scenario_of(const RealRun& run);

}  // namespace godwit::studies
