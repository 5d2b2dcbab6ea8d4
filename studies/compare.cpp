#include "studies/compare.h"

#include <algorithm>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "base/check.h"
#include "sim/run.h"

namespace godwit::studies {
namespace {

/// Of each contender, the runs of those seeds that all have finished. `runs` has seed after seed, and for each seed one
/// contender after another.
std::vector<std::vector<RunFigures>> finished_seeds(std::vector<std::optional<RunFigures>> runs,
                                                    std::size_t contenders) {
  std::vector<std::vector<RunFigures>> kept(contenders);
  for (std::size_t first = 0; first < runs.size(); first += contenders) {
    const std::span seed(&runs[first], contenders);
    if (!std::ranges::all_of(seed, [](const auto& each) { return each.has_value(); })) continue;
    for (std::size_t i = 0; i < seed.size(); ++i) kept[i].push_back(std::move(*seed[i]));
  }
  return kept;
}

bool is_drawn(const workloads::Options& workload) {
  using enum workloads::Kind;
  switch (workload.kind) {
    case kIdle:
    case kSequential:
    case kRecorded: return false;
    case kPhased: return std::ranges::any_of(workload.phases, [](const auto& each) { return is_drawn(each.workload); });
    case kMix: return std::ranges::any_of(workload.parts, is_drawn);
    default: return true;
  }
}

Pairing pairing_of(const sim::RunOptions& options) {
  bool drawn = false, paired = false;
  for (const sim::MigrationOptions& each : options.migrations)
    (is_drawn(options.guests[each.guest].workload) ? drawn : paired) = true;
  if (!drawn) return Pairing::kPaired;
  return paired ? Pairing::kMixed : Pairing::kInDistribution;
}

}  // namespace

bool Comparison::caps_differ() const {
  return std::ranges::any_of(strategies, [&](const auto& each) { return each.rate_max != strategies[0].rate_max; });
}

std::vector<std::string> Comparison::payers() const {
  std::set<std::string> seen;
  for (const StrategyFigures& strategy : strategies)
    for (const RunFigures& run : strategy.runs)
      for (const auto& [payer, cpu] : run.cpu)
        if (cpu > Nanos{0}) seen.insert(payer);
  std::vector<std::string> payers;
  for (const char* each : {"guest", "hypervisor", "management", "destination"})
    if (seen.erase(each) > 0) payers.emplace_back(each);
  payers.insert(payers.end(), seen.begin(), seen.end());
  return payers;
}

std::variant<std::vector<Contender>, std::vector<scenarios::Issue>> contenders(
    const scenarios::Loaded& loaded, const std::vector<std::string>& strategies) {
  std::vector<Contender> all;
  for (const std::string& name : strategies) {
    auto result = scenarios::with_strategy(loaded, name);
    if (auto* issues = std::get_if<std::vector<scenarios::Issue>>(&result)) return std::move(*issues);
    all.push_back({name, std::get<scenarios::Loaded>(std::move(result))});
  }
  return all;
}

Comparison compare(const std::vector<Contender>& contenders, const CompareOptions& options, const Progress& progress) {
  GODWIT_CHECK(!contenders.empty());
  GODWIT_CHECK(options.seeds > 0);
  std::vector<std::optional<RunFigures>> runs(contenders.size() * options.seeds);
  const auto run = [&](std::size_t number) {
    sim::RunOptions scenario = contenders[number % contenders.size()].scenario.options;
    scenario.seed += number / contenders.size();
    const sim::RunResult result = sim::run(scenario);
    runs[number] = figures_of(result);
    if (result.migrations.size() == 1)
      runs[number]->work = merged(work_over_time(result.migrations.front()), kWorkStretchesMost);
  };
  for_each_number(runs.size(), options.jobs, run, progress);

  std::vector<std::vector<RunFigures>> figures = finished_seeds(std::move(runs), contenders.size());
  Comparison comparison;
  comparison.pairing = pairing_of(contenders.front().scenario.options);
  for (const RunFigures& each : figures.front()) comparison.seeds.push_back(each.seed);
  if (comparison.seeds.empty()) return comparison;
  for (std::size_t i = 0; i < contenders.size(); ++i)
    comparison.strategies.push_back(
        summarise(contenders[i].strategy, contenders[i].scenario.options, std::move(figures[i])));
  return comparison;
}

}  // namespace godwit::studies
