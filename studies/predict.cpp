#include "studies/predict.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <mutex>
#include <utility>

#include "scenarios/quantity.h"
#include "scenarios/strategy.h"
#include "sim/run.h"
#include "studies/figures.h"

namespace godwit::studies {
namespace {

using scenarios::Dimension;
using scenarios::format_quantity;
using scenarios::Issue;
using scenarios::Json;
using scenarios::Loaded;

using Prepared = std::variant<sim::RunOptions, std::vector<Issue>>;

constexpr std::uint64_t kRateMost = 10'000'000'000'000;  // of a link, as scenarios have it
constexpr std::uint64_t kDowntimeMost = 3'600'000'000'000;
constexpr std::uint64_t kThrottleMost = 99;  // of QEMU

/// One question to the core.
struct Setting {
  BitsPerSecond bandwidth;
  Nanos downtime;
  std::uint64_t throttle = 0;  ///< In percent; 0: as the scenario has it.
  std::string strategy;        ///< Empty: as the scenario has it.
};

/// The name under which a strategy lets `mechanism` be set; empty: it does not.
std::string parameter_for(const std::string& strategy, std::string_view mechanism) {
  const scenarios::Strategy* found = scenarios::find_strategy(strategy);
  if (found == nullptr) return "";
  const auto sets = [&](const scenarios::Parameter& each) { return each.sets == mechanism; };
  const auto at = std::ranges::find_if(found->parameters, sets);
  return at == found->parameters.end() ? "" : at->name;
}

void set_throttle(Json& strategy, std::uint64_t percent) {
  if (strategy.is_string()) strategy = Json{{"name", strategy}};
  const std::string name = strategy.value("name", "");
  strategy[parameter_for(name, "throttle")] = true;
  for (const char* each : {"throttle_initial", "throttle_max"})
    strategy[parameter_for(name, each)] = std::to_string(percent) + " %";
}

/// Limits that a strategy has of its own would stand in the place of those that are asked about.
void forget_limits(Json& strategy) {
  if (!strategy.is_object()) return;
  const scenarios::Strategy* found = scenarios::find_strategy(strategy.value("name", ""));
  if (found == nullptr) return;
  strategy.erase(found->downtime_parameter);
  strategy.erase(found->bandwidth_parameter);
}

void lose_patience(sim::RunOptions& options, std::uint32_t patience, BitsPerSecond bandwidth) {
  if (patience == 0) return;
  Bytes memory{0};
  for (sim::MigrationOptions& each : options.migrations) {
    memory += options.guests[each.guest].memory;
    core::StopRules& stop = each.strategy.plan.stop;
    if (stop.rounds_max > 0 || stop.factor_max > 0 || stop.timeout > Nanos{0}) continue;
    stop.rounds_max = kPatientRounds;
    each.strategy.plan.abort_if_unconverged = true;
  }
  options.horizon = std::min(options.horizon, later(std::chrono::seconds(10), wire_time(memory * patience, bandwidth)));
}

/// The goal's bandwidth is the link's: else the strategy's own cap would be what is measured.
Prepared prepared(const Loaded& scenario, const PredictOptions& asked, const Setting& setting) {
  Json document = scenario.document;
  if (!setting.strategy.empty()) document = scenarios::with_strategy(std::move(document), setting.strategy);
  const std::string rate = format_quantity(Dimension::kRate, setting.bandwidth.value);
  const auto limit = std::min(static_cast<std::uint64_t>(setting.downtime.count()), kDowntimeMost);
  if (document.contains("links"))
    for (Json& link : document["links"]) link["bandwidth"] = rate;
  for (Json& migration : document["migrations"]) {
    forget_limits(migration["strategy"]);
    migration["goal"] = {{"downtime", format_quantity(Dimension::kTime, limit)}, {"bandwidth", rate}};
    if (setting.throttle > 0) set_throttle(migration["strategy"], setting.throttle);
  }
  Prepared made = scenarios::options_of(scenarios::to_node(document), scenario.file, scenario.base_dir);
  if (auto* options = std::get_if<sim::RunOptions>(&made)) lose_patience(*options, asked.patience, setting.bandwidth);
  return made;
}

RunFigures run_with(sim::RunOptions options, std::uint64_t seed) {
  options.seed += seed;
  return figures_of(sim::run(options));
}

bool all_completed(const RunFigures& figures) { return figures.completed == figures.migrations; }

Predicted predicted(const std::vector<RunFigures>& runs) {
  Predicted result;
  result.outcome = "completed";
  std::vector<double> total, down, requests, stall;
  for (const RunFigures& each : runs) {
    total.push_back(milliseconds(each.total_time));
    down.push_back(milliseconds(each.downtime));
    requests.push_back(static_cast<double>(each.postcopy_requests));
    stall.push_back(milliseconds(each.postcopy_stall));
    if (!all_completed(each) && result.converges()) result.outcome = each.outcome;
    ++result.runs;
    if (all_completed(each)) ++result.completed;
  }
  result.total_time_ms = quantiles_of(std::move(total));
  result.downtime_ms = quantiles_of(std::move(down));
  result.postcopy_requests = quantiles_of(std::move(requests));
  result.postcopy_stall_ms = quantiles_of(std::move(stall));
  if (runs.front().total_time > Nanos{0}) result.pace = rate_of(runs.front().sent, runs.front().total_time);
  return result;
}

/// What every setting comes to, in their order; nothing where `progress` ended it.
std::optional<std::vector<Predicted>> all_predicted(const std::vector<sim::RunOptions>& settings,
                                                    const PredictOptions& options, const Progress& progress) {
  std::vector<std::vector<RunFigures>> runs(settings.size(), std::vector<RunFigures>(options.seeds));
  const auto work = [&](std::size_t number) {
    const std::size_t seed = number % options.seeds, setting = number / options.seeds;
    runs[setting][seed] = run_with(settings[setting], seed);
  };
  std::size_t finished = 0;
  for_each_number(settings.size() * options.seeds, options.jobs, work, [&](std::size_t done, std::size_t total) {
    finished = done;
    return !progress || progress(done, total);
  });
  if (finished < settings.size() * options.seeds) return std::nullopt;
  std::vector<Predicted> all;
  for (const auto& each : runs) all.push_back(predicted(each));
  return all;
}

/// Looks for one least value.
struct Search {
  Setting setting;
  std::function<void(Setting&, std::uint64_t)> turn;  ///< Puts a value into a setting.
  std::uint64_t fails, converges;                     ///< `converges` of 0: not known; then `most` is tried first.
  std::uint64_t most, unit;                           ///< Values are whole units.
};

/// Whether every seed converges with `value`; nothing where `go_on`, which is asked before each run, ended it.
std::optional<bool> converges(const Loaded& scenario, const PredictOptions& options, const Search& search,
                              std::uint64_t value, const std::function<bool()>& go_on) {
  Setting setting = search.setting;
  search.turn(setting, value);
  const Prepared made = prepared(scenario, options, setting);
  const auto* run = std::get_if<sim::RunOptions>(&made);
  if (run == nullptr) return false;
  for (std::uint64_t seed = 0; seed < options.seeds; ++seed) {
    if (!go_on()) return std::nullopt;
    if (!all_completed(run_with(*run, seed))) return false;
  }
  return true;
}

/// `works` says whether it converges at a value; nothing: it was not asked any more.
template <class Works>
Least least(const Search& search, Works works) {
  std::uint64_t low = search.fails, high = search.converges;
  if (high == 0) {
    const std::optional<bool> at_most = works(search.most);
    if (!at_most) return {};
    if (!*at_most) return {std::nullopt, search.most, true};
    high = search.most;
  }
  while (high - low > std::max(high / kLeastResolution, search.unit)) {
    const std::uint64_t middle = low + std::max((high - low) / 2 / search.unit, std::uint64_t{1}) * search.unit;
    if (middle >= high) break;
    const std::optional<bool> there = works(middle);
    if (!there) return {};
    (*there ? high : low) = middle;
  }
  return {high, low, true};
}

/// The values of a row or column of cells between which the change is: the last before the first that converges, and
/// that; 0 where there is none.
template <class Value, class Converges>
std::pair<std::uint64_t, std::uint64_t> bracket(const std::vector<Value>& values, Converges converges_at) {
  std::size_t first = 0;
  while (first < values.size() && !converges_at(first)) ++first;
  const auto number = [&](std::size_t i) {
    if constexpr (std::is_same_v<Value, Nanos>)
      return std::min(static_cast<std::uint64_t>(values[i].count()), kDowntimeMost);
    else
      return values[i].value;
  };
  return {first == 0 ? 0 : number(first - 1), first == values.size() ? 0 : number(first)};
}

Search bandwidth_search(const PredictOptions& options, const Predictions& known, std::size_t limit) {
  const std::size_t limits = options.downtimes.size();
  const auto [fails, works] =
      bracket(options.bandwidths, [&](std::size_t i) { return known.cells[i * limits + limit].converges(); });
  return {.setting = {{0}, options.downtimes[limit], 0, ""},
          .turn = [](Setting& setting, std::uint64_t value) { setting.bandwidth = {value}; },
          .fails = fails,
          .converges = works,
          .most = kRateMost,
          .unit = 1000};
}

Search downtime_search(const PredictOptions& options, const Predictions& known, std::size_t rate) {
  const std::size_t limits = options.downtimes.size();
  const auto [fails, works] =
      bracket(options.downtimes, [&](std::size_t i) { return known.cells[rate * limits + i].converges(); });
  return {
      .setting = {options.bandwidths[rate], Nanos{0}, 0, ""},
      .turn = [](Setting& setting, std::uint64_t value) { setting.downtime = Nanos{static_cast<std::int64_t>(value)}; },
      .fails = fails,
      .converges = works,
      .most = kDowntimeMost,
      .unit = kMillion};
}

Search throttle_search(const PredictOptions& options, std::size_t cell) {
  const std::size_t limits = options.downtimes.size();
  return {.setting = {options.bandwidths[cell / limits], options.downtimes[cell % limits], 0, ""},
          .turn = [](Setting& setting, std::uint64_t value) { setting.throttle = value; },
          .fails = 0,
          .converges = 0,
          .most = kThrottleMost,
          .unit = 1};
}

bool has_downtime_limit(const sim::RunOptions& options) {
  const auto ignores = [](const sim::MigrationOptions& each) {
    return std::ranges::find(each.strategy.goal_ignored, "downtime") != each.strategy.goal_ignored.end();
  };
  return std::ranges::none_of(options.migrations, ignores);
}

bool has_throttle(const Loaded& scenario, const PredictOptions& options, const Setting& setting) {
  for (const sim::MigrationOptions& each : scenario.options.migrations)
    for (const char* mechanism : {"throttle", "throttle_initial", "throttle_max"})
      if (parameter_for(each.strategy.name, mechanism).empty()) return false;
  Setting throttled = setting;  // what excludes a throttle is found out by asking
  throttled.throttle = kThrottleMost;
  return std::holds_alternative<sim::RunOptions>(prepared(scenario, options, throttled));
}

/// Where a search leaves what it found.
struct Task {
  Search search;
  Least* into;
};

std::vector<Task> tasks_for(const Loaded& scenario, const PredictOptions& options, Predictions& known) {
  std::vector<Task> tasks;
  const Setting first{options.bandwidths.front(), options.downtimes.front(), 0, ""};
  known.bandwidth.resize(options.downtimes.size());
  for (std::size_t i = 0; i < known.bandwidth.size(); ++i)
    tasks.push_back({bandwidth_search(options, known, i), &known.bandwidth[i]});
  const Prepared made = prepared(scenario, options, first);
  if (has_downtime_limit(std::get<sim::RunOptions>(made))) known.downtime.resize(options.bandwidths.size());
  for (std::size_t i = 0; i < known.downtime.size(); ++i)
    tasks.push_back({downtime_search(options, known, i), &known.downtime[i]});
  if (has_throttle(scenario, options, first)) known.throttle.resize(known.cells.size());
  for (std::size_t i = 0; i < known.throttle.size(); ++i)
    if (!known.cells[i].converges()) tasks.push_back({throttle_search(options, i), &known.throttle[i].emplace()});
  return tasks;
}

}  // namespace

std::size_t Predictions::searches_missing() const {
  const auto missing = [](const Least& each) { return !each.found; };
  return static_cast<std::size_t>(
      std::ranges::count_if(bandwidth, missing) + std::ranges::count_if(downtime, missing) +
      std::ranges::count_if(throttle, [](const auto& each) { return each && !each->found; }));
}

std::variant<std::optional<Predictions>, std::vector<Issue>> predict(const Loaded& scenario,
                                                                     const PredictOptions& options,
                                                                     const Progress& progress) {
  std::vector<sim::RunOptions> cells;
  for (const BitsPerSecond bandwidth : options.bandwidths)
    for (const Nanos downtime : options.downtimes) {
      Prepared made = prepared(scenario, options, {bandwidth, downtime, 0, ""});
      if (auto* issues = std::get_if<std::vector<Issue>>(&made)) return std::move(*issues);
      cells.push_back(std::get<sim::RunOptions>(std::move(made)));
    }
  Predictions predictions;
  std::vector<sim::RunOptions> settings;  // the longest runs first: post-copy, page by page
  for (const char* strategy : {"post-copy", "hybrid"}) {
    std::vector<sim::RunOptions> made;
    for (const BitsPerSecond bandwidth : options.bandwidths) {
      Prepared one = prepared(scenario, options, {bandwidth, kNever, 0, strategy});
      if (auto* right = std::get_if<sim::RunOptions>(&one)) made.push_back(std::move(*right));
    }
    if (made.size() < options.bandwidths.size()) continue;  // a checkpoint, say
    predictions.post_copy.push_back({strategy, {}});
    std::ranges::move(made, std::back_inserter(settings));
  }
  std::ranges::move(cells, std::back_inserter(settings));
  const auto all = all_predicted(settings, options, progress);
  if (!all) return std::optional<Predictions>();
  auto next = all->begin();
  for (PostCopyPrediction& each : predictions.post_copy) {
    each.at.assign(next, next + std::ssize(options.bandwidths));
    next += std::ssize(options.bandwidths);
  }
  predictions.cells.assign(next, all->end());
  return std::optional(std::move(predictions));
}

void find_least(const Loaded& scenario, const PredictOptions& options, Predictions& predictions,
                const Progress& progress) {
  const std::vector<Task> tasks = tasks_for(scenario, options, predictions);
  std::mutex mutex;
  std::size_t finished = 0;
  bool ended = false;
  const auto tell = [&](std::size_t more) {
    const std::lock_guard lock(mutex);
    finished += more;
    if (!ended && progress) ended = !progress(finished, tasks.size());
    return !ended;
  };
  const auto work = [&](std::size_t number) {
    const Search& search = tasks[number].search;
    *tasks[number].into = least(search, [&](std::uint64_t value) {
      return converges(scenario, options, search, value, [&] { return tell(0); });
    });
    tell(tasks[number].into->found ? 1 : 0);
  };
  for_each_number(tasks.size(), options.jobs, work, {});  // after the end the rest is asked for once, and not run
}

std::vector<ModelDifference> differences(const Loaded& scenario, const DirtySamples& samples,
                                         const PredictOptions& options, const Predictions& predictions) {
  const workloads::CurveFit* curve = scenario.options.guests.front().workload.curve.get();
  const auto total = [](const std::optional<CellPrediction>& found) {
    return found ? std::optional(found->total) : std::nullopt;
  };
  std::vector<ModelDifference> all;
  for (std::size_t i = 0; i < predictions.cells.size(); ++i) {
    const BitsPerSecond bandwidth = options.bandwidths[i / options.downtimes.size()];
    const Nanos downtime = options.downtimes[i % options.downtimes.size()];
    const Predicted& cell = predictions.cells[i];
    const BitsPerSecond pace = cell.pace.value > 0 ? cell.pace : bandwidth;
    ModelDifference difference{.model = total(gudkov_2023(samples, bandwidth, downtime)),
                               .plain_bits = total(gudkov_2023(samples, bandwidth, downtime, {true, nullptr})),
                               .curve = total(gudkov_2023(samples, bandwidth, downtime, {true, curve})),
                               .pace = total(gudkov_2023(samples, pace, downtime, {true, curve})),
                               .core = {}};
    if (cell.converges()) difference.core = Nanos{std::llround(cell.total_time_ms.median * 1e6)};
    all.push_back(difference);
  }
  return all;
}

}  // namespace godwit::studies
