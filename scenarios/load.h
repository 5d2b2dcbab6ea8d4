#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "scenarios/issues.h"
#include "scenarios/node.h"
#include "scenarios/spec.h"
#include "sim/options.h"

namespace godwit::scenarios {

/// A scenario that is right.
struct Loaded {
  sim::RunOptions options;
  Json effective;  ///< With every default written out; loading it again gives the same options.
  Json document;   ///< What was given, with the overrides in it.
  std::string file;
  std::filesystem::path base_dir;  ///< What paths in it are relative to.
  std::vector<Expectation> expect;
};

/// A scenario, or everything that is wrong with it.
using LoadResult = std::variant<Loaded, std::vector<Issue>>;

/// "/pointer=value" each, applied before anything is judged.
using Overrides = std::vector<std::string>;

LoadResult load_file(const std::filesystem::path& path, const Overrides& overrides = {});

/// `file` is what issues call it; the files it mentions are relative to `base_dir`.
LoadResult load_text(std::string_view text, std::string file, const std::filesystem::path& base_dir,
                     const Overrides& overrides = {});

LoadResult load_document(const Json& document, std::string file, const std::filesystem::path& base_dir,
                         const Overrides& overrides = {});

/// The tree in a file, or nothing after saying in `issues` what is wrong.
std::optional<Node> read_document(const std::filesystem::path& path, Issues& issues);

/// What the scenario `root` runs, or everything that is wrong with it. A load without what a run does not need, for
/// very many that differ in a few values.
std::variant<sim::RunOptions, std::vector<Issue>> options_of(const Node& root, const std::string& file,
                                                             const std::filesystem::path& base_dir);

/// Sets what a pointer leads to: "/guests/0/memory=2 GiB". The value is JSON where it parses as such, else a text.
/// Objects on the way are made, an element just beyond a list's end is appended, and a strategy or profile given by
/// name becomes an object with that name. Returns what is wrong, if anything; then the document is unchanged.
std::optional<std::string> apply_set(Json& document, std::string_view assignment);
std::optional<std::string> apply_set(Node& document, std::string_view assignment);

/// Puts `value` where `pointer` leads, on the same terms. Where that is nowhere, what was made on the way stays.
std::optional<std::string> set_at(Node& document, std::string_view pointer, const Json& value);

/// The document with the strategy `name` in place of every migration's own. Goals stay.
Json with_strategy(Json document, const std::string& name);

/// The same scenario under another strategy.
LoadResult with_strategy(const Loaded& loaded, const std::string& name);

/// The issues one under the other, each line ended.
std::string to_string(const std::vector<Issue>& issues);

}  // namespace godwit::scenarios
