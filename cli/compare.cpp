#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/page_file.h"
#include "cli/progress.h"
#include "report/compare_json.h"
#include "report/compare_table.h"
#include "report/outcome_page.h"
#include "scenarios/strategy.h"
#include "studies/compare.h"

namespace godwit::cli {
namespace {

struct CompareArguments : ScenarioArguments {
  std::vector<std::string> strategies{"self-migration", "stop-and-copy", "clark05", "qemu-10"};
  studies::CompareOptions options{.seeds = 5, .jobs = std::max(1u, std::thread::hardware_concurrency())};
  std::string json, report;
};

studies::Comparison run_all(const std::vector<studies::Contender>& contenders, const studies::CompareOptions& options) {
  ProgressLine line("runs");
  return studies::compare(contenders, options, [&line](std::size_t done, std::size_t total) {
    line.show(done, total);
    return !interrupted();
  });
}

/// All that move a guest to a host, self-migration first: it is the measure.
std::vector<std::string> all_strategies() {
  std::vector<std::string> names{"self-migration"};
  for (const scenarios::Strategy& each : scenarios::strategies())
    if (!each.options.plan.goes_on && each.name() != names.front()) names.push_back(each.name());
  return names;
}

int compare(const CompareArguments& given) {
  CompareArguments arguments = given;
  if (arguments.strategies == std::vector<std::string>{"all"}) arguments.strategies = all_strategies();
  std::vector<std::string> sorted = arguments.strategies;
  std::ranges::sort(sorted);
  if (const auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end())
    return refuse("compare", fmt::format("--strategies: {} is there twice", *twice));

  std::optional<Output> json;
  if (!arguments.json.empty()) {
    auto opened = Output::open(arguments.json);
    if (const auto* trouble = std::get_if<std::string>(&opened)) return refuse("compare", "--json: " + *trouble);
    json.emplace(std::get<Output>(std::move(opened)));
  }
  std::optional<PageFile> page;
  if (!arguments.report.empty()) {
    auto opened = PageFile::open(arguments.report);
    if (const auto* trouble = std::get_if<std::string>(&opened)) return refuse("compare", "--report: " + *trouble);
    page.emplace(std::get<PageFile>(std::move(opened)));
  }
  const auto loaded = load(arguments);
  if (!loaded) return kWrongInput;
  if (loaded->options.migrations.empty())
    return refuse("compare", arguments.file + ": no migration to compare strategies for");
  auto result = studies::contenders(*loaded, arguments.strategies);
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&result)) {
    fmt::print(stderr, "{}", scenarios::to_string(*issues));
    return kWrongInput;
  }

  note_interrupt();
  const studies::Comparison comparison = run_all(std::get<std::vector<studies::Contender>>(result), arguments.options);
  if (comparison.seeds.empty()) return kInterrupted;
  if (json) {
    const std::string trouble = json->write(report::compare_json(comparison, loaded->effective).dump(2) + "\n");
    if (!trouble.empty()) return refuse("compare", trouble);
  } else {
    fmt::print("{}", report::compare_table(comparison, {loaded->options.name, question_of(*loaded)}));
  }
  if (page) {
    const report::ResultFile shown{arguments.file, report::compare_json(comparison, loaded->effective)};
    if (const std::string trouble = page->write(report::outcomes_page({shown})); !trouble.empty())
      return refuse("compare", trouble);
  }
  if (!interrupted()) return kDone;
  fmt::print(stderr, "interrupted after {} of {} seeds\n", comparison.seeds.size(), arguments.options.seeds);
  return kInterrupted;
}

}  // namespace

void add_compare(CLI::App& app, int& exit_status) {
  auto arguments = std::make_shared<CompareArguments>();
  CLI::App* command = app.add_subcommand("compare", "Run one scenario under several strategies, side by side");
  add_scenario_options(*command, *arguments);
  command
      ->add_option(
          "--strategies", arguments->strategies,
          "Strategies, with commas between; the first is the measure. all: every one that moves a guest to a host")
      ->delimiter(',')
      ->type_name("A,B,...")
      ->capture_default_str();
  command->add_option("--seeds", arguments->options.seeds, "Seeds to run each strategy with")
      ->check(CLI::Range(1, 100000))
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--jobs", arguments->options.jobs, "Runs at the same time; the result does not depend on it")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  command->add_option("--json", arguments->json, "Write the result as JSON instead of the table; - is standard output")
      ->type_name("FILE|-");
  command->add_option("--report", arguments->report, "Write charts and tables on one page too")
      ->type_name("FILE.html|.md|.csv");
  command->footer(
      "Examples:\n"
      "  godwit compare scenarios/library/redis_over_1g.json --strategies self-migration,clark05,qemu-10\n"
      "  godwit compare scenarios/library/redis_over_1g.json --report redis.html\n"
      "\n"
      "Exit status: 0 done; 2 wrong input; 3 a bug of Godwit; 130 interrupted, the seeds that were finished are "
      "shown.\n");
  command->callback([arguments, &exit_status] { exit_status = compare(*arguments); });
}

}  // namespace godwit::cli
