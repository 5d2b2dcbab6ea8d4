#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
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

struct LiveGridArguments {
  LiveRunArguments run;
  std::uint32_t moves = 1;
};

/// Rates 0.1 to 1.2 of the link, three hot sets, two downtime limits. With these limits no live round of 20 simulated
/// seeds ends within 4 % of one. With 40 ms some do: whether one more round follows is then a toss-up in the simulator
/// as well, and such a setting tells nothing of how good the simulator is.
std::vector<LiveArguments> grid() {
  constexpr std::uint64_t kLinkPages = 1'000'000'000 / 8 / live::kPageBytes;
  std::vector<LiveArguments> all;
  for (const std::uint64_t percent : {10, 40, 80, 120}) {
    for (const char* hot : {"2 MiB", "8 MiB", "24 MiB"}) {
      for (const char* downtime : {"70 ms", "200 ms"}) {
        LiveArguments one;
        one.write_rate = fmt::format("{} pages/s", kLinkPages * percent / 100);
        one.hot_memory = hot;
        one.downtime = downtime;
        one.rounds_max = 8;
        all.push_back(one);
      }
    }
  }
  return all;
}

double off(std::uint64_t measured, std::uint64_t predicted) {
  if (measured == 0) return 0;
  return (static_cast<double>(predicted) / static_cast<double>(measured) - 1) * 100;
}

Move median_move(std::vector<Move> moves) {
  std::ranges::sort(moves, {}, &Move::downtime);
  Move middle = moves[moves.size() / 2];
  std::ranges::sort(moves, {}, &Move::bytes);
  middle.bytes = moves[moves.size() / 2].bytes;
  std::ranges::sort(moves, {}, &Move::rounds);
  middle.rounds = moves[moves.size() / 2].rounds;
  middle.verified = std::ranges::all_of(moves, &Move::verified);
  middle.completed = std::ranges::all_of(moves, &Move::completed);
  return middle;
}

/// A setting of the grid, one way: what came of it, and what was to be expected.
struct Point {
  LiveArguments arguments;
  Way way = Way::kByItself;
  Move measured;
  Prediction predicted;

  double bytes_off() const { return off(measured.bytes.value, predicted.bytes.value); }
  double rounds_off() const { return off(measured.rounds, predicted.rounds); }
  double downtime_off() const {
    return off(static_cast<std::uint64_t>(measured.downtime.count()),
               static_cast<std::uint64_t>(predicted.downtime.count()));
  }
  bool downtime_near() const {
    const auto [less, more] = std::minmax(measured.downtime, predicted.downtime);
    return std::abs(downtime_off()) <= 25 || more - less <= Nanos{2'000'000};
  }
  bool within() const {
    return measured.completed && std::abs(bytes_off()) <= 10 && std::abs(rounds_off()) <= 10 && downtime_near();
  }
};

Point evaluate(const LiveArguments& arguments, Way way, const MeasuredHost& host, std::uint32_t seeds,
               std::uint32_t repeats) {
  const auto setting = std::get<LiveSetting>(understand(arguments));
  const scenarios::Loaded scenario = scenario_of(setting, way, host.profile, host.round_trip);
  std::vector<Move> moves;
  for (std::uint32_t i = 0; i < repeats; ++i) {
    live::TrialOptions options = trial_of(setting, way, scenario);
    options.guest.seed = i + 1;
    moves.push_back(carry_out(options));
  }
  return {.arguments = arguments, .way = way, .measured = median_move(moves), .predicted = predict(scenario, seeds)};
}

void print_grid(const std::vector<Point>& points) {
  Columns table({{"way", Align::kLeft},
                 {"writes"},
                 {"hot"},
                 {"limit"},
                 {"sent"},
                 {"predicted"},
                 {"off"},
                 {"rounds"},
                 {"predicted"},
                 {"downtime"},
                 {"predicted"},
                 {"off"},
                 {"", Align::kLeft}});
  for (const Point& point : points) {
    const Move& move = point.measured;
    const Prediction& expected = point.predicted;
    table.add({point.way == Way::kByItself ? "self" : "managed", point.arguments.write_rate, point.arguments.hot_memory,
               point.arguments.downtime, human(move.bytes), human(expected.bytes),
               fmt::format("{:+.1f} %", point.bytes_off()), std::to_string(move.rounds),
               std::to_string(expected.rounds), human(move.downtime), human(expected.downtime),
               fmt::format("{:+.1f} %", point.downtime_off()),
               !move.completed  ? move.how
               : !move.verified ? "NOT VERIFIED"
               : point.within() ? ""
                                : "beyond"});
  }
  const auto count = [&](auto&& what) { return std::ranges::count_if(points, what); };
  fmt::print("{}\n{} of {} within 10 % of bytes and rounds and 25 % or 2 ms of downtime", table.text(),
             count(&Point::within), points.size());
  fmt::print(" (bytes {}, rounds {}, downtime {}); {} verified\n",
             count([](const Point& p) { return std::abs(p.bytes_off()) <= 10; }),
             count([](const Point& p) { return std::abs(p.rounds_off()) <= 10; }), count(&Point::downtime_near),
             count([](const Point& p) { return p.measured.verified; }));
}

int run_grid(const LiveGridArguments& arguments) {
  if (const auto why = live::guests_unsupported()) return refuse_live({"godwit live: " + *why});
  const auto host = measured_host(arguments.run.profile);
  if (!host) return kWrongInput;
  std::vector<Point> points;
  const std::vector<LiveArguments> settings = grid();
  for (const LiveArguments& setting : settings) {
    for (const Way way : {Way::kByItself, Way::kManaged}) {
      points.push_back(evaluate(setting, way, *host, arguments.run.seeds, arguments.moves));
      fmt::print(stderr, "{} of {}\n", points.size(), 2 * settings.size());
    }
  }
  if (arguments.run.json != "-") print_grid(points);
  Json all = Json::array();
  for (const Point& point : points) {
    Json one = move_json(point.measured, point.predicted);
    one["write_rate"] = point.arguments.write_rate;
    one["hot_memory"] = point.arguments.hot_memory;
    one["downtime_limit"] = point.arguments.downtime;
    one["within"] = point.within();
    all.push_back(one);
  }
  const int status = write_json(arguments.run.json, {{"godwit", report::producer_json()}, {"moves", all}});
  if (status != kDone) return status;
  return std::ranges::all_of(points, [](const Point& p) { return p.within() && p.measured.verified; }) ? kDone : kUnmet;
}

}  // namespace

void add_live_grid(CLI::App& live, int& exit_status) {
  auto arguments = std::make_shared<LiveGridArguments>();
  CLI::App* command = live.add_subcommand("grid", "Simulated against measured, over 24 settings each way");
  command->add_option("--moves", arguments->moves, "Moves of each setting, of which the median counts")
      ->type_name("N")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  add_live_run_options(*command, arguments->run);
  command->callback([arguments, &exit_status] { exit_status = run_grid(*arguments); });
}

}  // namespace godwit::cli
