#pragma once

#include <string>
#include <vector>

#include "scenarios/node.h"
#include "scenarios/spec.h"

namespace godwit::studies {

/// An expectation that a result does not meet.
struct Unmet {
  std::string pointer;
  std::string expected;  ///< "at most 300".
  std::string found;     ///< "412.5", or "nothing there".
};

/// Those of `expected` that the result document does not meet, in their order. A pointer to nothing is unmet.
std::vector<Unmet> unmet(const scenarios::Json& result, const std::vector<scenarios::Expectation>& expected);

}  // namespace godwit::studies
