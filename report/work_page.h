#pragma once

#include <vector>

#include "report/outcome_page.h"

namespace godwit::report {

/// Adds to `page` how the guest's work went before, during and after each of the first migrations of runs among
/// `results`, and under each strategy of comparisons of one migration, in the run with the median downtime: as QEMU's
/// guestperf has it, how long it takes to write a GiB.
void add_work(Page& page, const std::vector<ResultFile>& results);

}  // namespace godwit::report
