#include "report/validate_json.h"

#include <fmt/format.h>

namespace godwit::report {
namespace {

using studies::ErrorSpread;
using studies::Prediction;
using studies::Summary;

Json number_or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json outcome(const studies::Outcome& outcome) {
  return {{"status", outcome.completed ? "completed" : "cancelled"},
          {"total_time_ms", number_or_null(outcome.total_time_ms)},
          {"stop_to_resume_ms", number_or_null(outcome.stop_to_resume_ms)},
          {"transferred_bytes", outcome.transferred_bytes},
          {"normal_pages", outcome.normal_pages},
          {"duplicate_pages", outcome.duplicate_pages},
          {"dirty_sync_count", outcome.dirty_sync_count},
          {"throttle_max_percent", outcome.throttle_max_percent}};
}

Json errors(const studies::Errors& errors) {
  return {{"total_time_ms", number_or_null(errors.total_time)},
          {"stop_to_resume_ms", number_or_null(errors.stop_to_resume)},
          {"transferred_bytes", number_or_null(errors.transferred)},
          {"normal_pages", number_or_null(errors.normal)},
          {"duplicate_pages", number_or_null(errors.duplicate)},
          {"dirty_sync_count", number_or_null(errors.dirty_syncs)}};
}

Json run(const Prediction& each) {
  Json json{{"cell", each.run.cell},
            {"group", each.run.group},
            {"rep", each.run.rep},
            {"kind", studies::name_of(studies::kind_of(each.run))}};
  if (!each.is_predicted()) {
    json["not_modelled"] = each.not_modelled;
    json["predicted"] = nullptr;
    json["measured"] = outcome(each.run.measured);
    return json;
  }
  json["verdict_right"] = each.verdict_right();
  json["syncs_close"] = each.syncs_close();
  json["adds_up"] = each.adds_up;
  json["seed"] = each.seed;
  json["digest"] = fmt::format("{:016x}", each.digest);
  json["predicted"] = outcome(each.predicted);
  json["measured"] = outcome(each.run.measured);
  json["error"] = errors(each.errors);
  return json;
}

Json spread(const ErrorSpread& spread) {
  if (spread.of == 0) return {{"of", 0}, {"median", nullptr}, {"p90", nullptr}, {"worst", nullptr}};
  return {{"of", spread.of}, {"median", spread.median}, {"p90", spread.p90}, {"worst", spread.worst}};
}

Json summary(const Summary& summary) {
  return {{"verdict_right", summary.verdict_right},
          {"of", summary.runs},
          {"not_modelled", summary.not_modelled},
          {"total_time", spread(summary.total_time)},
          {"stop_to_resume", spread(summary.stop_to_resume)},
          {"stop_to_resume_within_factor_two", summary.within_factor_two},
          {"transferred", spread(summary.transferred)},
          {"normal_pages", spread(summary.normal)},
          {"duplicate_pages", spread(summary.duplicate)},
          {"dirty_syncs", spread(summary.dirty_syncs)},
          {"dirty_syncs_close", summary.syncs_close}};
}

Json figure(const studies::PublishedFigure& each) {
  return {{"origin", each.origin},
          {"what", each.what},
          {"unit", each.unit},
          {"published", each.published},
          {"simulated", each.simulated},
          {"published_as", each.is_bound ? "less than" : "value"},
          {"error", each.is_bound ? Json(nullptr) : Json(each.error())}};
}

}  // namespace

Json validate_json(const std::vector<studies::PublishedFigure>& published, const studies::Validation& validation) {
  Json figures = Json::array(), runs = Json::array(), kinds = Json::object(), groups = Json::object();
  for (const auto& each : published) figures.push_back(figure(each));
  for (const Prediction& each : validation.runs) runs.push_back(run(each));
  for (std::size_t i = 0; i < studies::kRunKinds; ++i) {
    const auto kind = static_cast<studies::RunKind>(i);
    kinds[std::string(studies::name_of(kind))] = summary(studies::summarise(validation.of_kind(kind)));
  }
  for (const std::string& group : validation.plain_groups())
    groups[group] = summary(studies::summarise(validation.plain_in(group)));
  return {{"godwit", producer_json()}, {"published", std::move(figures)},
          {"runs", std::move(runs)},   {"summary", summary(studies::summarise(validation.all()))},
          {"kinds", std::move(kinds)}, {"plain_groups", std::move(groups)}};
}

}  // namespace godwit::report
