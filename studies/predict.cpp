#include "studies/predict.h"

#include <algorithm>
#include <utility>

#include "scenarios/quantity.h"
#include "sim/run.h"
#include "studies/figures.h"

namespace godwit::studies {
namespace {

using scenarios::Issue;
using scenarios::Json;

using Options = std::variant<sim::RunOptions, std::vector<Issue>>;

/// Whatever the strategy may send at: else its own cap would be what is measured, not the link.
Options options_for(Json scenario, const std::string& file, const std::filesystem::path& base_dir,
                    const std::string& bandwidth, const std::string& downtime) {
  for (Json& link : scenario["links"]) link["bandwidth"] = bandwidth;
  for (Json& migration : scenario["migrations"]) migration["goal"] = {{"downtime", downtime}, {"bandwidth", bandwidth}};
  return scenarios::options_of(scenarios::to_node(scenario), file, base_dir);
}

bool all_completed(const RunFigures& figures) { return figures.completed == figures.migrations; }

Predicted predicted(const std::string& bandwidth, const std::string& downtime, const std::vector<RunFigures>& runs) {
  Predicted result{bandwidth, downtime, true, "", {}, {}};
  std::vector<double> total, down;
  for (const RunFigures& each : runs) {
    total.push_back(milliseconds(each.total_time));
    down.push_back(milliseconds(each.downtime));
    if (all_completed(each)) continue;
    if (result.converges) result.outcome = each.outcome;
    result.converges = false;
  }
  result.total_time_ms = quantiles_of(std::move(total));
  result.downtime_ms = quantiles_of(std::move(down));
  return result;
}

}  // namespace

std::variant<Predictions, std::vector<Issue>> predict(const Json& scenario, const std::string& file,
                                                      const std::filesystem::path& base_dir,
                                                      const PredictOptions& options, const Progress& progress) {
  std::vector<sim::RunOptions> cells;
  for (const std::string& bandwidth : options.bandwidths)
    for (const std::string& downtime : options.downtimes) {
      Options made = options_for(scenario, file, base_dir, bandwidth, downtime);
      if (auto* issues = std::get_if<std::vector<Issue>>(&made)) return std::move(*issues);
      cells.push_back(std::get<sim::RunOptions>(std::move(made)));
    }
  std::vector<std::vector<RunFigures>> runs(cells.size(), std::vector<RunFigures>(options.seeds));
  std::size_t finished = 0;
  for_each_number(
      cells.size() * options.seeds, options.jobs,
      [&](std::size_t number) {
        sim::RunOptions run = cells[number / options.seeds];
        run.seed += number % options.seeds;
        runs[number / options.seeds][number % options.seeds] = figures_of(sim::run(run));
      },
      [&](std::size_t done, std::size_t total) {
        finished = done;
        return !progress || progress(done, total);
      });
  Predictions predictions;
  if (finished < cells.size() * options.seeds) return predictions;
  for (std::size_t i = 0; i < cells.size(); ++i)
    predictions.push_back(predicted(options.bandwidths[i / options.downtimes.size()],
                                    options.downtimes[i % options.downtimes.size()], runs[i]));
  return predictions;
}

std::optional<BitsPerSecond> smallest_bandwidth(const Json& scenario, const std::string& file,
                                                const std::filesystem::path& base_dir, const std::string& downtime,
                                                BitsPerSecond fails, BitsPerSecond converges) {
  while (converges.value - fails.value > converges.value / 20) {
    const BitsPerSecond middle{fails.value + (converges.value - fails.value) / 2};
    const std::string text = scenarios::format_quantity(scenarios::Dimension::kRate, middle.value);
    const Options made = options_for(scenario, file, base_dir, text, downtime);
    const auto* options = std::get_if<sim::RunOptions>(&made);
    if (options == nullptr) return std::nullopt;
    (all_completed(figures_of(sim::run(*options))) ? converges : fails) = middle;
  }
  return converges;
}

}  // namespace godwit::studies
