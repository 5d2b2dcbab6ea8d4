#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/live.h"
#include "cli/live_move.h"
#include "report/columns.h"
#include "report/format.h"

namespace godwit::cli {
namespace {

using live::Way;
using report::Align;
using report::Columns;
using report::human;
using Json = report::Json;

struct LiveDemoArguments {
  LiveArguments setting;
  LiveRunArguments run;
};

std::string range_of(const Prediction& prediction) {
  const auto [least, most] = std::ranges::minmax(prediction.runs, {}, &sim::MigrationResult::downtime);
  return fmt::format("{} to {}", human(least.downtime), human(most.downtime));
}

void print_demo(const LiveSetting& setting, const std::vector<Move>& moves,
                const std::vector<Prediction>& predictions) {
  Columns table({{"who moves it", Align::kLeft},
                 {"", Align::kLeft},
                 {"downtime"},
                 {"total time"},
                 {"sent"},
                 {"rounds"},
                 {"CPU, sender"},
                 {"CPU, destination"},
                 {"service gap"}});
  for (std::size_t i = 0; i < moves.size(); ++i) {
    const Move& move = moves[i];
    const Prediction& expected = predictions[i];
    const sim::MigrationResult& one = expected.runs.front();
    table.add({move.way == Way::kByItself ? "the guest itself" : "a process outside", "measured", human(move.downtime),
               human(move.total_time), human(move.bytes), std::to_string(move.rounds), human(move.sender_cpu),
               human(move.destination_cpu), human(move.service_gap)});
    table.add({"", "predicted", human(expected.downtime), human(expected.total_time), human(expected.bytes),
               std::to_string(expected.rounds), human(billed(one, false)), human(billed(one, true)),
               human(one.service_gap)});
  }
  fmt::print("{}\n", table.text());
  for (std::size_t i = 0; i < moves.size(); ++i) {
    const Move& move = moves[i];
    const bool self = move.way == Way::kByItself;
    fmt::print("{}: {}; {}\n", self ? "the guest itself" : "a process outside", move.how,
               move.verified ? "every page has the same hash on both sides, and no acknowledged write is lost"
                             : "NOT VERIFIED");
    fmt::print("  the sender's CPU time is the {}'s; {} faults in the guest's process meanwhile{}\n",
               self ? "guest" : "hypervisor", report::grouped(move.faults),
               self ? fmt::format("; {} pages went through the shadow", move.shadow_pages) : "");
    fmt::print("  predicted downtime over {} seeds: {}\n", predictions[i].runs.size(), range_of(predictions[i]));
    if (move.late > 0) {
      fmt::print("  {} writes came too late and were dropped: the processors are busy with something else\n",
                 move.late);
    }
  }
  fmt::print(
      "\n{} of memory, written at {} pages/s; writes are noticed by {}\n"
      "the prediction knows the settings and this host's profile, not the move\n",
      human(Bytes{setting.guest.pages * live::kPageBytes}), report::grouped(setting.guest.write_rate),
      describe(live::Tracking::kAsynchronous));
}

int demo(const LiveDemoArguments& arguments) {
  const auto understood = understand(arguments.setting);
  if (const auto* wrong = std::get_if<std::vector<std::string>>(&understood)) return refuse_live(*wrong);
  const auto& setting = std::get<LiveSetting>(understood);
  if (const auto why = live::guests_unsupported()) return refuse_live({"godwit live: " + *why});
  const auto host = measured_host(arguments.run.profile);
  if (!host) return kWrongInput;

  std::vector<Move> moves;
  std::vector<Prediction> predictions;
  Json all = Json::array();
  for (const Way way : {Way::kByItself, Way::kManaged}) {
    const scenarios::Loaded scenario = scenario_of(setting, way, host->profile, host->round_trip);
    predictions.push_back(predict(scenario, arguments.run.seeds));
    moves.push_back(carry_out(trial_of(setting, way, scenario)));
    Json one = move_json(moves.back(), predictions.back());
    one["scenario"] = scenario.effective;
    all.push_back(one);
  }
  if (arguments.run.json != "-") print_demo(setting, moves, predictions);
  if (const int status = write_json(arguments.run.json, {{"godwit", report::producer_json()}, {"moves", all}});
      status != kDone)
    return status;
  return std::ranges::all_of(moves, &Move::verified) ? kDone : kUnmet;
}

}  // namespace

void add_live_demo(CLI::App& live, int& exit_status) {
  auto arguments = std::make_shared<LiveDemoArguments>();
  CLI::App* command =
      live.add_subcommand("demo", "A guest moves itself, is moved from outside, and what was predicted");
  add_live_options(*command, arguments->setting);
  add_live_run_options(*command, arguments->run);
  command->callback([arguments, &exit_status] { exit_status = demo(*arguments); });
}

}  // namespace godwit::cli
