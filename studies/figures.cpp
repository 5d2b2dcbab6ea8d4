#include "studies/figures.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/check.h"
#include "sim/names.h"

namespace godwit::studies {
namespace {

void note_outcome(RunFigures& figures, const sim::MigrationResult& migration) {
  ++figures.migrations;
  figures.verified &= migration.verified;
  if (migration.status == sim::Status::kCompleted) {
    ++figures.completed;
  } else if (figures.outcome.empty()) {
    figures.outcome = name_of(migration.status);
    if (!migration.reason.empty()) figures.outcome += ": " + migration.reason;
  }
}

void add(RunFigures& figures, const sim::MigrationResult& migration) {
  figures.downtime += migration.downtime;
  figures.service_gap += migration.service_gap;
  figures.work_lost += migration.work_lost;
  for (std::size_t i = 0; i < sim::kParts; ++i) figures.parts[i] += migration.parts[i];
  figures.sent += migration.transferred;
  figures.postcopy_requests += migration.postcopy_requests;
  figures.postcopy_stall += migration.postcopy_stall;
  figures.rounds = std::max<std::uint64_t>(figures.rounds, migration.iterations.size());
}

template <class T>
Spread<T> spread(const std::vector<RunFigures>& runs, T RunFigures::*figure) {
  std::vector<T> values;
  values.reserve(runs.size());
  for (const RunFigures& each : runs) values.push_back(each.*figure);
  return spread_of(std::move(values));
}

/// The lowest cap among the migrations; 0: none has one.
BitsPerSecond rate_cap(const sim::RunOptions& options) {
  BitsPerSecond cap{0};
  for (const sim::MigrationOptions& each : options.migrations) {
    const core::Plan& plan = each.strategy.plan;
    if (plan.rate == core::RateLaw::kUnlimited || plan.rate_max.value == 0) continue;
    if (cap.value == 0 || plan.rate_max < cap) cap = plan.rate_max;
  }
  return cap;
}

}  // namespace

Nanos RunFigures::paid_by(const std::string& payer) const {
  const auto found = std::ranges::find(cpu, payer, &std::pair<std::string, Nanos>::first);
  return found == cpu.end() ? Nanos{0} : found->second;
}

RunFigures figures_of(const sim::RunResult& result) {
  RunFigures figures;
  figures.seed = result.seed;
  figures.digest = result.digest;
  std::map<std::string, Nanos> cpu;
  std::set<std::string> warnings;
  Nanos first = kNever, last{0};
  for (const sim::MigrationResult& each : result.migrations) {
    note_outcome(figures, each);
    add(figures, each);
    first = std::min(first, each.requested_at);
    last = std::max(last, later(each.requested_at, each.total_time));
    for (const sim::Bill& bill : each.costs) cpu[bill.payer] += bill.cpu;
    for (const std::string& warning : each.warnings) warnings.insert(each.guest + ": " + warning);
  }
  if (figures.migrations > 0) figures.total_time = last - first;
  if (figures.outcome.empty()) figures.outcome = "completed";
  figures.cpu.assign(cpu.begin(), cpu.end());
  figures.warnings.assign(warnings.begin(), warnings.end());
  return figures;
}

Spread<Nanos> StrategyFigures::paid_by(const std::string& payer) const {
  std::vector<Nanos> values;
  for (const RunFigures& each : runs) values.push_back(each.paid_by(payer));
  return spread_of(std::move(values));
}

StrategyFigures summarise(std::string name, const sim::RunOptions& options, std::vector<RunFigures> runs) {
  GODWIT_CHECK(!runs.empty());
  StrategyFigures figures;
  figures.name = std::move(name);
  figures.total_time = spread(runs, &RunFigures::total_time);
  figures.downtime = spread(runs, &RunFigures::downtime);
  figures.service_gap = spread(runs, &RunFigures::service_gap);
  figures.work_lost = spread(runs, &RunFigures::work_lost);
  figures.sent = spread(runs, &RunFigures::sent);
  figures.rounds = spread(runs, &RunFigures::rounds);
  figures.rate_max = rate_cap(options);
  for (std::size_t i = runs.size(); i-- > 0;)
    if (runs[i].downtime == figures.downtime.median) figures.median_run = i;
  for (const RunFigures& each : runs) {
    figures.completed &= each.completed == each.migrations;
    figures.verified &= each.verified;
  }
  std::set<std::string> ignored;
  for (const sim::MigrationOptions& each : options.migrations)
    ignored.insert(each.strategy.goal_ignored.begin(), each.strategy.goal_ignored.end());
  figures.goal_ignored.assign(ignored.begin(), ignored.end());
  figures.runs = std::move(runs);
  return figures;
}

}  // namespace godwit::studies
