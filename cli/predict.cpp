#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "report/columns.h"
#include "report/format.h"
#include "scenarios/quantity.h"
#include "studies/dirty_samples.h"
#include "studies/predict.h"

namespace godwit::cli {
namespace {

using report::Align;
using report::Columns;
using scenarios::Json;

struct PredictArguments {
  std::string file, curve, model = "core";
  std::string memory = "4 GiB", write_rate, workload_memory, strategy = "qemu-10";
  studies::PredictOptions options{.bandwidths = {"100 Mbit/s", "1 Gbit/s", "2 Gbit/s", "2.5 Gbit/s", "5 Gbit/s",
                                                 "10 Gbit/s", "25 Gbit/s", "40 Gbit/s"},
                                  .downtimes = {"125 ms", "250 ms", "500 ms", "1 s", "5 s"},
                                  .seeds = 1,
                                  .jobs = std::max(1u, std::thread::hardware_concurrency())};
};

/// The values of `texts`, both in ascending order and each once; nothing after saying which is none.
std::optional<std::vector<std::uint64_t>> counted(scenarios::Dimension dimension, std::vector<std::string>& texts,
                                                  const char* option) {
  std::map<std::uint64_t, std::string> sorted;
  for (const std::string& text : texts) {
    const auto read = scenarios::parse_quantity(dimension, text);
    const auto* value = std::get_if<std::uint64_t>(&read);
    if (value == nullptr || *value == 0) {
      refuse("predict", fmt::format("{}: expected {}, got {}", option, scenarios::expected(dimension), text));
      return std::nullopt;
    }
    sorted.emplace(*value, text);
  }
  std::vector<std::uint64_t> values;
  texts.clear();
  for (const auto& [value, text] : sorted) {
    values.push_back(value);
    texts.push_back(text);
  }
  return values;
}

std::vector<Columns::Column> columns(const std::vector<std::string>& downtimes) {
  std::vector<Columns::Column> all{{"bandwidth"}};
  for (const std::string& each : downtimes) all.push_back({each});
  return all;
}

int by_gudkov(PredictArguments arguments) {
  if (arguments.curve.empty()) return refuse("predict", "--model gudkov-2023 needs a measured curve: --curve FILE");
  const auto loaded = studies::load_samples(arguments.curve);
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&loaded)) {
    fmt::print(stderr, "{}", scenarios::to_string(*issues));
    return kWrongInput;
  }
  const auto& samples = std::get<studies::DirtySamples>(loaded);
  const auto rates = counted(scenarios::Dimension::kRate, arguments.options.bandwidths, "--bandwidth");
  const auto limits = counted(scenarios::Dimension::kTime, arguments.options.downtimes, "--downtime");
  if (!rates || !limits) return kWrongInput;
  auto titles = columns(arguments.options.downtimes);
  titles.push_back({"unlimited"});
  Columns table(std::move(titles));
  for (std::size_t i = 0; i < rates->size(); ++i) {
    std::vector<std::string> row{arguments.options.bandwidths[i]};
    for (std::size_t k = 0; k <= limits->size(); ++k) {
      const Nanos limit = k < limits->size() ? Nanos{static_cast<std::int64_t>((*limits)[k])} : kNever;
      const auto found = studies::gudkov_2023(samples, {(*rates)[i]}, limit);
      row.push_back(found ? fmt::format("{} s", (found->total.count() + 999'999'999) / 1'000'000'000) : "never");
    }
    table.add(std::move(row));
  }
  fmt::print("Total time by bandwidth and downtime limit, whole seconds, rounded up:\n{}", table.text(2));
  return kDone;
}

/// The scenario that the flags describe.
Json scenario_of(const PredictArguments& arguments) {
  Json workload{{"kind", "uniform"}, {"write_rate", arguments.write_rate}};
  if (!arguments.workload_memory.empty()) workload["memory"] = arguments.workload_memory;
  return {{"name", "predict"},
          {"hosts", {{{"name", "source"}}, {{"name", "destination"}}}},
          {"links", {{{"between", {"source", "destination"}}}}},
          {"guests", {{{"name", "guest"}, {"memory", arguments.memory}, {"workload", std::move(workload)}}}},
          {"migrations", {{{"to", "destination"}, {"strategy", arguments.strategy}}}}};
}

std::string cell(const studies::Predicted& each, std::uint32_t seeds) {
  if (!each.converges) return "never";
  const auto human = [](double ms) { return report::human(Nanos{std::llround(ms * 1e6)}); };
  if (seeds == 1) return fmt::format("{} / {}", human(each.total_time_ms.median), human(each.downtime_ms.median));
  return fmt::format("{} / {} (p95 {})", human(each.total_time_ms.median), human(each.downtime_ms.median),
                     human(each.downtime_ms.p95));
}

/// Of each limit, the smallest bandwidth that makes it converge, looked for between those of the table.
std::string smallest(const Json& scenario, const scenarios::Loaded& loaded, const studies::PredictOptions& options,
                     const std::vector<std::uint64_t>& rates, const studies::Predictions& predictions) {
  std::string text = "Smallest bandwidth that makes it converge, to 5 %:\n";
  for (std::size_t k = 0; k < options.downtimes.size(); ++k) {
    std::size_t first = 0;
    while (first < rates.size() && !predictions[first * options.downtimes.size() + k].converges) ++first;
    std::string found = "above " + options.bandwidths.back();
    if (first == 0) {
      found = "below " + options.bandwidths.front();
    } else if (first < rates.size()) {
      const auto rate = studies::smallest_bandwidth(scenario, loaded.file, loaded.base_dir, options.downtimes[k],
                                                    {rates[first - 1]}, {rates[first]});
      if (rate) found = report::human(*rate);
    }
    text += fmt::format("  {:>8}: {}\n", options.downtimes[k], found);
  }
  return text;
}

std::optional<scenarios::Loaded> scenario_for(const PredictArguments& arguments) {
  if (!arguments.file.empty()) return load({.file = arguments.file, .set = {}, .seed = {}});
  auto result = scenarios::load_document(scenario_of(arguments), "predict", ".");
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&result)) {
    fmt::print(stderr, "{}", scenarios::to_string(*issues));
    return std::nullopt;
  }
  return std::get<scenarios::Loaded>(std::move(result));
}

int by_core(PredictArguments arguments) {
  if (!arguments.curve.empty())
    return refuse("predict", "--curve is for --model gudkov-2023; the core takes --write-rate, or a scenario");
  if (arguments.file.empty() && arguments.write_rate.empty())
    return refuse("predict", "expected a scenario, or --memory and --write-rate");
  studies::PredictOptions& options = arguments.options;
  const auto rates = counted(scenarios::Dimension::kRate, options.bandwidths, "--bandwidth");
  const auto limits = counted(scenarios::Dimension::kTime, options.downtimes, "--downtime");
  if (!rates || !limits) return kWrongInput;
  const auto loaded = scenario_for(arguments);
  if (!loaded) return kWrongInput;
  note_interrupt();
  std::optional<ProgressLine> line(std::in_place, "runs");
  const auto result = studies::predict(loaded->document, loaded->file, loaded->base_dir, options,
                                       [&](std::size_t done, std::size_t total) {
                                         line->show(done, total);
                                         return !interrupted();
                                       });
  line.reset();
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&result)) {
    fmt::print(stderr, "{}", scenarios::to_string(*issues));
    return kWrongInput;
  }
  const auto& predictions = std::get<studies::Predictions>(result);
  if (predictions.empty()) return kInterrupted;
  Columns table(columns(options.downtimes));
  for (std::size_t i = 0; i < rates->size(); ++i) {
    std::vector<std::string> row{options.bandwidths[i]};
    for (std::size_t k = 0; k < options.downtimes.size(); ++k)
      row.push_back(cell(predictions[i * options.downtimes.size() + k], options.seeds));
    table.add(std::move(row));
  }
  fmt::print("Total time / downtime, by bandwidth and downtime limit{}:\n{}\n{}",
             options.seeds > 1 ? fmt::format(", median of {} seeds", options.seeds) : "", table.text(2),
             smallest(loaded->document, *loaded, options, *rates, predictions));
  return kDone;
}

}  // namespace

void add_predict(CLI::App& app, int& exit_status) {
  auto arguments = std::make_shared<PredictArguments>();
  CLI::App* command = app.add_subcommand("predict", "Will it converge, how long does it take, how long is it down?");
  command->add_option("file", arguments->file, "Scenario; its links and goals get each of the values")
      ->type_name("FILE");
  command->add_option("--memory", arguments->memory, "Without a scenario: of the guest")->capture_default_str();
  command->add_option("--write-rate", arguments->write_rate,
                      "Without a scenario: writes anywhere, such as '20000 pages/s'");
  command->add_option("--working-set", arguments->workload_memory, "Without a scenario: the part that is written to");
  command->add_option("--strategy", arguments->strategy, "Without a scenario: how it is moved")->capture_default_str();
  command->add_option("--bandwidth", arguments->options.bandwidths, "With commas between")->delimiter(',');
  command->add_option("--downtime", arguments->options.downtimes, "Limits, with commas between")->delimiter(',');
  command->add_option("--curve", arguments->curve, "A measured dirty curve, for --model gudkov-2023")
      ->type_name("FILE");
  command->add_option("--model", arguments->model, "What answers: the core itself, or a published model")
      ->check(CLI::IsMember({"core", "gudkov-2023"}))
      ->capture_default_str();
  command->add_option("--seeds", arguments->options.seeds, "Seeds to run each with")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--jobs", arguments->options.jobs, "Runs at the same time; the result does not depend on it")
      ->check(CLI::Range(1, 1024));
  command->footer(
      "Examples:\n"
      "  godwit predict --memory '8 GiB' --write-rate '20000 pages/s' --working-set '1 GiB'\n"
      "  godwit predict scenarios/library/redis_over_1g.json --bandwidth '1 Gbit/s,10 Gbit/s' --downtime '100 ms,300 "
      "ms'\n"
      "  godwit predict --model gudkov-2023 --curve scenarios/curves/gudkov_2023.json\n"
      "\n"
      "\"never\": not every migration is completed before the scenario's horizon. Exit status: 0 done; 2 wrong input; "
      "3 a\n"
      "bug of Godwit; 130 interrupted.\n");
  command->callback([arguments, &exit_status] {
    exit_status = arguments->model == "core" ? by_core(*arguments) : by_gudkov(*arguments);
  });
}

}  // namespace godwit::cli
