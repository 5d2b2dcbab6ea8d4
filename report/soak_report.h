#pragma once

#include <string>
#include <vector>

#include "report/run_json.h"
#include "studies/soak.h"

namespace godwit::report {

/// A way in which seeds failed, and how to see it again.
struct SoakFinding {
  studies::SoakFailure first;
  std::uint64_t seeds = 1;  ///< How many failed in that way.
  std::string replay;       ///< The command.
};

/// What became of the seeds. The same seeds give the same text.
std::string soak_table(const studies::SoakSummary& summary, const std::vector<SoakFinding>& findings);
Json soak_json(const studies::SoakSummary& summary, const std::vector<SoakFinding>& findings);

}  // namespace godwit::report
