#include "report/check_json.h"

#include <string>

#include "report/changes_table.h"
#include "report/check_table.h"

namespace godwit::report {
namespace {

Json record_json(const studies::RecordDifference& difference) {
  const auto text = [](const std::optional<std::string>& record) { return record ? Json(*record) : Json(nullptr); };
  Json json{{"index", difference.index}};
  if (difference.among > 0) json["among"] = difference.among;
  json.update({{"from", text(difference.from)}, {"to", text(difference.to)}, {"before", text(difference.before)}});
  return json;
}

Json golden_json(const studies::Check& check) {
  Json json{{"file", check.golden_path.string()}, {"state", golden_state(check)}};
  if (check.golden) json["version"] = check.golden->version;
  if (!check.outcome->moved) return json;
  const studies::Moved& moved = *check.outcome->moved;
  json["scenario_changed"] = moved.scenario_changed;
  json["digest"] = {{"from", moved.digest_from}, {"to", moved.digest_to}};
  json["records"] = {{"from", moved.records_from}, {"to", moved.records_to}};
  json["first_record"] = moved.record ? record_json(*moved.record) : Json(nullptr);
  json["changes"] = changes_json(moved.changes);
  return json;
}

Json one(const studies::Check& check) {
  Json json{{"name", check.scenario.options.name}, {"file", check.scenario.file}};
  if (!check.outcome) {
    json["status"] = "not_run";
    return json;
  }
  json["status"] = check.passed() ? "passed" : "failed";
  json["expectations"] = check.scenario.expect.size();
  json["unmet"] = Json::array();
  for (const studies::Unmet& each : check.outcome->unmet)
    json["unmet"].push_back({{"pointer", each.pointer}, {"expected", each.expected}, {"found", each.found}});
  json["golden"] = golden_json(check);
  return json;
}

}  // namespace

Json check_json(std::span<const studies::Check> checks) {
  Json scenarios = Json::array();
  for (const studies::Check& each : checks) scenarios.push_back(one(each));
  return {{"godwit", producer_json()}, {"scenarios", std::move(scenarios)}};
}

}  // namespace godwit::report
