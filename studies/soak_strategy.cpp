#include <algorithm>
#include <map>

#include "scenarios/spec.h"
#include "scenarios/strategy.h"
#include "studies/soak_parts.h"

namespace godwit::studies {
namespace {

using scenarios::Parameter;

/// A value for a mechanism that counts something. Small enough to matter to small guests.
using Number = Json (*)(Draw&, const DrawScale&);

Json rate_near(Draw& draw, const DrawScale& scale) {
  return bandwidth(draw.scaled(std::max<std::uint64_t>(scale.bandwidth.value / 8, 1000), scale.bandwidth.value * 2));
}

const std::map<std::string_view, Number, std::less<>>& numbers() {
  using D = Draw&;
  using S = const DrawScale&;
  static const std::map<std::string_view, Number, std::less<>> all = {
      {"clear_chunk", [](D draw, S) { return pages(std::uint64_t{64} << draw.below(7)); }},
      {"batch", [](D draw, S) { return pages(draw.one_in(4) ? 0 : draw.scaled(1, 2048)); }},
      {"downtime_max", [](D draw, S scale) { return time(draw, Nanos{10'000}, scale.copy * 2); }},
      {"rounds_max", [](D draw, S) { return Json(draw.between(0, 20)); }},
      {"factor_max", [](D draw, S) { return Json(draw.between(0, 5)); }},
      {"pages_below", [](D draw, S) { return pages(draw.one_in(3) ? 0 : draw.scaled(1, 200)); }},
      {"grown_by", [](D draw, S) { return pages(draw.one_in(3) ? 0 : draw.scaled(1, 200)); }},
      {"timeout", [](D draw, S scale) { return time(draw, Nanos{10'000}, scale.copy * 4); }},
      {"sender_slack", [](D draw, S) { return pages(draw.between(0, 100)); }},
      {"rate_max", rate_near},
      {"postcopy_after_rounds", [](D draw, S) { return Json(draw.between(0, 4)); }},
      {"postcopy_after",
       [](D draw, S scale) { return draw.one_in(2) ? Json("0 s") : time(draw, Nanos{10'000}, scale.copy); }},
      {"postcopy_rate_max", [](D draw, S scale) { return draw.one_in(3) ? bandwidth(0) : rate_near(draw, scale); }},
      {"missing_run", [](D draw, S) { return bytes(draw.between(0, 64)); }},
      {"rate_start", rate_near},
      {"rate_step", rate_near},
      {"rate_scale",
       [](D draw, S) {
         return percent(draw.pick({30u, 100u, 105u, 250u}));
       }},
      {"window", [](D draw, S) { return time(draw, Nanos{draw.one_in(10) ? 10'000 : 1'000'000}, Nanos{200'000'000}); }},
      {"slice", [](D draw, S) { return time(draw, Nanos{100'000}, Nanos{100'000'000}); }},
      {"slice_granule", [](D draw, S) { return pages(draw.scaled(1, 256)); }},
      {"window_granule", [](D draw, S) { return pages(draw.scaled(1, 256)); }},
      {"page_header", [](D draw, S) { return bytes(draw.between(0, 64)); }},
      {"zero_page", [](D draw, S) { return bytes(draw.between(0, 64)); }},
      {"record_fixed", [](D draw, S) { return bytes(draw.between(0, 4096)); }},
      {"throttle_trigger", [](D draw, S) { return percent(draw.between(1, 100)); }},
      {"throttle_initial", [](D draw, S) { return percent(draw.between(1, 99)); }},
      {"throttle_increment", [](D draw, S) { return percent(draw.between(1, 99)); }},
      {"throttle_max", [](D draw, S) { return percent(draw.between(1, 99)); }},
      {"switchover_bandwidth", [](D draw, S scale) { return draw.one_in(3) ? bandwidth(0) : rate_near(draw, scale); }},
      {"dirty_limit_rate", [](D draw, S) { return bandwidth(draw.between(1, 200) << 23); }},
      {"dirty_limit_period", [](D draw, S) { return time(draw, Nanos{1'000'000}, Nanos{1'000'000'000}); }},
      {"dirty_ring_size", [](D draw, S) { return pages(draw.scaled(256, 65536)); }},
      {"delta_cache", [](D draw, S) { return bytes(std::uint64_t{4096} << draw.below(12)); }},
      {"delta_header", [](D draw, S) { return bytes(draw.between(0, 64)); }},
      {"channels", [](D draw, S) { return Json(draw.between(0, 4)); }},
      {"packet", [](D draw, S) { return bytes(draw.between(0, 2048)); }},
      {"packet_pages", [](D draw, S) { return pages(draw.scaled(1, 256)); }},
      {"flush", [](D draw, S) { return bytes(draw.between(0, 64)); }},
      {"shadow_max", [](D draw, S) { return draw.one_in(3) ? Json("unlimited") : bytes(draw.scaled(4096, 1 << 21)); }},
      {"stun_faults", [](D draw, S) { return Json(draw.one_in(2) ? 0 : draw.scaled(1, 10'000)); }},
      {"stun_after_rounds", [](D draw, S) { return Json(draw.between(0, 3)); }},
      {"shadow_tries", [](D draw, S) { return Json(draw.between(1, 4)); }},
      {"rings_and_stack", [](D draw, S) { return bytes(draw.one_in(4) ? 0 : draw.scaled(4096, 1 << 18)); }},
  };
  return all;
}

/// A value for `parameter`. Every mechanism is a choice, a flag, or one of the numbers.
Json value_for(Draw& draw, const DrawScale& scale, const Parameter& parameter) {
  if (parameter.sets.empty())
    return std::next(parameter.choices.begin(), static_cast<std::ptrdiff_t>(draw.below(parameter.choices.size())))
        ->first;
  if (const auto number = numbers().find(parameter.sets); number != numbers().end()) return number->second(draw, scale);
  const Json schema = scenarios::mechanism_schema(parameter.sets);
  if (schema.contains("enum")) return draw.pick(schema["enum"]);
  GODWIT_CHECK(schema.value("type", "") == "boolean");
  return draw.one_in(2);
}

bool is_rate(const Parameter& parameter) { return parameter.sets.starts_with("rate"); }

/// One draw; what it sets may not fit together.
Json attempt(Draw& draw, const DrawScale& scale, const scenarios::Strategy& strategy) {
  Json drawn{{"name", strategy.name()}};
  const std::uint64_t of_eight = draw.pick({0u, 1u, 3u, 6u});
  // A rate law needs most of what belongs to it.
  const bool rates = of_eight > 0 && draw.one_in(2);
  for (const Parameter& each : strategy.parameters)
    if (is_rate(each) ? rates : draw.below(8) < of_eight) drawn[each.name] = value_for(draw, scale, each);
  return drawn;
}

bool can_be_read(const Json& strategy, const Json& goal) {
  scenarios::Issues issues("");
  scenarios::Goal common;
  scenarios::StrategySpec spec;
  return scenarios::goal_table().read(scenarios::to_node(goal), common, issues) &&
         scenarios::read_strategy(scenarios::to_node(strategy), common, "", spec, issues) && issues.empty();
}

}  // namespace

Json draw_strategy(Draw& draw, const DrawScale& scale, const std::string& name, const Json& goal) {
  const scenarios::Strategy* strategy = scenarios::find_strategy(name);
  GODWIT_CHECK(strategy != nullptr);
  while (true) {
    Json drawn = attempt(draw, scale, *strategy);
    if (can_be_read(drawn, goal)) return drawn;
    // Under a goal that the strategy cannot have at all, everything that it needs must be set.
  }
}

}  // namespace godwit::studies
