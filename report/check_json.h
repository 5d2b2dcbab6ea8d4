#pragma once

#include <span>

#include "report/run_json.h"
#include "studies/check.h"

namespace godwit::report {

/// The document of a check. The same check gives the same bytes.
Json check_json(std::span<const studies::Check> checks);

}  // namespace godwit::report
