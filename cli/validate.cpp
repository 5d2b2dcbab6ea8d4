#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "report/validate_json.h"
#include "report/validate_table.h"
#include "studies/embedded.h"
#include "studies/real_scenario.h"

namespace godwit::cli {
namespace {

using Issues = std::vector<scenarios::Issue>;

struct ValidateArguments {
  std::vector<std::string> runs;
  std::string json;
  std::string scenario;  ///< The cell whose scenario is wanted.
  bool markdown = false;
};

/// Appends the records of `text`, or what is wrong with them.
void add_runs(std::string_view text, const std::string& file, std::vector<studies::RealRun>& runs, Issues& issues) {
  auto read = studies::read_real_runs(text, file);
  if (auto* wrong = std::get_if<Issues>(&read)) {
    issues.insert(issues.end(), wrong->begin(), wrong->end());
    return;
  }
  for (studies::RealRun& each : std::get<std::vector<studies::RealRun>>(read)) runs.push_back(std::move(each));
}

/// The records of the files, or of those that the command carries where none is named.
std::vector<studies::RealRun> read_runs(const std::vector<std::string>& files, Issues& issues) {
  std::vector<studies::RealRun> runs;
  for (const std::string& file : files) {
    if (const std::string trouble = trouble_with(file, "a file of real migrations, one JSON object a line");
        !trouble.empty()) {
      issues.push_back({file, 0, 0, "", trouble});
      continue;
    }
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    add_runs(text.str(), file, runs, issues);
  }
  if (files.empty())
    for (const embedded::File& each : embedded::real_runs()) add_runs(each.text, std::string(each.name), runs, issues);
  return runs;
}

int print_scenario(const std::vector<studies::RealRun>& runs, const std::string& cell) {
  const auto run = std::ranges::find(runs, cell, &studies::RealRun::cell);
  if (run == runs.end()) {
    std::vector<std::string> cells;
    for (const studies::RealRun& each : runs) cells.push_back(each.cell);
    return refuse("validate",
                  fmt::format("--scenario: no run is called {}{}", cell, scenarios::did_you_mean(cell, cells)));
  }
  if (const auto missing = studies::not_modelled(*run); !missing.empty())
    return refuse("validate", fmt::format("--scenario: {} needs {}", cell, fmt::join(missing, ", ")));
  fmt::print("{}\n", studies::scenario_of(*run).dump(2));
  return kDone;
}

int validate(const ValidateArguments& arguments) {
  exit_on_interrupt();
  std::optional<Output> json;
  if (!arguments.json.empty()) {
    auto opened = Output::open(arguments.json);
    if (const auto* trouble = std::get_if<std::string>(&opened)) return refuse("validate", "--json: " + *trouble);
    json.emplace(std::get<Output>(std::move(opened)));
  }
  Issues issues;
  const std::vector<studies::RealRun> runs = read_runs(arguments.runs, issues);
  if (issues.empty() && !arguments.scenario.empty()) return print_scenario(runs, arguments.scenario);
  studies::Validation validation;
  for (const studies::RealRun& each : runs) {
    if (!issues.empty()) break;
    auto predicted = studies::predict(each);
    if (auto* wrong = std::get_if<Issues>(&predicted))
      issues = std::move(*wrong);
    else
      validation.runs.push_back(std::get<studies::Prediction>(std::move(predicted)));
  }
  if (!issues.empty()) {
    fmt::print(stderr, "{}", scenarios::to_string(issues));
    return kWrongInput;
  }

  const std::vector<studies::PublishedFigure> published = studies::published_figures();
  if (!json) {
    const auto format = arguments.markdown ? report::TableFormat::kMarkdown : report::TableFormat::kText;
    fmt::print("{}", report::validate_table(published, validation, format));
    return kDone;
  }
  const std::string trouble = json->write(report::validate_json(published, validation).dump(2) + "\n");
  return trouble.empty() ? kDone : refuse("validate", trouble);
}

}  // namespace

void add_validate(CLI::App& app, int& exit_status) {
  auto arguments = std::make_shared<ValidateArguments>();
  CLI::App* command =
      app.add_subcommand("validate", "Hold predictions against published and real migrations, with the errors");
  command
      ->add_option("--runs", arguments->runs,
                   "Real migrations, one JSON object a line, in place of those that come with Godwit; repeatable. "
                   "studies/data/README.md has the format")
      ->type_name("FILE.jsonl")
      ->expected(1)
      ->take_all();
  CLI::Option* json = command->add_option("--json", arguments->json,
                                          "Write the result as JSON instead of the table; - is standard output");
  json->type_name("FILE|-");
  command
      ->add_option("--scenario", arguments->scenario,
                   "Print the scenario that predicts the run called CELL, for godwit run, and nothing else")
      ->type_name("CELL")
      ->excludes(json);
  command->add_flag("--markdown", arguments->markdown, "Print the table as docs/validation.md has it")->excludes(json);
  command->footer(
      "Examples:\n"
      "  godwit validate\n"
      "  godwit validate --runs mine.jsonl --json - | jq .summary\n"
      "  godwit validate --markdown > docs/validation.md\n"
      "\n"
      "Exit status: 0 done, however large the errors; 2 wrong input; 3 a bug of Godwit.\n");
  command->callback([arguments, &exit_status] { exit_status = validate(*arguments); });
}

}  // namespace godwit::cli
