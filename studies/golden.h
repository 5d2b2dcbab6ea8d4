#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "scenarios/load.h"
#include "sim/result.h"
#include "studies/tail.h"

/// What a scenario came to when somebody last looked and found it right.
namespace godwit::studies {

struct Golden {
  std::string version;   ///< Of the Godwit that made it.
  std::string scenario;  ///< Hash of what the scenario's file says of the run: no question, no expectation.
  std::uint64_t seed = 0;
  std::string digest;                ///< Over the records, 16 hexadecimal digits.
  std::vector<std::string> records;  ///< As `record_text` says them. Of a file: the first ones.
  std::optional<Tail> more_records;  ///< The others. Only of a file.
  /// As the result's document has them, with the first 30 rounds of each. Of a file: the first ones.
  std::vector<scenarios::Json> migrations;
  std::optional<Tail> more_migrations;  ///< The others, a line of JSON each. Only of a file.
};

/// The golden that the run of `scenario` leaves, with everything in full. `document` is the result as JSON.
Golden golden_of(const sim::RunResult& result, const scenarios::Loaded& scenario, const scenarios::Json& document);

/// The golden's file: the first 800 records and 10 migrations in full, hashes of the rest. Ends with a newline.
std::string golden_text(const Golden& golden);

/// The golden in `text`, or all that is wrong with it. `file` is what issues call it.
std::variant<Golden, std::vector<scenarios::Issue>> read_golden(std::string_view text, const std::string& file);

/// What `more_migrations` is made of.
std::vector<std::string> migration_lines(std::span<const scenarios::Json> migrations);

/// Where the golden of a scenario lies: golden/NAME.json beside NAME.json.
std::filesystem::path golden_path(const std::filesystem::path& scenario);

}  // namespace godwit::studies
