#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sim/records.h"

namespace godwit::studies {

/// A semantic record as golden files say it, one line each:
///     "1.234567890 s web log_read set 9f86d081884c7d65"
std::string record_text(const sim::SemanticRecord& record, std::string_view guest);

/// The words of such a line.
struct RecordWords {
  std::string at;     ///< "1.234567890 s".
  std::string guest;  ///< "web".
  std::string kind;   ///< "log_read".
  std::string value;  ///< "set 9f86d081884c7d65".
};

/// Nothing where `text` is no such line.
std::optional<RecordWords> record_words(std::string_view text);

}  // namespace godwit::studies
