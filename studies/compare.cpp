#include "studies/compare.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <thread>
#include <utility>

#include "base/check.h"
#include "sim/run.h"

namespace godwit::studies {
namespace {

/// The runs, by number: seed after seed, and for each seed one contender after another.
class Runs {
 public:
  Runs(const std::vector<Contender>& contenders, std::uint32_t seeds, const Progress& progress)
      : contenders_(contenders), progress_(progress), figures_(contenders.size() * seeds) {}

  /// Takes one run after another until none is left. Several threads may.
  void work() {
    while (!ended_) {
      const std::size_t number = next_++;
      if (number >= figures_.size()) return;
      try {
        finish(number, run(number));
      } catch (...) {
        fail();
      }
    }
  }

  /// Of each contender, the runs of those seeds that all have finished.
  std::vector<std::vector<RunFigures>> take() {
    if (failure_) std::rethrow_exception(failure_);
    std::vector<std::vector<RunFigures>> kept(contenders_.size());
    for (std::size_t first = 0; first < figures_.size(); first += contenders_.size()) {
      const std::span seed(&figures_[first], contenders_.size());
      if (!std::ranges::all_of(seed, [](const auto& each) { return each.has_value(); })) continue;
      for (std::size_t i = 0; i < seed.size(); ++i) kept[i].push_back(std::move(*seed[i]));
    }
    return kept;
  }

 private:
  RunFigures run(std::size_t number) const {
    sim::RunOptions options = contenders_[number % contenders_.size()].scenario.options;
    options.seed += number / contenders_.size();
    return figures_of(sim::run(options));
  }

  void finish(std::size_t number, RunFigures figures) {
    const std::lock_guard lock(mutex_);
    figures_[number] = std::move(figures);
    ++done_;
    if (progress_ && !progress_(done_, figures_.size())) ended_ = true;
  }

  void fail() {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    ended_ = true;
  }

  const std::vector<Contender>& contenders_;
  const Progress& progress_;
  std::vector<std::optional<RunFigures>> figures_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> ended_{false};
  std::mutex mutex_;
  std::size_t done_ = 0;
  std::exception_ptr failure_;
};

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
  GODWIT_CHECK(options.jobs > 0);
  Runs runs(contenders, options.seeds, progress);
  {
    std::vector<std::jthread> others;
    for (std::uint32_t i = 1; i < options.jobs; ++i) others.emplace_back([&runs] { runs.work(); });
    runs.work();
  }

  std::vector<std::vector<RunFigures>> figures = runs.take();
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
