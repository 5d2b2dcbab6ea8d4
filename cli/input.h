#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/load.h"

namespace CLI {
class App;
}

namespace godwit::cli {

/// What every command that reads a scenario takes.
struct ScenarioArguments {
  std::string file;
  std::vector<std::string> set;  ///< "/pointer=value".
  std::optional<std::uint64_t> seed;
};

/// Adds FILE, --set and --seed to `command`, kept in `arguments`, which must outlive the reading of the command line.
void add_scenario_options(CLI::App& command, ScenarioArguments& arguments);

/// What keeps `file` from being read at all; empty: nothing. `expected` is what it should have been.
std::string trouble_with(const std::string& file, const std::string& expected);

/// The scenario, or nothing after saying on stderr all that is wrong with it.
std::optional<scenarios::Loaded> load(const ScenarioArguments& arguments);

/// The text of a file, or nothing after saying on stderr why it cannot be had. `expected` is "a golden file".
std::optional<std::string> read_text(const std::string& file, const std::string& expected);

/// The question that the scenario's file asks; empty where it asks none.
std::string question_of(const scenarios::Loaded& loaded);

}  // namespace godwit::cli
