#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "scenarios/issues.h"
#include "scenarios/node.h"

namespace godwit::scenarios {

/// What is refused however well-formed it is.
struct JsonLimits {
  std::size_t bytes = std::size_t{64} << 20;
  std::size_t depth = 64;                       ///< Of objects and lists within each other.
  std::size_t memory = std::size_t{512} << 20;  ///< About what the tree takes [bytes]: some 1.5 million values.
};

/// The document in `text` with the position of every value and name. A name given twice in one object is an issue that
/// says both places; a document that is no JSON, or beyond the limits, is one issue and no document.
std::optional<Node> read_json(std::string_view text, Issues& issues, JsonLimits limits = {});

}  // namespace godwit::scenarios
