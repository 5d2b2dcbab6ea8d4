#include "studies/validate.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "scenarios/load.h"
#include "sim/run.h"
#include "studies/real_scenario.h"

namespace godwit::studies {
namespace {

Outcome outcome_of(const sim::MigrationResult& result) {
  Outcome outcome;
  outcome.completed = result.status == sim::Status::kCompleted;
  if (outcome.completed) {
    // QEMU's destination starts when all has arrived: it has no commit, which Godwit's migrations wait for.
    const Nanos commit = result.parts[static_cast<std::size_t>(sim::Part::kCommit)];
    outcome.total_time_ms = milliseconds(result.total_time - commit);
    outcome.stop_to_resume_ms = milliseconds(result.downtime - commit);
  }
  outcome.transferred_bytes = result.transferred.value;
  outcome.normal_pages = result.normal.value;
  outcome.duplicate_pages = result.duplicate.value;
  outcome.dirty_sync_count = result.dirty_syncs;
  for (const sim::Iteration& each : result.iterations) {
    outcome.throttle_max_percent = std::max(outcome.throttle_max_percent, mul_div(each.throttle, 100, kWhole));
  }
  return outcome;
}

/// Every page is pending at first, and whatever is newly dirty once more; all of it is sent, but for what the source
/// remembers and finds unchanged.
bool adds_up(const sim::MigrationResult& result) {
  std::uint64_t pending = result.total_bytes.value / result.page_size.value;
  for (const sim::Iteration& each : result.iterations) pending += each.round.new_dirty.value;
  return result.normal + result.duplicate + result.deltas + result.skipped == Pages{pending};
}

std::optional<double> relative(std::optional<double> predicted, std::optional<double> measured) {
  if (!predicted || !measured || *measured == 0) return std::nullopt;
  return (*predicted - *measured) / *measured;
}

std::optional<double> relative(std::uint64_t predicted, std::uint64_t measured) {
  return relative(std::optional(static_cast<double>(predicted)), std::optional(static_cast<double>(measured)));
}

Errors errors_of(const Outcome& predicted, const Outcome& measured) {
  return {.total_time = relative(predicted.total_time_ms, measured.total_time_ms),
          .stop_to_resume = relative(predicted.stop_to_resume_ms, measured.stop_to_resume_ms),
          .transferred = relative(predicted.transferred_bytes, measured.transferred_bytes),
          .normal = relative(predicted.normal_pages, measured.normal_pages),
          .duplicate = relative(predicted.duplicate_pages, measured.duplicate_pages),
          .dirty_syncs = relative(predicted.dirty_sync_count, measured.dirty_sync_count)};
}

bool within_factor_two(const Prediction& each) {
  const std::optional<double> error = each.errors.stop_to_resume;
  return error && *error >= -0.5 && *error <= 1;
}

ErrorSpread spread_of(const std::vector<const Prediction*>& predictions, std::optional<double> Errors::*member) {
  std::vector<double> errors;
  for (const Prediction* each : predictions)
    if (const std::optional<double> error = each->errors.*member) errors.push_back(*error);
  return error_spread(std::move(errors));
}

}  // namespace

RunKind kind_of(const RealRun& run) {
  if (run.migration.has("postcopy-ram")) return RunKind::kPostCopy;
  if (run.migration.has("auto-converge")) return RunKind::kAutoConverge;
  if (run.migration.has("xbzrle")) return RunKind::kXbzrle;
  return run.group == "content" ? RunKind::kContent : RunKind::kPlain;
}

std::string_view name_of(RunKind kind) {
  switch (kind) {
    case RunKind::kPlain: return "plain";
    case RunKind::kContent: return "content";
    case RunKind::kXbzrle: return "xbzrle";
    case RunKind::kAutoConverge: return "autoconverge";
    case RunKind::kPostCopy: return "postcopy";
  }
  return {};
}

bool Prediction::syncs_close() const {
  const std::uint64_t a = predicted.dirty_sync_count;
  const std::uint64_t b = run.measured.dirty_sync_count;
  const std::uint64_t apart = a > b ? a - b : b - a;
  return apart <= 1 || apart * 10 <= b;
}

ErrorSpread error_spread(std::vector<double> errors) {
  for (double& each : errors) each = std::abs(each);
  std::ranges::sort(errors);
  ErrorSpread spread{.of = errors.size()};
  if (errors.empty()) return spread;
  const auto reached_by = [&](std::size_t tenths) { return errors[(errors.size() * tenths + 9) / 10 - 1]; };
  spread.median = reached_by(5);
  spread.p90 = reached_by(9);
  spread.worst = errors.back();
  return spread;
}

Summary summarise(const std::vector<const Prediction*>& predictions) {
  Summary summary;
  std::vector<const Prediction*> predicted;
  for (const Prediction* each : predictions)
    if (each->is_predicted()) predicted.push_back(each);
  summary.runs = predicted.size();
  summary.not_modelled = predictions.size() - predicted.size();
  for (const Prediction* each : predicted) {
    summary.verdict_right += each->verdict_right();
    summary.syncs_close += each->syncs_close();
    summary.within_factor_two += within_factor_two(*each);
  }
  summary.total_time = spread_of(predicted, &Errors::total_time);
  summary.stop_to_resume = spread_of(predicted, &Errors::stop_to_resume);
  summary.transferred = spread_of(predicted, &Errors::transferred);
  summary.normal = spread_of(predicted, &Errors::normal);
  summary.duplicate = spread_of(predicted, &Errors::duplicate);
  summary.dirty_syncs = spread_of(predicted, &Errors::dirty_syncs);
  return summary;
}

std::vector<const Prediction*> Validation::all() const {
  std::vector<const Prediction*> list;
  for (const Prediction& each : runs) list.push_back(&each);
  return list;
}

std::vector<const Prediction*> Validation::of_kind(RunKind kind) const {
  std::vector<const Prediction*> list;
  for (const Prediction& each : runs)
    if (kind_of(each.run) == kind) list.push_back(&each);
  return list;
}

std::vector<const Prediction*> Validation::plain_in(const std::string& group) const {
  std::vector<const Prediction*> list = of_kind(RunKind::kPlain);
  std::erase_if(list, [&](const Prediction* each) { return each->run.group != group; });
  return list;
}

std::vector<std::string> Validation::plain_groups() const {
  std::vector<std::string> groups;
  for (const Prediction* each : of_kind(RunKind::kPlain))
    if (std::ranges::find(groups, each->run.group) == groups.end()) groups.push_back(each->run.group);
  return groups;
}

std::variant<Prediction, std::vector<scenarios::Issue>> predict(const RealRun& run) {
  Prediction prediction{.run = run, .not_modelled = not_modelled(run)};
  if (!prediction.is_predicted()) return prediction;
  auto loaded = scenarios::load_document(scenario_of(run), run.cell, {});
  if (auto* issues = std::get_if<std::vector<scenarios::Issue>>(&loaded)) return std::move(*issues);
  const sim::RunResult result = sim::run(std::get<scenarios::Loaded>(loaded).options);
  const sim::MigrationResult& migration = result.migrations.at(0);
  prediction.predicted = outcome_of(migration);
  prediction.errors = errors_of(prediction.predicted, run.measured);
  prediction.seed = result.seed;
  prediction.digest = result.digest;
  if (prediction.predicted.completed) prediction.adds_up = adds_up(migration);
  return prediction;
}

}  // namespace godwit::studies
