#pragma once

#include <variant>
#include <vector>

#include "scenarios/issues.h"
#include "scenarios/node.h"

namespace godwit::studies {

/// The values that {"from": "1 Gbit/s", "to": "100 Gbit/s", "steps": 20, "scale": "log"} stands for, ends included, each
/// written as a file would. Between the ends they are rounded to what people read: four digits, sizes to 1/1024 of
/// their power of two, numbers without a unit to whole ones. Nothing after saying in `issues` what is wrong.
///
/// The same on every machine: of floating point only multiplication and comparison are used, which IEEE 754 fixes.
std::vector<scenarios::Json> spaced_values(const scenarios::Node& node, scenarios::Issues& issues);

}  // namespace godwit::studies
