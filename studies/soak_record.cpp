#include "studies/soak_record.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <stdexcept>

#include "base/check.h"
#include "scenarios/strategy.h"
#include "sim/run.h"
#include "studies/draw.h"
#include "studies/soak_checks.h"
#include "studies/soak_scenario.h"

namespace godwit::studies {
namespace {

constexpr std::uint64_t kLooks = 3;  // whose random numbers
constexpr Bytes kContentsMost{4 << 20};

std::uint32_t kinds_in(const workloads::Options& workload) {
  std::uint32_t kinds = 1u << static_cast<unsigned>(workload.kind);
  for (const auto& phase : workload.phases) kinds |= kinds_in(phase.workload);
  for (const auto& part : workload.parts) kinds |= kinds_in(part);
  return kinds;
}

std::size_t place_of(const std::string& strategy) {
  const std::vector<std::string> names = scenarios::strategy_names();
  return static_cast<std::size_t>(std::ranges::find(names, strategy) - names.begin());
}

SoakRecord record_of(const sim::RunOptions& options, const sim::RunResult& result) {
  SoakRecord record;
  record.digest = result.digest;
  for (const sim::GuestOptions& each : options.guests) record.workloads |= kinds_in(each.workload);
  for (const sim::EventOptions& each : options.events) record.events |= 1u << static_cast<unsigned>(each.kind);
  GODWIT_CHECK(result.migrations.size() <= SoakRecord::kMost);
  for (const sim::MigrationResult& each : result.migrations) {
    const auto reason = std::ranges::find(reasons(), each.reason) - reasons().begin();
    record.endings[record.migrations++] = {.strategy = static_cast<std::uint8_t>(place_of(each.strategy)),
                                           .status = static_cast<std::uint8_t>(each.status),
                                           .reason = static_cast<std::uint8_t>(reason)};
  }
  return record;
}

bool small(const sim::RunOptions& options) {
  Bytes memory{0};
  for (const sim::GuestOptions& each : options.guests) memory += each.memory;
  return memory <= kContentsMost;
}

/// Looks at a run in the ways whose bits are in `looks`. Returns those that it could be looked at in.
std::uint32_t look(const scenarios::Loaded& loaded, const sim::RunResult& result, std::uint32_t looks) {
  const sim::RunOptions& options = loaded.options;
  std::uint32_t looked = 0;
  const auto wants = [&](SoakCheck check, bool possible) {
    const std::uint32_t bit = 1u << static_cast<unsigned>(check);
    if (!possible || (looks & bit) == 0) return false;
    looked |= bit;
    return true;
  };
  if (wants(SoakCheck::kOracles, true)) check_result(options, result);
  if (wants(SoakCheck::kRepeats, true)) check_repeats(options, result);
  if (wants(SoakCheck::kContents, small(options))) check_contents(options, result);
  if (wants(SoakCheck::kEffective, true)) check_effective(loaded, result);
  for (std::uint32_t i = 0; i < result.migrations.size(); ++i)
    if (wants(SoakCheck::kCheckpoint, !result.migrations[i].checkpoint.empty()))
      check_checkpoint(loaded, i, result, options.seed);
  return looked;
}

scenarios::Loaded load(std::uint64_t seed, const std::filesystem::path& folder) {
  auto loaded = scenarios::load_document(soak_scenario(seed), fmt::format("seed {}", seed), folder);
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&loaded))
    throw std::logic_error("a drawn scenario is refused: " + issues->front().to_string());
  return std::get<scenarios::Loaded>(std::move(loaded));
}

}  // namespace

SoakRecord soak_seed(std::uint64_t seed, const std::filesystem::path& folder) {
  const scenarios::Loaded loaded = load(seed, folder);
  Draw draw(seed, kLooks);
  std::uint32_t looks = 1;
  for (unsigned check = 1; check < kSoakChecks; ++check) looks |= draw.one_in(8) ? 1u << check : 0u;
  sim::RunResult result;
  try {
    result = sim::run(loaded.options);
  } catch (const std::runtime_error&) {
    SoakRecord record;
    record.refused = true;
    return record;
  }
  SoakRecord record = record_of(loaded.options, result);
  record.checks = look(loaded, result, looks);
  return record;
}

void soak_thoroughly(const scenarios::Loaded& loaded) { look(loaded, sim::run(loaded.options), ~0u); }

void add(SoakSummary& summary, const SoakRecord& record) {
  const auto count = [](std::map<std::string, std::uint64_t>& counts, const std::vector<std::string>& names,
                        std::uint32_t bits) {
    for (std::size_t i = 0; i < names.size(); ++i) counts[names[i]] += bits >> i & 1u;
  };
  ++summary.seeds;
  summary.digest = XXH64(&record.digest, sizeof record.digest, summary.digest);
  summary.refused += record.refused ? 1 : 0;
  count(summary.workloads, scenarios::workload_table().info().variants, record.workloads);
  count(summary.events, scenarios::event_table().info().variants, record.events);
  for (std::size_t i = 0; i < kSoakChecks; ++i) summary.checks[i] += record.checks >> i & 1u;
  for (std::size_t i = 0; i < record.migrations; ++i) {
    const SoakRecord::Ending& ending = record.endings[i];
    const auto status = static_cast<sim::Status>(ending.status);
    ++summary.migrations;
    ++summary.outcomes[{status, std::string(reasons()[ending.reason])}];
    SoakSummary::Strategy& strategy = summary.strategies[scenarios::strategies()[ending.strategy].get().name()];
    ++strategy.migrations;
    strategy.completed += status == sim::Status::kCompleted ? 1 : 0;
  }
}

}  // namespace godwit::studies
