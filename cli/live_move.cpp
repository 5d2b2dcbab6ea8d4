#include "cli/live_move.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "cli/commands.h"
#include "cli/output.h"
#include "report/format.h"
#include "scenarios/profile.h"

namespace godwit::cli {

using report::Json;

void add_live_run_options(CLI::App& command, LiveRunArguments& arguments) {
  command
      .add_option("--profile", arguments.profile, "Host profile of `godwit live calibrate`; without it, measured now")
      ->type_name("FILE");
  command.add_option("--seeds", arguments.seeds, "Simulated runs")
      ->type_name("N")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command.add_option("--json", arguments.json, "Write a JSON document; - is standard output")->type_name("FILE");
}

std::optional<MeasuredHost> measured_host(const std::string& file) {
  std::string text;
  live::Calibration calibration;
  calibration.round_trip = live::loopback_round_trip();
  if (file.empty()) {
    fmt::print(stderr, "measuring this host first\n");
    calibration = live::calibrate();
    text = profile_text(calibration, "this-host");
  } else {
    std::ifstream stream(file, std::ios::binary);
    text.assign(std::istreambuf_iterator<char>(stream), {});
    if (!stream && text.empty()) {
      fmt::print(stderr, "--profile: {} cannot be read\n", file);
      return std::nullopt;
    }
  }
  scenarios::Issues issues{file};
  const auto profile = scenarios::parse_profile(text, issues);
  if (profile && issues.empty()) return MeasuredHost{profile->costs, calibration.round_trip};
  fmt::print(stderr, "{}", scenarios::to_string(issues.take()));
  return std::nullopt;
}

Move carry_out(const live::TrialOptions& options) {
  Move move{.way = options.way};
  live::Trial trial(options);
  const bool over = trial.happen();
  const live::TrialFigures& told = trial.figures();
  const live::Departure& departure = told.departure;
  move.how = !over                 ? "somebody took too long"
             : !departure.admitted ? departure.refused.data()
                                   : live::explain(departure.outcome, departure.trouble, departure.refusal);
  move.completed = over && departure.completed();
  if (!move.completed) return move;
  move.verified = trial.pages_that_differ() == 0 && told.unsound == 0 && told.client.lost == 0 && told.client.reached;
  move.downtime = trial.downtime();
  move.total_time = trial.total_time();
  move.service_gap = told.client.longest_gap;
  move.bytes = departure.bytes;
  move.rounds = departure.figures.rounds;
  move.sender_cpu = departure.cpu;
  move.destination_cpu = told.arrival.received.cpu - told.arrival.hashing;
  move.faults = departure.faults;
  move.shadow_pages = departure.shadow.value;
  move.late = told.late;
  return move;
}

Nanos billed(const sim::MigrationResult& result, bool destination) {
  Nanos sum{0};
  for (const sim::Bill& bill : result.costs) {
    if ((bill.payer == "destination") == destination) sum += bill.cpu;
  }
  return sum;
}

report::Json move_json(const Move& move, const Prediction& prediction) {
  const sim::MigrationResult& one = prediction.runs.front();
  return {{"way", move.way == live::Way::kByItself ? "self" : "managed"},
          {"status", move.completed ? "completed" : "failed"},
          {"how", move.how},
          {"verified", move.verified},
          {"measured",
           {{"downtime_ms", milliseconds(move.downtime)},
            {"total_time_ms", milliseconds(move.total_time)},
            {"service_gap_ms", milliseconds(move.service_gap)},
            {"transferred_bytes", move.bytes.value},
            {"rounds", move.rounds},
            {"sender_cpu_ms", milliseconds(move.sender_cpu)},
            {"destination_cpu_ms", milliseconds(move.destination_cpu)},
            {"faults", move.faults},
            {"shadow_pages", move.shadow_pages},
            {"late_writes", move.late}}},
          {"predicted",
           {{"downtime_ms", milliseconds(prediction.downtime)},
            {"total_time_ms", milliseconds(prediction.total_time)},
            {"service_gap_ms", milliseconds(one.service_gap)},
            {"transferred_bytes", prediction.bytes.value},
            {"rounds", prediction.rounds},
            {"sender_cpu_ms", milliseconds(billed(one, false))},
            {"destination_cpu_ms", milliseconds(billed(one, true))}}}};
}

int write_json(const std::string& file, const report::Json& document) {
  if (file.empty()) return kDone;
  auto opened = Output::open(file);
  std::string trouble;
  if (auto* output = std::get_if<Output>(&opened)) {
    trouble = output->write(document.dump(2) + "\n");
  } else {
    trouble = std::get<std::string>(opened);
  }
  if (trouble.empty()) return kDone;
  fmt::print(stderr, "--json: {}\n", trouble);
  return kWrongInput;
}

int refuse_live(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) fmt::print(stderr, "{}\n", line);
  return kWrongInput;
}

}  // namespace godwit::cli
