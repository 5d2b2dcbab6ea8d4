#include "report/compare_json.h"

#include <fmt/format.h>

#include "report/format.h"
#include "sim/names.h"

namespace godwit::report {
namespace {

using studies::Spread;

template <class T, class Convert>
Json spread(const Spread<T>& figure, Convert convert) {
  return {{"median", convert(figure.median)}, {"least", convert(figure.least)}, {"most", convert(figure.most)}};
}

Json run(const studies::RunFigures& figures) {
  Json parts = Json::object(), cpu = Json::object();
  for (std::size_t i = 0; i < sim::kParts; ++i)
    parts[std::string(name_of(static_cast<sim::Part>(i)))] = milliseconds(figures.parts[i]);
  for (const auto& [payer, time] : figures.cpu) cpu[payer] = milliseconds(time);
  return {{"seed", figures.seed},
          {"digest", fmt::format("{:016x}", figures.digest)},
          {"outcome", figures.outcome},
          {"migrations", figures.migrations},
          {"completed", figures.completed},
          {"verified", figures.verified},
          {"total_time_ms", milliseconds(figures.total_time)},
          {"downtime_ms", milliseconds(figures.downtime)},
          {"service_gap_ms", milliseconds(figures.service_gap)},
          {"work_lost_ms", milliseconds(figures.work_lost)},
          {"transferred_bytes", figures.sent.value},
          {"rounds", figures.rounds},
          {"downtime_parts_ms", parts},
          {"cpu_ms", cpu},
          {"warnings", figures.warnings}};
}

Json work(const studies::RunFigures& figures) {
  Json all = Json::array();
  for (const studies::WorkStretch& each : figures.work)
    all.push_back({{"from_ms", milliseconds(each.from)},
                   {"to_ms", milliseconds(each.to)},
                   {"work_lost_ms", milliseconds(each.lost)}});
  return all;
}

Json strategy(const studies::StrategyFigures& figures) {
  const auto bytes = [](Bytes size) { return size.value; };
  Json runs = Json::array();
  for (const studies::RunFigures& each : figures.runs) runs.push_back(run(each));
  return {{"name", figures.name},
          {"completed", figures.completed},
          {"verified", figures.verified},
          {"goal_ignored", figures.goal_ignored},
          {"rate_max_mbps", figures.rate_max.value == 0 ? Json() : Json(megabits_per_second(figures.rate_max))},
          {"total_time_ms", spread(figures.total_time, milliseconds)},
          {"downtime_ms", spread(figures.downtime, milliseconds)},
          {"service_gap_ms", spread(figures.service_gap, milliseconds)},
          {"work_lost_ms", spread(figures.work_lost, milliseconds)},
          {"transferred_bytes", spread(figures.sent, bytes)},
          {"rounds", spread(figures.rounds, [](std::uint64_t n) { return n; })},
          {"work_over_time", work(figures.typical())},
          {"runs", std::move(runs)}};
}

}  // namespace

Json compare_json(const studies::Comparison& comparison, const Json& effective) {
  Json strategies = Json::array();
  for (const studies::StrategyFigures& each : comparison.strategies) strategies.push_back(strategy(each));
  return {{"godwit", producer_json()},
          {"scenario", effective},
          {"seeds", comparison.seeds},
          {"same_writes", comparison.pairing == studies::Pairing::kPaired},
          {"strategies", std::move(strategies)}};
}

}  // namespace godwit::report
