#pragma once

#include <vector>

#include "report/run_json.h"
#include "studies/predict.h"

namespace godwit::report {

/// What predict_table and, where there are any, differences_table say. The same prediction gives the same bytes.
Json predict_json(const studies::PredictOptions& options, const studies::Predictions& predictions,
                  const std::vector<studies::ModelDifference>& differences, const Json& effective);

/// What gudkov_table says, with all digits.
Json gudkov_json(const studies::PredictOptions& options, const studies::DirtySamples& samples);

}  // namespace godwit::report
