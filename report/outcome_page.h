#pragma once

#include <string>
#include <vector>

#include "report/page.h"

namespace godwit::report {

/// A document of `run --json` or `compare --json`, and the file that it was in.
struct ResultFile {
  std::string file;
  Json document;
};

/// What such documents show side by side: downtime and its parts, time and bytes, who pays the CPU; of comparisons the
/// spread over the seeds, of runs the rounds. Named after the first scenario.
Page outcomes_page(const std::vector<ResultFile>& results);

}  // namespace godwit::report
