#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scenarios/node.h"

namespace godwit::studies {

/// A value that two documents do not share.
struct Change {
  std::string pointer;  ///< Where it stands in the second, or in the first where the second has none.
  std::string item;     ///< Of which element of a list it speaks, where elements have names: "guest, a, copy".
  std::optional<scenarios::Json> from, to;  ///< Nothing: not there.

  /// (to - from) / |from|, where both are numbers and the first is not 0.
  std::optional<double> relative() const;
};

/// All that differs, in the order of the documents. Elements of a list are matched by what they are called (`name`;
/// payer, host and activity of a bill; the seed of a run), where all have such names and those that both lists have come
/// in the same order; else by their place.
std::vector<Change> changes(const scenarios::Json& from, const scenarios::Json& to);

}  // namespace godwit::studies
