#include "studies/check.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "report/check_json.h"
#include "report/check_table.h"
#include "report/junit.h"
#include "report/run_json.h"

namespace godwit::cli {
namespace {

namespace fs = std::filesystem;
using studies::Check;

struct CheckArguments {
  std::vector<std::string> files;
  bool update = false;
  bool require_golden = false;
  std::uint32_t jobs = std::max(1u, std::thread::hardware_concurrency());
  std::string json, junit;
};

/// Opens the file that `option` names, where it names one. False after saying what went wrong.
bool open(const char* option, const std::string& path, std::optional<Output>& output) {
  if (path.empty()) return true;
  auto opened = Output::open(path);
  if (const auto* trouble = std::get_if<std::string>(&opened)) {
    refuse("check", fmt::format("{}: {}", option, *trouble));
    return false;
  }
  output.emplace(std::get<Output>(std::move(opened)));
  return true;
}

/// All *.json in `folder`, by name.
std::vector<std::string> scenarios_in(const fs::path& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == ".json" && !entry.is_directory(error)) files.push_back(entry.path().string());
  std::ranges::sort(files);
  return files;
}

/// The scenarios that `names`, files and folders, stand for, each once. Nothing after saying which stands for none.
std::optional<std::vector<std::string>> scenario_files(std::vector<std::string> names) {
  if (names.empty()) names.emplace_back("scenarios/library");
  std::vector<std::string> files;
  for (const std::string& name : names) {
    std::error_code ignored;
    const bool folder = fs::is_directory(name, ignored);
    const std::vector<std::string> found = folder ? scenarios_in(name) : std::vector{name};
    if (found.empty()) {
      refuse("check", fmt::format("{}: there is no scenario in this folder", name));
      return std::nullopt;
    }
    for (const std::string& each : found)
      if (std::ranges::find(files, each) == files.end()) files.push_back(each);
  }
  return files;
}

/// The golden in the file of `check`, if there is one. False after saying what is wrong with it.
bool read_golden(Check& check) {
  std::error_code ignored;
  const std::string file = check.golden_path.string();
  if (!fs::exists(check.golden_path, ignored)) return true;
  const std::optional<std::string> text = read_text(file, "a golden file");
  if (!text) return false;
  auto golden = studies::read_golden(*text, file);
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&golden)) {
    fmt::print(stderr, "{}", scenarios::to_string(*issues));
    return false;
  }
  check.golden = std::get<studies::Golden>(std::move(golden));
  return true;
}

/// Everything that is to be run, or nothing after saying all that is wrong with any of it. An update replaces a golden
/// that cannot be read.
std::optional<std::vector<Check>> read_all(const std::vector<std::string>& files, const CheckArguments& arguments) {
  std::vector<Check> checks;
  bool right = true;
  for (const std::string& file : files) {
    std::optional<scenarios::Loaded> loaded = load({.file = file, .set = {}, .seed = {}});
    right &= loaded.has_value();
    if (!loaded) continue;
    Check& check = checks.emplace_back();
    check.scenario = std::move(*loaded);
    check.golden_path = studies::golden_path(file);
    check.golden_required = arguments.require_golden;
    if (!read_golden(check) && !arguments.update) {
      right = false;
      fmt::print(stderr, "({} --update makes it anew)\n", "godwit check " + file);
    }
  }
  if (!right) return std::nullopt;
  return checks;
}

/// Makes what was found the golden, where it is not already. False after saying what went wrong.
bool update(Check& check) {
  if (!check.outcome || (check.golden && !check.outcome->moved)) return true;
  std::error_code error;
  fs::create_directories(check.golden_path.parent_path(), error);
  auto output = Output::open(check.golden_path.string());
  std::string trouble;
  if (const auto* reason = std::get_if<std::string>(&output)) {
    trouble = *reason;
  } else {
    trouble = std::get<Output>(output).write(studies::golden_text(check.outcome->found));
  }
  if (!trouble.empty()) refuse("check", trouble);
  check.golden_written = trouble.empty();
  return trouble.empty();
}

int status_of(const std::vector<Check>& checks) {
  if (interrupted()) {
    const auto run = std::ranges::count_if(checks, [](const Check& each) { return each.outcome.has_value(); });
    fmt::print(stderr, "interrupted after {} of {} scenarios\n", run, checks.size());
    return kInterrupted;
  }
  return std::ranges::all_of(checks, &Check::passed) ? kDone : kUnmet;
}

int check(const CheckArguments& arguments) {
  exit_on_interrupt();
  if (arguments.json == "-" && arguments.junit == "-")
    return refuse("check", "--json and --junit: one of them to a file");
  std::optional<Output> json, junit;
  if (!open("--json", arguments.json, json) || !open("--junit", arguments.junit, junit)) return kWrongInput;
  const auto files = scenario_files(arguments.files);
  if (!files) return kWrongInput;
  std::optional<std::vector<Check>> checks = read_all(*files, arguments);
  if (!checks) return kWrongInput;

  note_interrupt();
  {
    ProgressLine line("runs");
    studies::run_checks(*checks, arguments.jobs, report::run_json, [&line](std::size_t done, std::size_t total) {
      line.show(done, total);
      return !interrupted();
    });
  }
  bool written = true;
  if (arguments.update)
    for (Check& each : *checks) written &= update(each);

  std::string trouble;
  if (junit) trouble = junit->write(report::junit_xml(*checks));
  if (json && trouble.empty()) trouble = json->write(report::check_json(*checks).dump(2) + "\n");
  if (!trouble.empty()) return refuse("check", trouble);
  if (!json && arguments.junit != "-") fmt::print("{}", report::check_table(*checks));
  return written ? status_of(*checks) : kWrongInput;
}

}  // namespace

void add_check(CLI::App& app, int& exit_status) {
  auto arguments = std::make_shared<CheckArguments>();
  CLI::App* command = app.add_subcommand("check", "Run scenarios against their expectations and golden results");
  command
      ->add_option("files", arguments->files,
                   "Scenario files, and folders of them; none: scenarios/library below this folder")
      ->type_name("FILE...");
  command->add_flag("--update", arguments->update, "Make what is found the golden results, and say what moved");
  command->add_flag("--require-golden", arguments->require_golden, "A scenario without a golden result has failed");
  command->add_option("--jobs", arguments->jobs, "Runs at the same time; the result does not depend on it")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  command->add_option("--junit", arguments->junit, "Write JUnit XML too, for CI systems; - is standard output")
      ->type_name("FILE|-");
  command->add_option("--json", arguments->json, "Write the outcome as JSON instead of the table; - is standard output")
      ->type_name("FILE|-");
  command->footer(
      "The golden result of NAME.json is golden/NAME.json beside it. A scenario without one is held against its\n"
      "expectations only, and the table says so.\n"
      "\n"
      "Examples:\n"
      "  godwit check\n"
      "  godwit check my-scenarios --require-golden --junit godwit.xml\n"
      "  godwit check my-scenarios/web.json --update\n"
      "\n"
      "Exit status: 0 all is as before; 1 an expectation is not met or a result has moved; 2 wrong input; 3 a bug of\n"
      "Godwit; 130 interrupted, what was finished is shown.\n");
  command->callback([arguments, &exit_status] { exit_status = check(*arguments); });
}

}  // namespace godwit::cli
