#include "report/sweep_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "report/format.h"

namespace godwit::report {
namespace {

using studies::Cell;
using studies::SqlValue;
using studies::SweepCells;
using studies::SweepColumn;

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

}  // namespace

MapSigns::Axis::Axis(const SweepCells& cells, std::size_t axis, std::size_t size) {
  constexpr std::size_t kRoom = 14;  // pixels
  for (const Cell& each : cells.cells) places.emplace(each.axes[axis], places.size());
  every = (kRoom * places.size() + size - 1) / size;
}

Json json_of(const SqlValue& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return *whole;
  if (const auto* real = std::get_if<double>(&value)) return *real;
  const auto* text = std::get_if<std::string>(&value);
  return text ? Json(*text) : Json();
}

std::string field_of(std::size_t axis) { return fmt::format("a{}", axis); }

std::string title_of(const SweepColumn& column) {
  std::string name = column.pointer.substr(column.pointer.rfind('/') + 1);
  if (name == "name" && column.pointer.find("strategy") != std::string::npos) name = "strategy";
  return words_of(name) + (column.unit.empty() ? "" : " [" + column.unit + "]");
}

std::string state_of(const Cell& cell) {
  return cell.converges() ? "converges" : cell.completed > 0 ? "with some seeds" : "never";
}

SweepLayout layout_of(const SweepCells& cells) {
  SweepLayout layout;
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

Json cell_records(const SweepCells& cells, const SweepLayout& layout) {
  Json records = Json::array();
  std::optional<MapSigns> signs;
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

Json step_channel(const SweepCells& cells, std::size_t axis, bool upwards) {
  return {{"field", field_of(axis)},
          {"type", "ordinal"},
          {"title", title_of(cells.axes[axis])},
          {"sort", upwards ? "descending" : "ascending"},
          {"axis", {{"labelExpr", "format(datum.value, '.3~s')"}, {"labelOverlap", true}, {"labelAngle", 0}}}};
}

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

Json faceted(Json inner, const SweepCells& cells, const SweepLayout& layout, const std::string& data) {
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

Json sign_layer(const Json& x, const Json& y) {
  return {{"transform", Json::array({{{"filter", "isValid(datum.sign)"}}})},
          {"mark", {{"type", "text"}, {"color", "#000000"}, {"fontSize", 13}, {"tooltip", nullptr}}},
          {"encoding", {{"x", x}, {"y", y}, {"text", {{"field", "sign"}, {"type", "nominal"}}}}}};
}

}  // namespace godwit::report
