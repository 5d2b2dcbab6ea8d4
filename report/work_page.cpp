#include "report/work_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "report/charts.h"
#include "report/format.h"
#include "scenarios/quantity.h"
#include "studies/work.h"

namespace godwit::report {
namespace {

using studies::WorkStretch;

constexpr std::size_t kWorkMost = 8;        ///< As many lines as there are colours.
constexpr std::size_t kWorkRowsMost = 200;  ///< Of the table.
/// Nearly so: a stretch begins with the round before, and the guest is stopped a little later.
constexpr double kStopped = 0.05;

/// What a guest's work is measured in, and how long that takes where nothing disturbs it.
struct Work {
  double undisturbed_ms;
  std::string title;

  bool operator==(const Work&) const = default;
};

/// How the work of one guest went under one strategy.
struct Series {
  std::string who;
  Work work;
  std::vector<WorkStretch> stretches;
};

std::uint64_t quantity(const Json& object, const char* field, scenarios::Dimension dimension) {
  const Json value = object.value(field, Json());
  if (!value.is_string()) return 0;
  const auto read = scenarios::parse_quantity(dimension, value.get<std::string>());
  const auto* found = std::get_if<std::uint64_t>(&read);
  return found ? *found : 0;
}

/// A GiB of writes, of a guest that writes at one rate; of another, or one of many that share an entry, a second's work.
Work work_of(const Json& scenario, const std::string& name) {
  for (const Json& guest : scenario.value("guests", Json::array())) {
    if (guest.value("name", "") != name || !guest.contains("workload")) continue;
    const auto rate = quantity(guest.at("workload"), "write_rate", scenarios::Dimension::kWriteRate);
    const auto page = quantity(guest, "page_size", scenarios::Dimension::kBytes);
    if (rate == 0 || page == 0) continue;
    return {1073741824.0 * 1000 / (static_cast<double>(rate) * static_cast<double>(page)), "ms per GiB written"};
  }
  return {1000, "ms for a second's work"};
}

double speed(const WorkStretch& each) { return 1 - milliseconds(each.lost) / milliseconds(each.to - each.from); }
bool stopped(const WorkStretch& each) { return speed(each) < kStopped; }

Nanos time_at(const Json& object, const char* field) {
  return Nanos{std::llround(object.at(field).get<double>() * 1e6)};
}

std::vector<WorkStretch> stretches_of_run(const Json& migration) {
  sim::MigrationResult known;
  for (const Json& round : migration.at("iterations")) {
    if (!round.contains("work_lost_ms")) return {};  // of an older version
    sim::Iteration& each = known.iterations.emplace_back();
    each.round.began = time_at(round, "start_ms");
    each.round.took = time_at(round, "duration_ms");
    each.work_lost = time_at(round, "work_lost_ms");
  }
  known.total_time = time_at(migration, "total_time_ms");
  known.work_lost = time_at(migration.at("guest_effect"), "work_lost_ms");
  if (known.iterations.empty()) return {};
  return studies::merged(studies::work_over_time(known), studies::kWorkStretchesMost);
}

std::vector<WorkStretch> stretches_of_strategy(const Json& strategy) {
  std::vector<WorkStretch> all;
  for (const Json& each : strategy.value("work_over_time", Json::array()))
    all.push_back({time_at(each, "from_ms"), time_at(each, "to_ms"), time_at(each, "work_lost_ms")});
  return all;
}

std::vector<Series> series_of(const std::vector<ResultFile>& results) {
  std::vector<Series> all;
  for (const ResultFile& result : results) {
    const std::string prefix = results.size() > 1 ? result.file + ": " : "";
    const Json& scenario = result.document.at("scenario");
    for (const Json& each : result.document.value("migrations", Json::array())) {
      const std::string guest = each.at("guest");
      all.push_back({prefix + guest + " by " + each.at("strategy").get<std::string>(), work_of(scenario, guest),
                     stretches_of_run(each)});
    }
    for (const Json& each : result.document.value("strategies", Json::array())) {
      const std::string guest = scenario.value(Json::json_pointer("/migrations/0/guest"), "");
      all.push_back(
          {prefix + each.at("name").get<std::string>(), work_of(scenario, guest), stretches_of_strategy(each)});
    }
  }
  std::erase_if(all, [](const Series& each) { return each.stretches.empty(); });
  if (all.size() > kWorkMost) all.resize(kWorkMost);
  return all;
}

Json who_channel(const std::vector<Series>& all) {
  Json names = Json::array();
  for (const Series& each : all) names.push_back(each.who);
  return {{"field", "who"}, {"type", "nominal"}, {"title", nullptr}, {"scale", {{"domain", std::move(names)}}}};
}

/// Undisturbed for a while before and after; broken where the guest stands still.
Json line_layer(const std::vector<Series>& all, Nanos margin) {
  Json records = Json::array();
  for (const Series& series : all) {
    const double undisturbed = series.work.undisturbed_ms;
    const auto add = [&](Nanos at, const Json& ms, Nanos lost) {
      records.push_back({{"who", series.who}, {"at", milliseconds(at)}, {"ms", ms}, {"lost", milliseconds(lost)}});
    };
    Json before = undisturbed;
    add(-margin, before, Nanos{0});
    for (const WorkStretch& each : series.stretches) {
      const Json ms = stopped(each) ? Json() : Json(undisturbed / speed(each));
      if (ms.is_null() && !before.is_null()) add(each.from, before, Nanos{0});  // up to here the line goes
      add(each.from, ms, each.lost);
      before = ms;
    }
    add(series.stretches.back().to, undisturbed, Nanos{0});
    add(series.stretches.back().to + margin, undisturbed, Nanos{0});
  }
  const std::string& title = all.front().work.title;
  return {{"data", inline_data(std::move(records))},
          {"mark", {{"type", "line"}, {"interpolate", "step-after"}, {"strokeWidth", 2}}},
          {"encoding",
           {{"x",
             {{"field", "at"},
              {"type", "quantitative"},
              {"title", "time since the request [ms]"},
              {"axis", {{"labelExpr", "format(datum.value, '~s')"}, {"tickCount", 8}}}}},
            {"y",
             {{"field", "ms"},
              {"type", "quantitative"},
              {"title", title},
              {"scale", {{"zero", true}}},
              {"axis", {{"tickCount", 5}}}}},
            {"color", who_channel(all)},
            {"tooltip",
             tooltip({{"who", "who", "nominal"}, {"at", "from [ms]"}, {"ms", title}, {"lost", "work lost [ms]"}})}}}};
}

/// Where a guest stands still, over all of the chart's height; at least as wide as can be seen.
Json stopped_layer(const std::vector<Series>& all) {
  Json records = Json::array();
  for (const Series& series : all)
    for (const WorkStretch& each : series.stretches)
      if (stopped(each))
        records.push_back({{"who", series.who}, {"from", milliseconds(each.from)}, {"to", milliseconds(each.to)}});
  Json color = who_channel(all), stroke = color;
  return {{"data", inline_data(std::move(records))},
          {"mark", {{"type", "rect"}, {"fillOpacity", 0.35}, {"strokeOpacity", 0.6}, {"strokeWidth", 1}}},
          {"encoding",
           {{"x", {{"field", "from"}, {"type", "quantitative"}}},
            {"x2", {{"field", "to"}}},
            {"color", std::move(color)},
            {"stroke", std::move(stroke)},
            {"tooltip", tooltip({{"who", "stands still", "nominal"}, {"from", "from [ms]"}, {"to", "to [ms]"}})}}}};
}

PageTable work_table(const std::vector<Series>& all) {
  PageTable table;
  table.columns = {"", "from_ms", "to_ms", "work_lost_ms", all.front().work.title};
  const auto rounded = [](double number) { return fmt::format("{:.6g}", number); };
  for (const Series& series : all)
    for (const WorkStretch& each : series.stretches) {
      if (table.rows.size() == kWorkRowsMost) {
        ++table.left_out;
        continue;
      }
      table.rows.push_back({series.who, rounded(milliseconds(each.from)), rounded(milliseconds(each.to)),
                            rounded(milliseconds(each.lost)),
                            stopped(each) ? "" : rounded(series.work.undisturbed_ms / speed(each))});
    }
  return table;
}

/// Of guests whose work is measured alike.
Figure work_figure(const std::vector<Series>& all) {
  Figure figure;
  figure.title = "Work lost over time";
  figure.text = fmt::format(
      "Before the migration, in each of its rounds, and after it: how long the guest takes {}. Broken by a band where "
      "it "
      "stands still, or works at less than a twentieth of its speed. Faults, a throttle, CPU that the sender takes, "
      "and pages "
      "that are not there yet make it slower.",
      all.front().work.undisturbed_ms == 1000 ? "for what it does undisturbed in a second"
                                              : "to write a GiB, as QEMU's guestperf has it");
  Nanos end{0};
  for (const Series& each : all) end = std::max(end, each.stretches.back().to);
  figure.spec = {
      {"width", "container"}, {"height", 220}, {"layer", Json::array({stopped_layer(all), line_layer(all, end / 20)})}};
  figure.table = work_table(all);
  return figure;
}

}  // namespace

void add_work(Page& page, const std::vector<ResultFile>& results) {
  std::vector<Series> left = series_of(results);
  while (!left.empty()) {
    const Work work = left.front().work;
    const auto others =
        std::stable_partition(left.begin(), left.end(), [&](const Series& each) { return each.work == work; });
    page.figures.push_back(work_figure({left.begin(), others}));
    left.erase(left.begin(), others);
  }
}

}  // namespace godwit::report
