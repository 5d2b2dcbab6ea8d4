#include "report/predict_json.h"

#include "report/format.h"

namespace godwit::report {
namespace {

using studies::Least;
using studies::Predicted;
using studies::PredictOptions;

Json limit_json(Nanos limit) { return limit == kNever ? Json() : Json(milliseconds(limit)); }

Json time_json(const std::optional<Nanos>& time) { return time ? Json(milliseconds(*time)) : Json(); }

Json percentiles(const studies::Quantiles& of) { return {{"p50", of.median}, {"p95", of.p95}}; }

Json predicted_json(const Predicted& each) {
  return {{"converges", each.converges()},
          {"runs", each.runs},
          {"completed", each.completed},
          {"outcome", each.outcome},
          {"total_time_ms", percentiles(each.total_time_ms)},
          {"downtime_ms", percentiles(each.downtime_ms)}};
}

/// Adds to `all` what was found, if it was. `place` says which cell, row or column it is of.
template <class Convert>
void add_least(Json& all, Json place, const Least& least, const std::string& unit, Convert convert) {
  if (!least.found) return;
  place["converges_at_" + unit] = least.value ? Json(convert(*least.value)) : Json();
  place["fails_at_" + unit] = convert(least.fails);
  all.push_back(std::move(place));
}

/// Which cell the i-th is.
Json place_of(const PredictOptions& options, std::size_t i) {
  return {{"bandwidth_mbps", megabits_per_second(options.bandwidths[i / options.downtimes.size()])},
          {"downtime_limit_ms", limit_json(options.downtimes[i % options.downtimes.size()])}};
}

Json post_copy_json(const PredictOptions& options, const studies::PostCopyPrediction& of) {
  Json all = Json::array();
  for (std::size_t i = 0; i < of.at.size(); ++i) {
    Json one{{"strategy", of.strategy}, {"bandwidth_mbps", megabits_per_second(options.bandwidths[i])}};
    one.update(predicted_json(of.at[i]));
    one["postcopy_requests"] = percentiles(of.at[i].postcopy_requests);
    one["postcopy_stall_ms"] = percentiles(of.at[i].postcopy_stall_ms);
    all.push_back(std::move(one));
  }
  return all;
}

Json least_of_all(const PredictOptions& options, const studies::Predictions& predictions) {
  const auto mbps = [](std::uint64_t value) { return megabits_per_second(BitsPerSecond{value}); };
  const auto ms = [](std::uint64_t value) { return milliseconds(Nanos{static_cast<std::int64_t>(value)}); };
  Json bandwidth = Json::array(), downtime = Json::array(), throttle = Json::array();
  for (std::size_t i = 0; i < predictions.bandwidth.size(); ++i)
    add_least(bandwidth, {{"downtime_limit_ms", limit_json(options.downtimes[i])}}, predictions.bandwidth[i], "mbps",
              mbps);
  for (std::size_t i = 0; i < predictions.downtime.size(); ++i)
    add_least(downtime, {{"bandwidth_mbps", megabits_per_second(options.bandwidths[i])}}, predictions.downtime[i], "ms",
              ms);
  for (std::size_t i = 0; i < predictions.throttle.size(); ++i)
    if (const auto& least = predictions.throttle[i])
      add_least(throttle, place_of(options, i), *least, "percent", [](std::uint64_t value) { return value; });
  return {
      {"bandwidth", std::move(bandwidth)}, {"downtime_limit", std::move(downtime)}, {"throttle", std::move(throttle)}};
}

}  // namespace

Json predict_json(const PredictOptions& options, const studies::Predictions& predictions,
                  const std::vector<studies::ModelDifference>& differences, const Json& effective) {
  Json document{{"godwit", producer_json()}, {"model", "core"}, {"scenario", effective}, {"seeds", options.seeds}};
  Json cells = Json::array(), post_copy = Json::array(), beside = Json::array();
  for (std::size_t i = 0; i < predictions.cells.size(); ++i) {
    cells.push_back(place_of(options, i));
    cells.back().update(predicted_json(predictions.cells[i]));
  }
  for (const studies::PostCopyPrediction& each : predictions.post_copy)
    for (Json& one : post_copy_json(options, each)) post_copy.push_back(std::move(one));
  for (std::size_t i = 0; i < differences.size(); ++i) {
    const studies::ModelDifference& each = differences[i];
    beside.push_back(place_of(options, i));
    beside.back().update(Json{{"model_ms", time_json(each.model)},
                              {"plain_bits_ms", time_json(each.plain_bits)},
                              {"curve_ms", time_json(each.curve)},
                              {"pace_ms", time_json(each.pace)},
                              {"core_ms", time_json(each.core)}});
  }
  document["cells"] = std::move(cells);
  document["least"] = least_of_all(options, predictions);
  document["post_copy"] = std::move(post_copy);
  if (!differences.empty()) document["gudkov_2023"] = std::move(beside);
  return document;
}

Json gudkov_json(const PredictOptions& options, const studies::DirtySamples& samples) {
  Json cells = Json::array();
  for (std::size_t i = 0; i < options.bandwidths.size() * options.downtimes.size(); ++i) {
    const auto found = studies::gudkov_2023(samples, options.bandwidths[i / options.downtimes.size()],
                                            options.downtimes[i % options.downtimes.size()]);
    cells.push_back(place_of(options, i));
    cells.back()["converges"] = found.has_value();
    cells.back()["total_time_ms"] = found ? Json(milliseconds(found->total)) : Json();
    cells.back()["rounds"] = found ? Json(found->rounds) : Json();
  }
  return {{"godwit", producer_json()}, {"model", "gudkov-2023"}, {"cells", std::move(cells)}};
}

}  // namespace godwit::report
