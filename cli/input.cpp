#include "cli/input.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <variant>

#include "scenarios/json_reader.h"

namespace godwit::cli {

std::string trouble_with(const std::string& file, const std::string& expected) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(file, error);
  if (status.type() == std::filesystem::file_type::not_found) return "there is no such file";
  if (error) return error.message();
  if (std::filesystem::is_directory(status)) return "this is a directory; expected " + expected;
  if (::access(file.c_str(), R_OK) != 0) return fmt::format("this file cannot be read: {}", std::strerror(errno));
  if (std::filesystem::is_regular_file(status) && std::filesystem::file_size(file, error) == 0)
    return "this file is empty; expected " + expected;
  return {};
}

void add_scenario_options(CLI::App& command, ScenarioArguments& arguments) {
  command.add_option("file", arguments.file, "Scenario file")->required()->type_name("FILE");
  command
      .add_option("--set", arguments.set, "Set a value of the scenario, such as '/guests/0/memory=8 GiB'; repeatable")
      ->type_name("/POINTER=VALUE")
      ->expected(1)
      ->take_all();
  // Not by CLI11's own conversion, which takes -1 for the largest number there is.
  command.add_option("--seed", arguments.seed, "Seed of all that is random, in place of the scenario's")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{INT64_MAX}))
      ->type_name("N");
}

std::optional<scenarios::Loaded> load(const ScenarioArguments& arguments) {
  if (const std::string trouble = trouble_with(arguments.file, "a scenario file"); !trouble.empty()) {
    fmt::print(stderr, "{}: {}\n", arguments.file, trouble);
    return std::nullopt;
  }
  scenarios::Overrides overrides = arguments.set;
  if (arguments.seed) overrides.push_back(fmt::format("/seed={}", *arguments.seed));
  auto result = scenarios::load_file(arguments.file, overrides);
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&result)) {
    fmt::print(stderr, "{}", scenarios::to_string(*issues));
    return std::nullopt;
  }
  return std::get<scenarios::Loaded>(std::move(result));
}

std::optional<std::string> read_text(const std::string& file, const std::string& expected) {
  std::string trouble = trouble_with(file, expected);
  std::optional<std::string> text;
  if (trouble.empty() && !(text = scenarios::read_text(file))) trouble = "this file cannot be read";
  if (text) return text;
  fmt::print(stderr, "{}: {}\n", file, trouble);
  return std::nullopt;
}

std::string question_of(const scenarios::Loaded& loaded) {
  const auto question = loaded.effective.find("question");
  return question != loaded.effective.end() && question->is_string() ? question->get<std::string>() : std::string();
}

}  // namespace godwit::cli
