#include "report/sweep_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "report/charts.h"
#include "report/format.h"
#include "studies/sweep_cells.h"

namespace godwit::report {
namespace {

using studies::Cell;
using studies::Row;
using studies::shown;
using studies::SqlValue;
using studies::SweepCells;
using studies::SweepColumn;

constexpr std::size_t kCellsMost = 20'000;
constexpr std::size_t kPointsMost = 1'000;

Json json_of(const SqlValue& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return *whole;
  if (const auto* real = std::get_if<double>(&value)) return *real;
  const auto* text = std::get_if<std::string>(&value);
  return text ? Json(*text) : Json();
}

std::string field_of(std::size_t axis) { return fmt::format("a{}", axis); }

/// "write rate [pages/s]" for /guests/0/workload/write_rate.
std::string title_of(const SweepColumn& column) {
  std::string name = column.pointer.substr(column.pointer.rfind('/') + 1);
  if (name == "name" && column.pointer.find("strategy") != std::string::npos) name = "strategy";
  return words_of(name) + (column.unit.empty() ? "" : " [" + column.unit + "]");
}

/// Which axis of the sweep is which axis of the charts.
struct Layout {
  std::optional<std::size_t> x, y, contender;
  std::vector<std::size_t> others;  ///< Chosen by the reader.
};

std::optional<std::size_t> find_axis(const SweepCells& cells, bool numeric, const char* word,
                                     std::optional<std::size_t> except = {}) {
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < cells.axes.size(); ++i) {
    if ((cells.axes[i].type != "TEXT") != numeric || i == except) continue;
    if (cells.axes[i].pointer.find(word) != std::string::npos) return i;
    if (!first) first = i;
  }
  return first;
}

Layout layout_of(const SweepCells& cells) {
  Layout layout;
  layout.contender = find_axis(cells, false, "strategy");
  layout.x = find_axis(cells, true, "rate");
  layout.y = find_axis(cells, true, "bandwidth", layout.x);
  for (std::size_t i = 0; i < cells.axes.size(); ++i)
    if (i != layout.x && i != layout.y && i != layout.contender) layout.others.push_back(i);
  return layout;
}

std::vector<Json> values_of(const SweepCells& cells, std::size_t axis) {
  std::vector<Json> values;
  for (const Cell& each : cells.cells) {
    Json value = json_of(each.axes[axis]);
    if (std::ranges::find(values, value) == values.end()) values.push_back(std::move(value));
  }
  return values;
}

std::string state_of(const Cell& cell) {
  return cell.converges() ? "converges" : cell.completed > 0 ? "with some seeds" : "never";
}

/// Which cells of a map have room for a sign: every one, or of cells that are small every so many.
class Signs {
 public:
  Signs(const SweepCells& cells, const Layout& layout, std::size_t width, std::size_t height)
      : across_(cells, *layout.x, width), up_(cells, *layout.y, height) {}

  bool at(const SqlValue& x, const SqlValue& y) const { return across_.at(x) && up_.at(y); }

 private:
  struct Axis {
    Axis(const SweepCells& cells, std::size_t axis, std::size_t size) {
      constexpr std::size_t kRoom = 14;  // pixels
      for (const Cell& each : cells.cells) places.emplace(each.axes[axis], places.size());
      every = (kRoom * places.size() + size - 1) / size;
    }
    bool at(const SqlValue& value) const { return places.at(value) % every == 0; }

    std::map<SqlValue, std::size_t> places;
    std::size_t every;
  };

  Axis across_, up_;
};

constexpr std::size_t kMapWidth = 230, kMapHeight = 220;
constexpr std::size_t kWinnersWidth = 300, kWinnersHeight = 320;  // as wide as a phone lets it be

Json cell_records(const SweepCells& cells, const Layout& layout) {
  Json records = Json::array();
  std::optional<Signs> signs;
  if (layout.x && layout.y) signs.emplace(cells, layout, kMapWidth, kMapHeight);
  for (const Cell& each : cells.cells) {
    Json record = Json::object();
    for (std::size_t i = 0; i < each.axes.size(); ++i) record[field_of(i)] = json_of(each.axes[i]);
    record["point"] = each.first_point;
    record["state"] = state_of(each);
    if (each.converges()) {  // a downtime of nought has no place on a log scale
      record["down"] = std::max(each.downtime_ms.median, 0.001);
      record["low"] = std::max(each.downtime_ms.low, 0.001);
      record["high"] = std::max(each.downtime_ms.high, 0.001);
      record["p95"] = std::max(each.downtime_ms.p95, 0.001);
    }
    if (!each.converges() && signs && signs->at(each.axes[*layout.x], each.axes[*layout.y]))
      record["sign"] = each.completed > 0 ? "~" : "\u00d7";
    record["time"] = each.total_time_ms.median;
    record["bytes"] = each.transferred_bytes.median;
    records.push_back(std::move(record));
  }
  return records;
}

std::vector<Channel> axis_channels(const SweepCells& cells) {
  std::vector<Channel> all;
  for (std::size_t i = 0; i < cells.axes.size(); ++i)
    all.push_back({field_of(i), title_of(cells.axes[i]), cells.axes[i].type == "TEXT" ? "nominal" : "quantitative"});
  return all;
}

/// The place of a cell on a map: one step for each value, whatever lies between them.
Json step_channel(const SweepCells& cells, std::size_t axis, bool upwards) {
  return {{"field", field_of(axis)},
          {"type", "ordinal"},
          {"title", title_of(cells.axes[axis])},
          {"sort", upwards ? "descending" : "ascending"},
          {"axis", {{"labelExpr", "format(datum.value, '.3~s')"}, {"labelOverlap", true}, {"labelAngle", 0}}}};
}

/// As people read them.
std::vector<std::string> labels_of(const std::vector<Json>& values, const std::string& unit) {
  std::vector<std::string> labels;
  for (const Json& each : values) {
    if (each.is_number_unsigned() || each.is_number_integer())
      labels.push_back(unit == "bytes" ? human(Bytes{each.get<std::uint64_t>()}) : grouped(each.get<std::uint64_t>()));
    else
      labels.push_back(each.is_string() ? each.get<std::string>() : each.dump());
  }
  return labels;
}

/// A selection box for each of the axes that the charts do not show, at its first value.
void add_choices(Json& spec, const SweepCells& cells, const std::vector<std::size_t>& axes) {
  for (const std::size_t axis : axes) {
    const std::string name = "choice_" + field_of(axis);
    const std::vector<Json> values = values_of(cells, axis);
    spec["params"].push_back({{"name", name},
                              {"value", values.front()},
                              {"bind",
                               {{"input", "select"},
                                {"options", values},
                                {"labels", labels_of(values, cells.axes[axis].unit)},
                                {"name", title_of(cells.axes[axis]) + " "}}}});
    spec["transform"].push_back({{"filter", fmt::format("datum.{} === {}", field_of(axis), name)}});
  }
}

/// `inner` once for each contender, where there are any.
Json faceted(Json inner, const SweepCells& cells, const Layout& layout, const std::string& data) {
  Json spec;
  if (layout.contender) {
    inner["width"] = 220;
    spec = {{"facet",
             {{"field", field_of(*layout.contender)},
              {"type", "nominal"},
              {"title", nullptr},
              {"sort", values_of(cells, *layout.contender)}}},
            {"columns", 3},
            {"resolve", {{"axis", {{"x", "independent"}}}}},
            {"spec", std::move(inner)}};
  } else {
    spec = std::move(inner);
    spec["width"] = "container";
  }
  spec["data"] = named_data(data);
  spec["params"] = spec["transform"] = Json::array();
  add_choices(spec, cells, layout.others);
  if (layout.contender)
    add_filters(spec, {{field_of(*layout.contender), title_of(cells.axes[*layout.contender])}},
                {values_of(cells, *layout.contender)});
  return spec;
}

std::vector<std::string> axis_names(const SweepCells& cells) {
  std::vector<std::string> names;
  for (const SweepColumn& each : cells.axes) names.push_back(each.name);
  return names;
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

/// The signs on the cells of a map that have one.
Json sign_layer(const Json& x, const Json& y) {
  return {{"transform", Json::array({{{"filter", "isValid(datum.sign)"}}})},
          {"mark", {{"type", "text"}, {"color", "#000000"}, {"fontSize", 13}, {"tooltip", nullptr}}},
          {"encoding", {{"x", x}, {"y", y}, {"text", {{"field", "sign"}, {"type", "nominal"}}}}}};
}

Figure summary_figure(const SweepCells& cells, const Layout& layout) {
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

Figure map_figure(const SweepCells& cells, const Layout& layout) {
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

Figure lines_figure(const SweepCells& cells, const Layout& layout) {
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

Figure winner_figure(Page& page, const SweepCells& cells, const Layout& layout) {
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
  const Signs signs(cells, layout, kWinnersWidth, kWinnersHeight);
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
  const Layout layout = layout_of(cells);
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
