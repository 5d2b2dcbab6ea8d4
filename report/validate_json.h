#pragma once

#include "report/run_json.h"
#include "studies/published.h"
#include "studies/validate.h"

namespace godwit::report {

/// The document of a validation. `predicted` and `measured` have the names of the records' own `result`; `error` is
/// relative to what was measured. Where a run cannot be predicted, `predicted` is null and `not_modelled` says why.
Json validate_json(const std::vector<studies::PublishedFigure>& published, const studies::Validation& validation);

}  // namespace godwit::report
