#pragma once

#include <span>
#include <string>

#include "studies/check.h"

namespace godwit::report {

/// A check as JUnit XML, which CI systems show: one suite, one test case for each scenario; what was not run is skipped.
/// There are no times in it, since the same check gives the same bytes.
std::string junit_xml(std::span<const studies::Check> checks);

}  // namespace godwit::report
