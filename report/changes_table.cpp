#include "report/changes_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "report/columns.h"
#include "report/format.h"

namespace godwit::report {
namespace {

constexpr std::size_t kFieldsMax = 24;

bool of_one_round(const studies::Change& change) { return change.pointer.find("/iterations/") != std::string::npos; }

std::string value(const std::optional<Json>& value) {
  if (!value) return "-";
  if (value->is_string()) return value->get<std::string>();
  if (value->is_object()) return "an object";
  if (value->is_array()) return fmt::format("a list of {}", value->size());
  return value->dump();
}

std::string field(const studies::Change& change) {
  return change.item.empty() ? change.pointer : fmt::format("{} ({})", change.pointer, change.item);
}

}  // namespace

std::string relative(const studies::Change& change) {
  const std::optional<double> relative = change.relative();
  return relative ? fmt::format("{:+.3g} %", *relative * 100) : "";
}

std::string changes_table(std::span<const studies::Change> changes, std::size_t indent) {
  std::vector<studies::Change> ordered(changes.begin(), changes.end());
  std::stable_partition(ordered.begin(), ordered.end(), [](const auto& each) { return !of_one_round(each); });
  Columns table({{"field", Align::kLeft}, {"from"}, {"to"}, {"change"}});
  for (std::size_t i = 0; i < std::min(ordered.size(), kFieldsMax); ++i)
    table.add({field(ordered[i]), value(ordered[i].from), value(ordered[i].to), relative(ordered[i])});
  std::string text = table.text(indent);
  if (ordered.size() > kFieldsMax)
    text += fmt::format("{:{}}... and {}\n", "", indent, plural(ordered.size() - kFieldsMax, "more field"));
  return text;
}

Json changes_json(std::span<const studies::Change> changes) {
  Json list = Json::array();
  for (const studies::Change& each : changes) {
    Json change{{"pointer", each.pointer}};
    if (!each.item.empty()) change["item"] = each.item;
    if (each.from) change["from"] = *each.from;
    if (each.to) change["to"] = *each.to;
    if (const auto relative = each.relative()) change["relative_percent"] = *relative * 100;
    list.push_back(std::move(change));
  }
  return list;
}

}  // namespace godwit::report
