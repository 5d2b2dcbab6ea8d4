#include "report/sweep_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "report/charts.h"
#include "report/format.h"
#include "report/sweep_charts.h"
#include "studies/sweep_cells.h"

namespace godwit::report {
namespace {

using studies::Cell;
using studies::shown;
using studies::SqlValue;
using studies::SweepCells;
using studies::SweepColumn;

constexpr std::size_t kCellsMost = 20'000;
constexpr std::size_t kPointsMost = 1'000;

std::vector<std::string> axis_names(const SweepCells& cells) {
  std::vector<std::string> names;
  for (const SweepColumn& each : cells.axes) names.push_back(each.name);
  return names;
}

/// The least and the most that the charts of downtime show: of medians, or of all that is known of them.
std::pair<double, double> downtimes_of(const SweepCells& cells, bool all) {
  std::pair<double, double> ends{0, 0};
  for (const Cell& each : cells.cells) {
    if (!each.converges()) continue;
    const studies::Quantiles& down = each.downtime_ms;
    const double least = std::max(all ? down.low : down.median, 0.001);
    const double most = std::max(all ? std::max(down.high, down.p95) : down.median, 0.001);
    ends =
        ends.second == 0 ? std::pair(least, most) : std::pair(std::min(ends.first, least), std::max(ends.second, most));
  }
  return ends;
}

/// A log scale that does not move with what the reader chooses.
void set_domain(Json& scale, std::pair<double, double> ends) {
  if (ends.first <= 0) return;
  if (ends.first == ends.second) ends.second *= 10;
  scale["domain"] = {ends.first, ends.second};
}

std::pair<double, double> ends_of(const SweepCells& cells, std::size_t axis) {
  std::vector<double> values;
  for (const Json& each : values_of(cells, axis)) values.push_back(each.get<double>());
  std::ranges::sort(values);
  return {values.front(), values.back()};
}

/// A table of cells: their axes, and what `more` says of each.
template <class More>
PageTable cell_table(const SweepCells& cells, std::vector<std::string> names, More more) {
  PageTable table;
  table.columns = axis_names(cells);
  table.columns.insert(table.columns.end(), names.begin(), names.end());
  for (const Cell& each : cells.cells) {
    if (table.rows.size() == kPointsMost) {
      ++table.left_out;
      continue;
    }
    std::vector<std::string> row;
    for (const SqlValue& value : each.axes) row.push_back(shown(value));
    for (std::string& value : more(each)) row.push_back(std::move(value));
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string number(double value) { return fmt::format("{}", value); }

Figure summary_figure(const SweepCells& cells, const SweepLayout& layout) {
  const std::vector<std::string> states{"converges", "with some seeds", "never"};
  std::vector<std::string> names;
  std::map<std::string, std::map<std::string, std::uint64_t>> counts;
  for (const Cell& each : cells.cells) {
    const std::string name = layout.contender ? shown(each.axes[*layout.contender]) : "all";
    if (!counts.contains(name)) names.push_back(name);
    ++counts[name][state_of(each)];
  }
  Figure figure;
  figure.title = "How many combinations converge";
  figure.text = "A combination converges where every migration of every seed was completed before the horizon.";
  figure.table.columns = {"", "combinations", "converge", "with some seeds", "never"};
  Json records = Json::array();
  for (const std::string& name : names) {
    std::vector<std::string> row{name, "0"};
    std::uint64_t all = 0;
    for (const std::string& state : states) {
      const std::uint64_t count = counts[name][state];
      all += count;
      row.push_back(std::to_string(count));
      if (count > 0) records.push_back({{"who", name}, {"state", state}, {"count", count}});
    }
    row[1] = std::to_string(all);
    figure.table.rows.push_back(std::move(row));
  }
  figure.spec = stacked_bars(inline_data(std::move(records)), {"count", "combinations"}, {"who", "who", "nominal"},
                             {"state", "state", "nominal"}, states);
  mark_outcomes(figure.spec, "state", states);
  return figure;
}

Figure map_figure(const SweepCells& cells, const SweepLayout& layout) {
  Figure figure;
  figure.title = "Convergence map";
  figure.text =
      "Each cell is a combination, coloured by its median downtime over the seeds. Grey with a cross never converges, "
      "grey "
      "with a tilde not with every seed. Colours mean the same whatever is chosen.";
  std::vector<Channel> shown_fields = axis_channels(cells);
  for (const Channel& each : std::vector<Channel>{{"state", "state", "nominal"},
                                                  {"down", "downtime, median [ms]"},
                                                  {"time", "total time, median [ms]"},
                                                  {"bytes", "sent, median [bytes]"},
                                                  {"point", "first point"}})
    shown_fields.push_back(each);
  const Json x = step_channel(cells, *layout.x, false), y = step_channel(cells, *layout.y, true);
  Json scale{{"type", "log"}, {"scheme", "viridis"}};
  set_domain(scale, downtimes_of(cells, false));
  Json cell{{"mark", {{"type", "rect"}, {"invalid", "show"}}},
            {"encoding",
             {{"x", x},
              {"y", y},
              {"color",
               {{"condition", {{"test", "!isValid(datum.down)"}, {"value", "#8a8a8a"}}},
                {"field", "down"},
                {"type", "quantitative"},
                {"title", "downtime [ms]"},
                {"scale", std::move(scale)},
                {"legend", {{"format", "~s"}, {"tickCount", 4}}}}},
              {"tooltip", tooltip(shown_fields)}}}};
  Json inner{{"height", kMapHeight}, {"layer", Json::array({std::move(cell), sign_layer(x, y)})}};
  figure.spec = faceted(std::move(inner), cells, layout, "cells");
  figure.table =
      cell_table(cells,
                 {"first_point", "runs", "completed", "outcome", "total_time_median_ms", "transferred_median_bytes",
                  "downtime_median_ms"},
                 [](const Cell& each) {
                   return std::vector<std::string>{
                       std::to_string(each.first_point),  std::to_string(each.runs),
                       std::to_string(each.completed),    each.outcome.empty() ? "completed" : words_of(each.outcome),
                       number(each.total_time_ms.median), number(each.transferred_bytes.median),
                       number(each.downtime_ms.median)};
                 });
  return figure;
}

Figure lines_figure(const SweepCells& cells, const SweepLayout& layout) {
  Figure figure;
  figure.title = "Downtime and its confidence";
  figure.text =
      "The line is the median over the seeds, the band where it lies with a confidence of 95 % whatever the "
      "distribution, the "
      "points the 95th percentile. Where a line ends, not every seed converges.";
  const Channel x{field_of(*layout.x), title_of(cells.axes[*layout.x]), "quantitative", true};
  const Channel y{"down", "downtime [ms]", "quantitative", true};
  Json color = nullptr;
  if (layout.contender)
    color = {{"field", field_of(*layout.contender)},
             {"type", "nominal"},
             {"title", title_of(cells.axes[*layout.contender])},
             {"scale", {{"domain", values_of(cells, *layout.contender)}}}};
  const auto layer = [&](Json mark, const char* field, const char* second) {
    Json encoding{{"x", axis_channel(x)}, {"y", axis_channel({field, y.title, y.type, true})}};
    set_domain(encoding["x"]["scale"], ends_of(cells, *layout.x));
    set_domain(encoding["y"]["scale"], downtimes_of(cells, true));
    if (second) encoding["y2"] = {{"field", second}};
    if (!color.is_null()) encoding["color"] = color;
    std::vector<Channel> fields = axis_channels(cells);
    fields.push_back({"down", "median [ms]"});
    fields.push_back({"low", "low [ms]"});
    fields.push_back({"high", "high [ms]"});
    fields.push_back({"p95", "p95 [ms]"});
    encoding["tooltip"] = tooltip(fields);
    return Json{{"mark", std::move(mark)}, {"encoding", std::move(encoding)}};
  };
  figure.spec = {
      {"data", named_data("cells")},
      {"width", "container"},
      {"height", 300},
      {"params", Json::array()},
      {"transform", Json::array({{{"filter", "isValid(datum.down)"}}})},
      {"layer", Json::array({layer({{"type", "area"}, {"opacity", 0.25}}, "low", "high"),
                             layer({{"type", "line"}, {"point", {{"size", 25}}}}, "down", nullptr),
                             layer({{"type", "point"}, {"size", 20}, {"shape", "triangle-up"}}, "p95", nullptr)})}};
  std::vector<std::size_t> chosen = layout.others;
  if (layout.y) chosen.insert(chosen.begin(), *layout.y);
  add_choices(figure.spec, cells, chosen);
  if (layout.contender)
    add_filters(figure.spec, {{field_of(*layout.contender), title_of(cells.axes[*layout.contender])}},
                {values_of(cells, *layout.contender)});
  figure.table =
      cell_table(cells, {"runs", "downtime_low_ms", "downtime_median_ms", "downtime_high_ms", "downtime_p95_ms"},
                 [](const Cell& each) {
                   const studies::Quantiles& down = each.downtime_ms;
                   return std::vector<std::string>{std::to_string(each.runs), number(down.low), number(down.median),
                                                   number(down.high), number(down.p95)};
                 });
  return figure;
}

Figure winner_figure(Page& page, const SweepCells& cells, const SweepLayout& layout) {
  const std::size_t contender = *layout.contender;
  const std::string who = title_of(cells.axes[contender]);
  Figure figure;
  figure.title = "The winner of each combination";
  figure.text = fmt::format(
      "The {} that is down least, by the median over the seeds, among those that converge. Where the best two overlap "
      "over the "
      "seeds, no difference is claimed.",
      who);
  std::vector<std::string> domain;
  for (const Json& each : values_of(cells, contender))
    domain.push_back(each.is_string() ? each.get<std::string>() : each.dump());
  Json range = Json::array({"#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"});
  while (range.size() < domain.size()) range.push_back(range[range.size() % 6]);
  range.erase(range.begin() + static_cast<std::ptrdiff_t>(domain.size()), range.end());
  for (const char* each : {"no difference", "none converges"}) domain.emplace_back(each);
  range.push_back("#c8c8c8");
  range.push_back("#6a6a6a");

  figure.table.columns = axis_names(cells);
  figure.table.columns.erase(figure.table.columns.begin() + static_cast<std::ptrdiff_t>(contender));
  figure.table.columns.insert(figure.table.columns.end(), {"winner", "downtime_median_ms"});
  Json records = Json::array();
  const MapSigns signs(cells, layout, kWinnersWidth, kWinnersHeight);
  for (const studies::Winner& each : studies::winners(cells, contender)) {
    const auto value_at = [&](std::size_t axis) { return each.axes[axis < contender ? axis : axis - 1]; };
    Json record = Json::object();
    std::vector<std::string> row;
    for (std::size_t i = 0, k = 0; i < cells.axes.size(); ++i) {
      if (i == contender) continue;
      row.push_back(shown(each.axes[k]));
      record[field_of(i)] = json_of(each.axes[k++]);
    }
    record["winner"] = each.name;
    if (each.name == "none converges" && signs.at(value_at(*layout.x), value_at(*layout.y))) record["sign"] = "\u00d7";
    record["down"] = each.downtime_ms;
    row.push_back(each.name);
    row.push_back(number(each.downtime_ms));
    records.push_back(std::move(record));
    if (figure.table.rows.size() < kPointsMost)
      figure.table.rows.push_back(std::move(row));
    else
      ++figure.table.left_out;
  }
  page.datasets["winners"] = std::move(records);
  const Json x = step_channel(cells, *layout.x, false), y = step_channel(cells, *layout.y, true);
  Json cell{
      {"mark", {{"type", "rect"}}},
      {"encoding",
       {{"x", x},
        {"y", y},
        {"color",
         {{"field", "winner"}, {"type", "nominal"}, {"title", who}, {"scale", {{"domain", domain}, {"range", range}}}}},
        {"tooltip", tooltip({{field_of(*layout.x), title_of(cells.axes[*layout.x])},
                             {field_of(*layout.y), title_of(cells.axes[*layout.y])},
                             {"winner", "winner", "nominal"},
                             {"down", "downtime, median [ms]"}})}}}};
  figure.spec = {{"data", named_data("winners")}, {"width", "container"},
                 {"height", kWinnersHeight},      {"params", Json::array()},
                 {"transform", Json::array()},    {"layer", Json::array({std::move(cell), sign_layer(x, y)})}};
  add_choices(figure.spec, cells, layout.others);
  return figure;
}

}  // namespace

void add_sweep(Page& page, studies::SweepStore& store) {
  const SweepCells cells = studies::cells_of(store);
  if (cells.cells.empty()) throw studies::StoreError(store.path() + ": there is no row to report on");
  if (cells.cells.size() > kCellsMost)
    throw studies::StoreError(
        fmt::format("{}: {} combinations are more than a page can carry ({}); the file itself has them all",
                    store.path(), cells.cells.size(), kCellsMost));
  const SweepLayout layout = layout_of(cells);
  const studies::StoreHeader& header = store.header();
  const std::string command = fmt::format("godwit sweep {}", header.file);
  const std::size_t first = page.figures.size();
  page.datasets["cells"] = cell_records(cells, layout);
  page.figures.push_back(summary_figure(cells, layout));
  if (layout.x && layout.y) page.figures.push_back(map_figure(cells, layout));
  if (layout.x && layout.y && layout.contender) page.figures.push_back(winner_figure(page, cells, layout));
  if (layout.x) page.figures.push_back(lines_figure(cells, layout));
  for (std::size_t i = first; i < page.figures.size(); ++i) page.figures[i].command = command;
  page.text += fmt::format(" {}: {} of {}, {} combinations.", store.path(), grouped(store.count()),
                           plural(header.points, "point"), grouped(cells.cells.size()));
  page.recipes.push_back({"The sweep of " + store.path(), header.sweep});
}

}  // namespace godwit::report
