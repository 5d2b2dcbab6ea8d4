#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
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
#include "report/format.h"
#include "report/predict_json.h"
#include "report/predict_table.h"
#include "scenarios/json_reader.h"
#include "scenarios/quantity.h"
#include "studies/dirty_samples.h"
#include "studies/predict.h"

namespace godwit::cli {
namespace {

using scenarios::Json;
using studies::DirtySamples;
using studies::PredictOptions;

struct PredictArguments {
  std::string file, curve, json, model = "core";
  std::string memory, write_rate, workload_memory, strategy = "qemu-10";
  bool busy = false;
  std::vector<std::string> bandwidths{"100 Mbit/s", "1 Gbit/s",  "2 Gbit/s",  "2.5 Gbit/s",
                                      "5 Gbit/s",   "10 Gbit/s", "25 Gbit/s", "40 Gbit/s"};
  std::vector<std::string> downtimes{"125 ms", "250 ms", "500 ms", "1 s", "5 s"};
  std::uint32_t seeds = 1;
  std::uint32_t jobs = std::max(1u, std::thread::hardware_concurrency());
};

using Issues = std::vector<scenarios::Issue>;

int refuse_all(const Issues& issues) {
  fmt::print(stderr, "{}", scenarios::to_string(issues));
  return kWrongInput;
}

/// The values of `texts` in ascending order and each once; nothing after saying which is none.
std::optional<std::vector<std::uint64_t>> sorted(scenarios::Dimension dimension, const std::vector<std::string>& texts,
                                                 const char* option) {
  std::vector<std::uint64_t> values;
  for (const std::string& text : texts) {
    const auto read = scenarios::parse_quantity(dimension, text);
    const auto* value = std::get_if<std::uint64_t>(&read);
    if (value == nullptr || *value == 0) {
      refuse("predict", fmt::format("{}: expected {}, got {}", option, scenarios::expected(dimension), text));
      return std::nullopt;
    }
    values.push_back(*value);
  }
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

/// After the limits that were asked for comes none at all. Guests that flags describe write as they do for ever; of Xen's
/// rules it follows that it sends no more than five times the memory.
std::optional<PredictOptions> options_in(const PredictArguments& arguments) {
  const auto rates = sorted(scenarios::Dimension::kRate, arguments.bandwidths, "--bandwidth");
  const auto limits = sorted(scenarios::Dimension::kTime, arguments.downtimes, "--downtime");
  if (!rates || !limits) return std::nullopt;
  PredictOptions options{.bandwidths = {},
                         .downtimes = {},
                         .patience = arguments.file.empty() ? 5u : 0u,
                         .seeds = arguments.seeds,
                         .jobs = arguments.jobs};
  for (const std::uint64_t each : *rates) options.bandwidths.push_back({each});
  for (const std::uint64_t each : *limits) options.downtimes.push_back(saturating_nanos(each));
  options.downtimes.push_back(kNever);
  return options;
}

/// Writes `document`, or prints `text` where no document is asked for.
int answer(const PredictArguments& arguments, const Json& document, const std::string& text) {
  if (arguments.json.empty()) {
    fmt::print("{}", text);
    return kDone;
  }
  auto output = Output::open(arguments.json);
  if (const auto* trouble = std::get_if<std::string>(&output)) return refuse("predict", "--json: " + *trouble);
  const std::string trouble = std::get<Output>(output).write(document.dump(2) + "\n");
  return trouble.empty() ? kDone : refuse("predict", trouble);
}

int by_gudkov(const PredictArguments& arguments) {
  if (arguments.curve.empty()) return refuse("predict", "--model gudkov-2023 needs a measured curve: --curve FILE");
  const auto loaded = studies::load_samples(arguments.curve);
  if (const auto* issues = std::get_if<Issues>(&loaded)) return refuse_all(*issues);
  const auto options = options_in(arguments);
  if (!options) return kWrongInput;
  const auto& samples = std::get<DirtySamples>(loaded);
  return answer(arguments, report::gudkov_json(*options, samples), report::gudkov_table(*options, samples));
}

/// A guest that is described otherwise than by a file.
struct DescribedGuest {
  Json guest;
  std::optional<DirtySamples> samples;  ///< That it was made of.
};

using Described = std::variant<DescribedGuest, Issues>;

/// The guest of a curve's file: samples of a guest, or a workload of kind dirty_curve.
Described guest_by_curve(const PredictArguments& arguments) {
  scenarios::Issues issues(arguments.curve);
  const auto root = scenarios::read_document(arguments.curve, issues);
  if (!root) return issues.take();
  if (root->find("kind") != nullptr)
    return DescribedGuest{{{"name", "guest"},
                           {"memory", arguments.memory.empty() ? "4 GiB" : arguments.memory},
                           {"workload", scenarios::to_json(*root)}},
                          {}};
  if (!arguments.memory.empty())
    return Issues{
        {.file = arguments.curve, .message = "these samples are of a guest whose memory they say; leave out --memory"}};
  auto loaded = studies::load_samples(arguments.curve);
  if (auto* wrong = std::get_if<Issues>(&loaded)) return std::move(*wrong);
  auto& samples = std::get<DirtySamples>(loaded);
  return DescribedGuest{studies::guest_of(samples), samples};
}

Described guest_by_flags(const PredictArguments& arguments) {
  if (!arguments.curve.empty()) return guest_by_curve(arguments);
  Json workload{{"kind", "uniform"}, {"write_rate", arguments.write_rate}};
  if (!arguments.workload_memory.empty()) workload["memory"] = arguments.workload_memory;
  return DescribedGuest{{{"name", "guest"},
                         {"memory", arguments.memory.empty() ? "4 GiB" : arguments.memory},
                         {"workload", std::move(workload)}},
                        {}};
}

/// What to ask the core about.
struct Question {
  scenarios::Loaded scenario;
  std::optional<DirtySamples> samples;
};

std::variant<Question, Issues> question_by_flags(const PredictArguments& arguments) {
  Described described = guest_by_flags(arguments);
  if (auto* issues = std::get_if<Issues>(&described)) return std::move(*issues);
  auto& [guest, samples] = std::get<DescribedGuest>(described);
  if (arguments.busy && guest["workload"].value("kind", "") != "idle") {
    guest["workload"]["demand"] = "busy";
    guest["workload"]["cpu_per_write"] = "1 us";  // all that counts is that the CPU is never idle
  }
  const Json document{{"name", "predict"},
                      {"hosts", {{{"name", "source"}}, {{"name", "destination"}}}},
                      {"links", Json::array({{{"between", {"source", "destination"}}}})},
                      {"guests", Json::array({std::move(guest)})},
                      {"migrations", Json::array({{{"to", "destination"}, {"strategy", arguments.strategy}}})}};
  auto loaded = scenarios::load_document(document, "predict", ".");
  if (auto* issues = std::get_if<Issues>(&loaded)) return std::move(*issues);
  return Question{std::get<scenarios::Loaded>(std::move(loaded)), std::move(samples)};
}

/// What keeps the arguments from being a question; empty: nothing.
std::string trouble_with_arguments(const PredictArguments& arguments) {
  const bool rate = !arguments.write_rate.empty(), curve = !arguments.curve.empty(), file = !arguments.file.empty();
  if (rate + curve + file != 1) return "expected one of a scenario, --write-rate and --curve";
  if (file && (!arguments.memory.empty() || arguments.busy))
    return "--memory and --busy are for a guest without a scenario";
  return "";
}

/// Asks the core; nothing where that was interrupted before there was a table, which it says.
std::variant<std::optional<studies::Predictions>, Issues> ask_core(const scenarios::Loaded& scenario,
                                                                   const PredictOptions& options) {
  const auto show_on = [](ProgressLine& line) {
    return [&line](std::size_t done, std::size_t total) {
      line.show(done, total);
      return !interrupted();
    };
  };
  auto result = [&] {
    ProgressLine runs("runs");
    return studies::predict(scenario, options, show_on(runs));
  }();
  auto* predictions = std::get_if<std::optional<studies::Predictions>>(&result);
  if (predictions == nullptr) return result;
  if (!*predictions) {
    fmt::print(stderr, "interrupted; not all runs of the table are done\n");
    return result;
  }
  ProgressLine searches("searches");
  studies::find_least(scenario, options, **predictions, show_on(searches));
  return result;
}

/// What the answer ends with, once it is written.
int status_of(const studies::Predictions& predictions) {
  const std::size_t missing = predictions.searches_missing();
  if (missing == 0) return kDone;
  fmt::print(stderr, "interrupted; the table is complete, {} not found\n", report::plural(missing, "smallest value"));
  return kInterrupted;
}

int by_core(const PredictArguments& arguments) {
  if (const std::string trouble = trouble_with_arguments(arguments); !trouble.empty())
    return refuse("predict", trouble);
  const auto options = options_in(arguments);
  if (!options) return kWrongInput;
  std::variant<Question, Issues> asked;
  if (arguments.file.empty()) {
    asked = question_by_flags(arguments);
  } else {
    auto loaded = load({.file = arguments.file, .set = {}, .seed = {}});
    if (!loaded) return kWrongInput;
    asked = Question{std::move(*loaded), {}};
  }
  if (const auto* issues = std::get_if<Issues>(&asked)) return refuse_all(*issues);
  const auto& [scenario, samples] = std::get<Question>(asked);
  if (scenario.options.migrations.empty()) return refuse("predict", arguments.file + ": no migration to predict");
  note_interrupt();
  const auto result = ask_core(scenario, *options);
  if (const auto* issues = std::get_if<Issues>(&result)) return refuse_all(*issues);
  const auto& predictions = std::get<std::optional<studies::Predictions>>(result);
  if (!predictions) return kInterrupted;
  std::vector<studies::ModelDifference> differences;
  std::string text = report::predict_table(*options, *predictions);
  if (samples) {
    differences = studies::differences(scenario, *samples, *options, *predictions);
    text += report::differences_table(*options, differences);
  }
  const int status =
      answer(arguments, report::predict_json(*options, *predictions, differences, scenario.effective), text);
  return status == kDone ? status_of(*predictions) : status;
}

}  // namespace

void add_predict(CLI::App& app, int& exit_status) {
  auto arguments = std::make_shared<PredictArguments>();
  CLI::App* command = app.add_subcommand("predict", "Will it converge, how long does it take, how long is it down?");
  command->add_option("file", arguments->file, "Scenario; its links and goals get each of the values")
      ->type_name("FILE");
  command->add_option("--memory", arguments->memory, "Without a scenario: of the guest; default: 4 GiB");
  command->add_option("--write-rate", arguments->write_rate,
                      "Without a scenario: writes anywhere, such as '20000 pages/s'");
  command->add_option("--working-set", arguments->workload_memory, "Without a scenario: the part that is written to");
  command
      ->add_option("--curve", arguments->curve,
                   "Without a scenario: a measured dirty curve, or a workload of kind dirty_curve")
      ->type_name("FILE");
  command->add_flag(
      "--busy", arguments->busy,
      "Without a scenario: the writes take all of the guest's CPU, so that a throttle slows them at once");
  command->add_option("--strategy", arguments->strategy, "Without a scenario: how it is moved")->capture_default_str();
  command->add_option("--bandwidth", arguments->bandwidths, "With commas between")->delimiter(',');
  command->add_option("--downtime", arguments->downtimes, "Limits, with commas between")->delimiter(',');
  command->add_option("--model", arguments->model, "What answers: the core itself, or a published model")
      ->check(CLI::IsMember({"core", "gudkov-2023"}))
      ->capture_default_str();
  command->add_option("--seeds", arguments->seeds, "Seeds to run each with")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--json", arguments->json, "Write the answer as JSON instead of the tables; - is standard output")
      ->type_name("FILE|-");
  command->add_option("--jobs", arguments->jobs, "Runs at the same time; the result does not depend on it")
      ->check(CLI::Range(1, 1024));
  command->footer(
      "Examples:\n"
      "  godwit predict --memory '8 GiB' --write-rate '20000 pages/s' --working-set '1 GiB'\n"
      "  godwit predict scenarios/library/redis_over_1g.json --bandwidth '1 Gbit/s,10 Gbit/s' --downtime '100 ms,300 "
      "ms'\n"
      "  godwit predict --curve scenarios/curves/gudkov_2023.json --busy --strategy qemu-11 --seeds 5\n"
      "  godwit predict --model gudkov-2023 --curve scenarios/curves/gudkov_2023.json\n"
      "\n"
      "\"never\": not every migration is completed before the scenario's horizon; without a scenario, in five times\n"
      "what sending all memory takes, and ten seconds, or in 500 rounds. Below the table: the smallest bandwidth,\n"
      "downtime limit and, where the strategy has one, throttle with which it is; what post-copy would cost; of a\n"
      "measured curve, where and why the model gudkov-2023 says something else.\n"
      "\n"
      "Exit status: 0 done; 2 wrong input; 3 a bug of Godwit; 130 interrupted, what was finished of the searches for\n"
      "the smallest values is shown.\n");
  command->callback([arguments, &exit_status] {
    exit_status = arguments->model == "core" ? by_core(*arguments) : by_gudkov(*arguments);
  });
}

}  // namespace godwit::cli
