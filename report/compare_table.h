#pragma once

#include <string>

#include "report/run_table.h"
#include "studies/compare.h"

namespace godwit::report {

/// The strategies side by side, and what makes the difference: parts of the downtime, and who pays the CPU. A
/// difference inside the spread over the seeds is not called one. Requires one finished seed.
std::string compare_table(const studies::Comparison& comparison, const Title& title);

}  // namespace godwit::report
