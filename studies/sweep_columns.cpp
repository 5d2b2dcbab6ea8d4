#include "studies/sweep_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <functional>
#include <optional>

#include "base/check.h"
#include "scenarios/quantity.h"
#include "sim/names.h"

namespace godwit::studies {
namespace {

using scenarios::Dimension;
using scenarios::Json;

std::int64_t whole(std::uint64_t value) { return static_cast<std::int64_t>(value); }

struct Result {
  SweepColumn column;
  std::function<SqlValue(const RunFigures&)> of;
};

Result real_ms(std::string name, std::string description, std::function<Nanos(const RunFigures&)> of) {
  return {{std::move(name), "REAL", "ms", std::move(description), "", Role::kResult},
          [of = std::move(of)](const RunFigures& f) -> SqlValue { return milliseconds(of(f)); }};
}

Result number(std::string name, std::string unit, std::string description,
              std::function<std::uint64_t(const RunFigures&)> of) {
  return {{std::move(name), "INTEGER", std::move(unit), std::move(description), "", Role::kResult},
          [of = std::move(of)](const RunFigures& f) -> SqlValue { return whole(of(f)); }};
}

void add_parts(std::vector<Result>& all) {
  for (std::size_t i = 0; i < sim::kParts; ++i) {
    const std::string part(name_of(static_cast<sim::Part>(i)));
    all.push_back(real_ms("downtime_" + part + "_ms", "Part of the downtime: " + part,
                          [i](const RunFigures& f) { return f.parts[i]; }));
  }
}

std::vector<Result> make_results() {
  std::vector<Result> all;
  all.push_back(
      {{"outcome", "TEXT", "", "completed, or status and reason of the first migration that is not", "", Role::kResult},
       [](const RunFigures& f) -> SqlValue { return f.outcome; }});
  all.push_back(number("migrations", "", "Migrations of the run", [](const auto& f) { return f.migrations; }));
  all.push_back(number("completed", "", "Migrations that were completed", [](const auto& f) { return f.completed; }));
  all.push_back(number("verified", "", "1: every page arrived as it was at its snapshot instant, else 0",
                       [](const auto& f) { return std::uint64_t{f.verified}; }));
  all.push_back(
      real_ms("total_time_ms", "From the first request to the last end", [](const auto& f) { return f.total_time; }));
  all.push_back(real_ms("downtime_ms", "Nothing of the guest ran, summed over migrations",
                        [](const auto& f) { return f.downtime; }));
  all.push_back(
      real_ms("service_gap_ms", "What a client of the guest sees", [](const auto& f) { return f.service_gap; }));
  all.push_back(
      real_ms("work_lost_ms", "Work that the guest did not get done", [](const auto& f) { return f.work_lost; }));
  all.push_back(number("transferred_bytes", "bytes", "Sent, all told", [](const auto& f) { return f.sent.value; }));
  all.push_back(number("rounds", "", "Of the migration that took the most, the final pass included",
                       [](const auto& f) { return f.rounds; }));
  all.push_back(number("postcopy_requests", "", "Pages that the guest had to wait for after it had moved",
                       [](const auto& f) { return f.postcopy_requests; }));
  all.push_back(real_ms("postcopy_stall_ms", "Waited for such pages", [](const auto& f) { return f.postcopy_stall; }));
  add_parts(all);
  for (const char* payer : {"guest", "hypervisor", "management", "destination"})
    all.push_back(real_ms(fmt::format("cpu_{}_ms", payer), fmt::format("CPU time that the {} pays", payer),
                          [payer](const RunFigures& f) { return f.paid_by(payer); }));
  all.push_back({{"digest", "TEXT", "", "Of the run, as godwit run shows it", "", Role::kResult},
                 [](const RunFigures& f) -> SqlValue { return fmt::format("{:016x}", f.digest); }});
  return all;
}

const std::vector<Result>& results() {
  static const std::vector<Result> all = make_results();
  return all;
}

/// How a quantity is kept: in which unit, and how much of it a counted unit is.
struct Unit {
  Dimension dimension;
  const char* suffix;
  const char* name;
  bool is_whole;
  double size;  ///< Counted units in one of it.
};
constexpr std::array<Unit, 6> kUnits = {
    {{Dimension::kBytes, "bytes", "bytes", true, 1},
     {Dimension::kPages, "pages", "pages", true, 1},
     {Dimension::kRate, "mbps", "Mbit/s", false, 1e6},
     {Dimension::kTime, "ms", "ms", false, 1e6},
     {Dimension::kWriteRate, "pages_per_s", "pages/s", true, 1},
     {Dimension::kShare, "percent", "%", false, static_cast<double>(kWhole) / 100}}};

std::optional<std::vector<SqlValue>> in_unit(const Axis& axis, const Unit& unit) {
  std::vector<SqlValue> values;
  for (const Json& each : axis.values) {
    if (!each.is_string()) return std::nullopt;
    const auto read = scenarios::parse_quantity(unit.dimension, each.get<std::string>());
    const auto* counted = std::get_if<std::uint64_t>(&read);
    if (counted == nullptr) return std::nullopt;
    // To the millionth: a share is kept in parts of 2^32, and 90 % should read as 90.
    if (unit.is_whole)
      values.emplace_back(whole(*counted));
    else
      values.emplace_back(std::round(static_cast<double>(*counted) / unit.size * 1e6) / 1e6);
  }
  return values;
}

std::string plain_name(const std::string& pointer) {
  std::string name = pointer.starts_with("/") ? pointer.substr(1) : pointer;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

/// The column of an axis, and its values as that column has them.
std::pair<SweepColumn, std::vector<SqlValue>> axis_column(const Axis& axis) {
  SweepColumn column{plain_name(axis.pointer), "", "", "Varied: " + axis.pointer, axis.pointer, Role::kAxis};
  for (const Unit& unit : kUnits) {
    auto values = in_unit(axis, unit);
    if (!values) continue;
    column.name += std::string("_") + unit.suffix;
    column.type = unit.is_whole ? "INTEGER" : "REAL";
    column.unit = unit.name;
    return {std::move(column), std::move(*values)};
  }
  const auto all = [&](auto is) { return std::ranges::all_of(axis.values, is); };
  const bool integers = all([](const Json& j) { return j.is_number_integer(); });
  const bool numbers = all([](const Json& j) { return j.is_number(); });
  column.type = integers ? "INTEGER" : numbers ? "REAL" : "TEXT";
  std::vector<SqlValue> values;
  for (const Json& each : axis.values) {
    if (integers)
      values.emplace_back(each.get<std::int64_t>());
    else if (numbers)
      values.emplace_back(each.get<double>());
    else
      values.emplace_back(each.is_string() ? each.get<std::string>() : each.dump());
  }
  return {std::move(column), std::move(values)};
}

}  // namespace

std::string_view name_of(Role role) {
  constexpr std::array<std::string_view, 4> kNames = {"point", "axis", "seed", "result"};
  return kNames[static_cast<std::size_t>(role)];
}

SweepRows::SweepRows(const Sweep& sweep) : sweep_(sweep) {
  columns_.push_back({"point", "INTEGER", "", "Number of the point", "", Role::kPoint});
  std::vector<SweepColumn> others{{"seed", "INTEGER", "", "Of all that is random", "", Role::kSeed}};
  for (const Result& each : results()) others.push_back(each.column);
  const auto taken = [&](const std::string& name) {
    const auto has = [&](const auto& columns) { return std::ranges::count(columns, name, &SweepColumn::name) > 0; };
    return has(columns_) || has(others);
  };
  for (const Axis& axis : sweep.axes) {
    auto [column, values] = axis_column(axis);
    while (taken(column.name)) column.name += "_axis";
    columns_.push_back(std::move(column));
    axis_values_.push_back(std::move(values));
  }
  columns_.insert(columns_.end(), others.begin(), others.end());
}

Row SweepRows::begin(std::uint64_t number) const {
  const Point point = point_at(sweep_, number);
  Row row;
  row.reserve(columns_.size());
  row.emplace_back(whole(number));
  for (std::size_t i = 0; i < axis_values_.size(); ++i) row.push_back(axis_values_[i][point.values[i]]);
  return row;
}

Row SweepRows::row(std::uint64_t number, const RunFigures& figures) const {
  Row row = begin(number);
  row.emplace_back(whole(figures.seed));
  for (const Result& each : results()) row.push_back(each.of(figures));
  GODWIT_CHECK(row.size() == columns_.size());
  return row;
}

Row SweepRows::row(std::uint64_t number, const std::string& wrong) const {
  Row row = begin(number);
  row.emplace_back();
  row.emplace_back("invalid: " + wrong);
  row.resize(columns_.size());
  return row;
}

}  // namespace godwit::studies
