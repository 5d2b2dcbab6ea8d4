#pragma once

#include "report/page.h"
#include "studies/sweep_store.h"

namespace godwit::report {

/// Adds to `page` what a sweep shows: which combinations converge, the convergence map, the downtime with its
/// confidence over the seeds, and the winner of each combination. Throws studies::StoreError where there are more
/// combinations than a page can carry.
void add_sweep(Page& page, studies::SweepStore& store);

}  // namespace godwit::report
