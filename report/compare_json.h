#pragma once

#include "report/run_json.h"
#include "studies/compare.h"

namespace godwit::report {

/// The document of a comparison: for each strategy what every seed came to. The same comparison gives the same bytes.
Json compare_json(const studies::Comparison& comparison, const Json& effective);

}  // namespace godwit::report
