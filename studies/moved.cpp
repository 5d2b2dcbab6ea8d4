#include "studies/moved.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>

#include "base/check.h"

namespace godwit::studies {
namespace {

using scenarios::Json;

std::optional<RecordDifference> record_difference(const Golden& golden, const Golden& found) {
  const auto [was, is] = std::ranges::mismatch(golden.records, found.records);
  const auto index = static_cast<std::uint64_t>(was - golden.records.begin());
  if (was != golden.records.end() || (is != found.records.end() && !golden.more_records)) {
    RecordDifference difference{.index = index, .from = {}, .to = {}, .before = {}};
    if (was != golden.records.end()) difference.from = *was;
    if (is != found.records.end()) difference.to = *is;
    if (index > 0) difference.before = golden.records[index - 1];
    return difference;
  }
  if (!golden.more_records) return std::nullopt;
  const auto stretch = first_difference(*golden.more_records, std::span(found.records).subspan(golden.records.size()));
  if (!stretch) return std::nullopt;
  RecordDifference difference{
      .index = index + stretch->first, .among = stretch->count, .from = {}, .to = {}, .before = {}};
  if (difference.index < found.records.size()) difference.to = found.records[difference.index];
  if (difference.index > 0 && difference.index <= found.records.size())
    difference.before = found.records[difference.index - 1];
  return difference;
}

Json figures(const Golden& golden, std::span<const Json> migrations) {
  return {{"seed", golden.seed}, {"migrations", std::vector<Json>(migrations.begin(), migrations.end())}};
}

std::vector<Change> figure_changes(const Golden& golden, const Golden& found) {
  const std::size_t shared = std::min(golden.migrations.size(), found.migrations.size());
  const bool all = !golden.more_migrations;
  std::vector<Change> all_changes =
      changes(figures(golden, golden.migrations),
              figures(found, std::span<const Json>(found.migrations).first(all ? found.migrations.size() : shared)));
  if (all) return all_changes;
  const auto stretch =
      first_difference(*golden.more_migrations, migration_lines(std::span(found.migrations).subspan(shared)));
  if (!stretch) return all_changes;
  const std::uint64_t first = shared + stretch->first;
  Change& change = all_changes.emplace_back();
  change.pointer = fmt::format("/migrations/{}", first);
  change.item = "of which the golden keeps a hash";
  if (stretch->count > 1) change.item = fmt::format("or one of the {} after it, {}", stretch->count - 1, change.item);
  if (first < found.migrations.size()) change.to = found.migrations[first];
  return all_changes;
}

}  // namespace

std::optional<Moved> moved(const Golden& golden, const Golden& found) {
  GODWIT_CHECK(!found.more_records && !found.more_migrations);
  Moved moved{.version = golden.version,
              .scenario_changed = golden.scenario != found.scenario,
              .digest_from = golden.digest,
              .digest_to = found.digest,
              .records_from = golden.records.size() + (golden.more_records ? golden.more_records->count : 0),
              .records_to = found.records.size(),
              .record = record_difference(golden, found),
              .changes = figure_changes(golden, found)};
  if (moved.digest_from == moved.digest_to && !moved.record && moved.changes.empty()) return std::nullopt;
  return moved;
}

}  // namespace godwit::studies
