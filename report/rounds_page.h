#pragma once

#include <vector>

#include "report/outcome_page.h"

namespace godwit::report {

/// Adds to `page` the rounds of the first migrations of the runs among `results`: pages sent and dirtied, rate and throttle.
void add_rounds(Page& page, const std::vector<ResultFile>& results);

}  // namespace godwit::report
