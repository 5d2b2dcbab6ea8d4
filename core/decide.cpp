#include "core/decide.h"

namespace godwit::core {

Bytes downtime_budget(const Plan& plan, BitsPerSecond bandwidth) { return carried(bandwidth, plan.stop.downtime_max); }

Decision decide(const Plan& plan, const Situation& now) {
  const StopRules& stop = plan.stop;
  const bool self = plan.switch_over == Switch::kSelfCheckpoint;

  if (now.pending.value == 0) return Decision::kStop;
  if (stop.budget && now.bandwidth.value > 0) {
    // A guest that moves itself sends what its sending dirties once more, from the shadow.
    const Pages rest = self ? now.pending + now.sender : now.pending;
    if (now.page * rest.value <= downtime_budget(plan, now.bandwidth)) return Decision::kStop;
  }
  if (stop.sender_floor && now.sender.value > 0 && now.pending <= now.sender + stop.sender_slack)
    return Decision::kStop;
  if (stop.pages_below.value > 0 && now.last.sent + now.last.skipped < stop.pages_below) return Decision::kStop;
  if (stop.pages_below.value > 0 && now.pending < stop.pages_below) return Decision::kStop;
  if (stop.grown_by.value > 0 && now.last.index > 1 && now.last.sent >= now.sent_before + stop.grown_by) {
    return Decision::kStop;
  }
  if (stop.no_gain_at_max_rate && now.at_rate_max && now.last.index > 1 && now.last.sent > now.sent_before) {
    return Decision::kStop;
  }

  const Decision exhausted = plan.abort_if_unconverged ? Decision::kAbort : Decision::kStop;
  if (stop.rounds_max > 0 && now.last.index >= stop.rounds_max) return exhausted;
  if (stop.factor_max > 0 && now.total_sent > now.memory * stop.factor_max) return exhausted;
  if (stop.timeout > Nanos{0} && now.elapsed >= stop.timeout) return exhausted;
  return Decision::kContinue;
}

bool outruns(const ThrottleRules& rules, Bytes dirtied, Bytes sent) {
  return dirtied.value > mul_div(sent.value, rules.trigger, kWhole);
}

Share raised_throttle(const ThrottleRules& rules, Share current, Bytes dirtied, Bytes sent) {
  if (current == 0) return rules.initial < rules.max ? rules.initial : rules.max;
  Share step = rules.increment;
  if (rules.tailslow && dirtied.value > 0) {
    const Share runs = kWhole - current;
    const Share ideal = mul_div(runs, mul_div(sent.value, rules.trigger, kWhole), dirtied.value);
    if (runs - ideal < step) step = runs - ideal;  // a bad period: the ideal is less
  }
  return current + step < rules.max ? current + step : rules.max;
}

BitsPerSecond adapted_rate(const Plan& plan, BitsPerSecond current, Bytes dirtied, Nanos took) {
  constexpr std::uint64_t kMega = 1'000'000;
  if (took <= Nanos{0}) return current;
  const std::uint64_t dirty_rate = rate_of(dirtied, took).value / kMega * kMega;
  if (dirty_rate <= current.value) return current;
  const BitsPerSecond wanted{dirty_rate + plan.rate_step.value};
  return wanted < plan.rate_max ? wanted : plan.rate_max;
}

}  // namespace godwit::core
