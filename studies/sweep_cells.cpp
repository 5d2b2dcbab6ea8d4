#include "studies/sweep_cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "base/check.h"

namespace godwit::studies {
namespace {

struct Gathered {
  Cell cell;
  std::vector<double> downtime, total_time, work_lost, transferred, rounds;
};

double real(const SqlValue& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  const auto* found = std::get_if<double>(&value);
  return found ? *found : 0;
}

/// Where in a row the columns are that cells are made of.
struct Places {
  explicit Places(const std::vector<SweepColumn>& columns) {
    const auto find = [&](const char* name) {
      const auto found = std::ranges::find(columns, name, &SweepColumn::name);
      if (found == columns.end()) throw StoreError(std::string("the results have no column ") + name);
      return static_cast<std::size_t>(found - columns.begin());
    };
    outcome = find("outcome"), downtime = find("downtime_ms"), total_time = find("total_time_ms");
    work_lost = find("work_lost_ms"), transferred = find("transferred_bytes"), rounds = find("rounds");
    for (std::size_t i = 0; i < columns.size(); ++i)
      if (columns[i].role == Role::kAxis) axes.push_back(i);
  }

  std::size_t outcome, downtime, total_time, work_lost, transferred, rounds;
  std::vector<std::size_t> axes;
};

void add(Gathered& to, const Row& row, const Places& at) {
  const std::string outcome = shown(row[at.outcome]);
  ++to.cell.runs;
  if (outcome == "completed")
    ++to.cell.completed;
  else if (to.cell.outcome.empty())
    to.cell.outcome = outcome;
  to.downtime.push_back(real(row[at.downtime]));
  to.total_time.push_back(real(row[at.total_time]));
  to.work_lost.push_back(real(row[at.work_lost]));
  to.transferred.push_back(real(row[at.transferred]));
  to.rounds.push_back(real(row[at.rounds]));
}

Cell finished(Gathered from) {
  from.cell.downtime_ms = quantiles_of(std::move(from.downtime));
  from.cell.total_time_ms = quantiles_of(std::move(from.total_time));
  from.cell.work_lost_ms = quantiles_of(std::move(from.work_lost));
  from.cell.transferred_bytes = quantiles_of(std::move(from.transferred));
  from.cell.rounds = quantiles_of(std::move(from.rounds));
  return std::move(from.cell);
}

}  // namespace

Quantiles quantiles_of(std::vector<double> values) {
  GODWIT_CHECK(!values.empty());
  std::ranges::sort(values);
  const auto count = static_cast<double>(values.size());
  const auto at = [&](double rank) { return values[static_cast<std::size_t>(std::clamp(rank, 0.0, count - 1))]; };
  // The number of values below the median is binomial: with 95 % it is within 0.98 sqrt(n) of n / 2.
  const double rank = std::max(1.0, std::floor(count / 2 - 0.98 * std::sqrt(count)));
  return {.least = values.front(),
          .median = values[(values.size() - 1) / 2],
          .p95 = at(std::ceil(0.95 * count) - 1),
          .most = values.back(),
          .low = at(rank - 1),
          .high = at(count - rank)};
}

SweepCells cells_of(SweepStore& store) {
  SweepCells all;
  const Places places(store.header().columns);
  for (const std::size_t i : places.axes) all.axes.push_back(store.header().columns[i]);
  std::optional<Gathered> gathered;
  const auto close = [&] {
    if (gathered) all.cells.push_back(finished(std::move(*gathered)));
    gathered.reset();
  };
  store.for_each([&](const Row& row) {
    if (shown(row[places.outcome]).starts_with("invalid")) return;
    Row axes;
    for (const std::size_t i : places.axes) axes.push_back(row[i]);
    if (gathered && gathered->cell.axes != axes) close();
    if (!gathered) {
      gathered.emplace().cell.axes = std::move(axes);
      gathered->cell.first_point = static_cast<std::uint64_t>(real(row.front()));
    }
    add(*gathered, row, places);
  });
  close();
  return all;
}

std::vector<Winner> winners(const SweepCells& cells, std::size_t axis) {
  std::vector<Winner> all;
  std::map<Row, std::vector<const Cell*>> contests;
  std::vector<Row> order;
  for (const Cell& each : cells.cells) {
    Row others = each.axes;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(axis));
    auto& contest = contests[others];
    if (contest.empty()) order.push_back(others);
    contest.push_back(&each);
  }
  for (const Row& others : order) {
    std::vector<const Cell*> contest = contests[others];
    std::erase_if(contest, [](const Cell* each) { return !each->converges(); });
    if (contest.empty()) {
      all.push_back({others, "none converges", 0});
      continue;
    }
    std::ranges::stable_sort(contest, {}, [](const Cell* each) { return each->downtime_ms.median; });
    const Cell& best = *contest.front();
    const bool tie = contest.size() > 1 && best.downtime_ms.overlaps(contest[1]->downtime_ms);
    all.push_back({others, tie ? "no difference" : shown(best.axes[axis]), best.downtime_ms.median});
  }
  return all;
}

std::string shown(const SqlValue& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  if (const auto* real_value = std::get_if<double>(&value)) return fmt::format("{}", *real_value);
  const auto* text = std::get_if<std::string>(&value);
  return text ? *text : std::string();
}

}  // namespace godwit::studies
