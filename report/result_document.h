#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "report/run_json.h"
#include "scenarios/issues.h"
#include "studies/changes.h"

namespace godwit::report {

/// The document of `run --json` or `compare --json` in `text`, or what is wrong with it. `file` is what issues call it.
std::variant<Json, std::vector<scenarios::Issue>> read_result(std::string_view text, const std::string& file);

/// What two such documents do not share, apart from who made them.
struct ResultDifference {
  std::vector<studies::Change> scenario;  ///< What was run.
  std::vector<studies::Change> result;    ///< What came of it, digests among it.
  bool any() const { return !scenario.empty() || !result.empty(); }
};

ResultDifference difference(const Json& from, const Json& to);

/// The same for people.
std::string difference_table(const ResultDifference& difference, const Json& from, const Json& to);

}  // namespace godwit::report
