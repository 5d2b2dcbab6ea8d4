#pragma once

#include <filesystem>
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

/// What a file holds: all of it, or one byte more than `most` where it holds more than that, since not every file has an
/// end. Nothing where it cannot be read.
std::optional<std::string> read_text(const std::filesystem::path& path, std::size_t most = JsonLimits{}.bytes);

/// The document in `text` with the position of every value and name. A name given twice in one object is an issue that
/// says both places; a document that is no JSON, or beyond the limits, is one issue and no document.
std::optional<Node> read_json(std::string_view text, Issues& issues, JsonLimits limits = {});

}  // namespace godwit::scenarios
