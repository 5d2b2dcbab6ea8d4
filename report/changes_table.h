#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "report/run_json.h"
#include "studies/changes.h"

namespace godwit::report {

/// Fields that moved: from, to, and by how much. What belongs to single rounds comes last, and what is beyond two dozen
/// fields is counted only. Lines are indented by `indent`.
std::string changes_table(std::span<const studies::Change> changes, std::size_t indent);

/// What a change says of a field, for documents.
Json changes_json(std::span<const studies::Change> changes);

/// "+0.35 %"; empty where that says nothing.
std::string relative(const studies::Change& change);

}  // namespace godwit::report
