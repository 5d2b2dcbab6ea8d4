#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/page_file.h"
#include "report/format.h"
#include "report/outcome_page.h"
#include "report/run_json.h"
#include "report/run_table.h"
#include "scenarios/checkpoint.h"
#include "sim/run.h"
#include "studies/expectations.h"

namespace godwit::cli {
namespace {

struct RunArguments : ScenarioArguments {
  std::string json;    ///< Empty: the table.
  std::string report;  ///< Empty: none.
  bool timing = false;
};

/// Time on the wall, from one lap to the next.
class Stopwatch {
 public:
  Nanos lap() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration_cast<Nanos>(now - std::exchange(last_, now));
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

void print_warnings(const sim::RunResult& result) {
  for (const sim::MigrationResult& migration : result.migrations)
    for (const std::string& warning : migration.warnings)
      fmt::print(stderr, "warning: {}: {}\n", migration.guest, warning);
}

int report_unmet(const std::vector<studies::Unmet>& unmet) {
  for (const studies::Unmet& each : unmet)
    fmt::print(stderr, "unmet: {}: expected {}, found {}\n", each.pointer, each.expected, each.found);
  return unmet.empty() ? kDone : kUnmet;
}

/// Writes the table, or the document where one is asked for. False after saying what went wrong.
bool write(const sim::RunResult& result, const scenarios::Loaded& loaded, std::optional<Output>& json) {
  if (!json) {
    fmt::print("{}", report::run_table(result, {loaded.options.name, question_of(loaded)}));
    return true;
  }
  const std::string trouble = json->write(report::run_json_text(result, loaded.effective));
  if (!trouble.empty()) fmt::print(stderr, "godwit run: {}\n", trouble);
  return trouble.empty();
}

/// The files that the scenario's checkpoints go to, by migration, or nothing after saying why one cannot be written.
std::optional<std::map<std::uint32_t, Output>> open_checkpoints(const sim::RunOptions& options) {
  std::map<std::uint32_t, Output> files;
  for (std::uint32_t i = 0; i < options.migrations.size(); ++i) {
    if (!options.migrations[i].file) continue;
    auto opened = Output::open(options.migrations[i].file->path);
    if (const auto* trouble = std::get_if<std::string>(&opened)) {
      fmt::print(stderr, "godwit run: /migrations/{}/to/file: {}\n", i, *trouble);
      return std::nullopt;
    }
    files.emplace(i, std::get<Output>(std::move(opened)));
  }
  return files;
}

/// Those that were completed. False after saying what went wrong.
bool write_checkpoints(std::map<std::uint32_t, Output>& files, const scenarios::Loaded& loaded,
                       const sim::RunResult& result) {
  for (auto& [index, file] : files) {
    const sim::MigrationResult& migration = result.migrations[index];
    if (migration.status != sim::Status::kCompleted) continue;
    const std::vector<std::byte> bytes = scenarios::write_checkpoint(loaded, index, migration);
    const std::string trouble = file.write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    if (trouble.empty()) continue;
    fmt::print(stderr, "godwit run: {}\n", trouble);
    return false;
  }
  return true;
}

/// False after saying what went wrong.
bool write_page(PageFile& page, const std::string& file, report::Json document) {
  const std::string trouble = page.write(report::outcomes_page({{file, std::move(document)}}));
  if (!trouble.empty()) fmt::print(stderr, "godwit run: {}\n", trouble);
  return trouble.empty();
}

int run(const RunArguments& arguments) {
  exit_on_interrupt();
  std::optional<Output> json;
  if (!arguments.json.empty()) {
    auto opened = Output::open(arguments.json);
    if (const auto* trouble = std::get_if<std::string>(&opened)) {
      fmt::print(stderr, "godwit run: --json: {}\n", *trouble);
      return kWrongInput;
    }
    json.emplace(std::get<Output>(std::move(opened)));
  }
  std::optional<PageFile> page;
  if (!arguments.report.empty()) {
    auto opened = PageFile::open(arguments.report);
    if (const auto* trouble = std::get_if<std::string>(&opened)) {
      fmt::print(stderr, "godwit run: --report: {}\n", *trouble);
      return kWrongInput;
    }
    page.emplace(std::get<PageFile>(std::move(opened)));
  }

  Stopwatch watch;
  const std::optional<scenarios::Loaded> loaded = load(arguments);
  if (!loaded) return kWrongInput;
  auto checkpoints = open_checkpoints(loaded->options);
  if (!checkpoints) return kWrongInput;
  const Nanos loading = watch.lap();
  const sim::RunResult result = sim::run(loaded->options);
  const Nanos running = watch.lap();
  if (!write_checkpoints(*checkpoints, *loaded, result)) return kWrongInput;
  if (!write(result, *loaded, json)) return kWrongInput;
  if (page && !write_page(*page, arguments.file, report::run_json(result, loaded->effective))) return kWrongInput;
  const Nanos writing = watch.lap();

  print_warnings(result);
  if (arguments.timing)
    fmt::print(stderr, "load {}, run {}, write {}\n", report::human(loading), report::human(running),
               report::human(writing));
  if (loaded->expect.empty()) return kDone;
  return report_unmet(studies::unmet(report::run_json(result, loaded->effective), loaded->expect));
}

}  // namespace

void add_run(CLI::App& app, int& exit_status) {
  auto arguments = std::make_shared<RunArguments>();
  CLI::App* command = app.add_subcommand("run", "Run one scenario");
  add_scenario_options(*command, *arguments);
  command->add_option("--json", arguments->json, "Write the result as JSON instead of the table; - is standard output")
      ->type_name("FILE|-");
  command->add_option("--report", arguments->report, "Write charts and tables on one page too")
      ->type_name("FILE.html|.md|.csv");
  command->add_flag("--timing", arguments->timing,
                    "Print on standard error how long loading, running and writing took");
  command->footer(
      "Examples:\n"
      "  godwit run scenarios/library/redis_over_1g.json\n"
      "  godwit run scenario.json --set '/links/0/bandwidth=10 Gbit/s' --seed 7\n"
      "  godwit run scenario.json --json - | jq .migrations[0].downtime_ms\n"
      "  godwit run scenario.json --report run.html\n"
      "\n"
      "Exit status: 0 done; 1 an expectation of the scenario is not met; 2 wrong input; 3 a bug of Godwit.\n");
  command->callback([arguments, &exit_status] { exit_status = run(*arguments); });
}

}  // namespace godwit::cli
