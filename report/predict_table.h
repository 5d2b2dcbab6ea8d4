#pragma once

#include <string>
#include <vector>

#include "studies/predict.h"

namespace godwit::report {

/// What the core says, for people: total time and downtime by bandwidth and limit, the least that makes it converge, and
/// what post-copy would cost.
std::string predict_table(const studies::PredictOptions& options, const studies::Predictions& predictions);

/// Where the core and the model gudkov_2023 give another total time, and which of their parts that comes from.
std::string differences_table(const studies::PredictOptions& options,
                              const std::vector<studies::ModelDifference>& differences);

/// The table of the model: whole seconds, rounded up.
std::string gudkov_table(const studies::PredictOptions& options, const studies::DirtySamples& samples);

}  // namespace godwit::report
