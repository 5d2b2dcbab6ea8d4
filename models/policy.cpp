#include "models/policy.h"

#include <algorithm>

#include "base/check.h"

namespace godwit::models {
namespace {

constexpr Nanos kLimitMost{2'000'000'000'000};      // QEMU, migration/options.c: MAX_MIGRATE_DOWNTIME
constexpr std::uint32_t kWithoutGainMost = 5;       // Proxmox, PVE/QemuMigrate.pm
constexpr Share kBandwidthWeight = kWhole / 5 * 2;  // KubeVirt VEP 248: of the newest value

/// The number whose `power`-th power is `value`, in parts of 2^16, rounded down.
std::uint64_t root(std::uint64_t value, std::uint64_t power) {
  std::uint64_t least = 0, beyond = (value + 1) << 16;
  while (beyond - least > 1) {
    const std::uint64_t middle = least + (beyond - least) / 2;
    u128 product = u128{1} << 16;
    for (std::uint64_t i = 0; i < power && product >> 16 <= value; ++i) product = product * middle >> 16;
    (product >> 16 >= value ? beyond : least) = middle;
  }
  return least;
}

Bytes share_of(Bytes size, Share share) { return {mul_div(size.value, share, kWhole)}; }

}  // namespace

Policy::Policy(const PolicyOptions& options, Nanos downtime_max, Bytes memory)
    : options_(options), asked_(downtime_max), memory_(memory), limit_(downtime_max), slack_(options.near) {
  GODWIT_CHECK(options.poll > Nanos{0} && options.steps >= 2);
  limit_ = options.schedule == Schedule::kStall ? std::min(options.downtime_start, downtime_max) : step(0);
  patience_ = options.stall_after;
}

/// The limit after so many steps. Linear, of nova: max / steps at first, then equal steps up to max. Exponential, of vdsm,
/// rounded to whole milliseconds: d / n + b^i, where b^(n - 1) = d - d / n.
Nanos Policy::step(std::uint64_t number) const {
  const auto asked = static_cast<std::uint64_t>(asked_.count());
  const std::uint64_t steps = options_.steps;
  if (options_.schedule == Schedule::kLinear) {
    if (number >= steps) return asked_;
    return Nanos{static_cast<std::int64_t>(asked / steps + mul_div(asked - asked / steps, number, steps))};
  }
  if (options_.schedule == Schedule::kExponential) {
    if (number + 1 >= steps) return asked_;
    const std::uint64_t ms = asked / kMillion, base = root(ms - ms / steps, steps - 1);
    u128 power = u128{1} << 16;
    for (std::uint64_t i = 0; i < number; ++i) power = power * base >> 16;
    return Nanos{
        static_cast<std::int64_t>((ms / steps + static_cast<std::uint64_t>((power + (1 << 15)) >> 16)) * kMillion)};
  }
  return asked_;
}

Policy::Verdict Policy::look(const View& now) {
  adjust(now);
  if (now.remaining < least_) {
    least_ = now.remaining;
    least_at_ = now.elapsed;
  }
  const Verdict over = options_.force ? Verdict::kForce : Verdict::kAbort;
  if (options_.rounds_max > 0 && now.rounds > options_.rounds_max) return Verdict::kAbort;
  if (options_.timeout_per_gib > Nanos{0} && now.elapsed > per_gib(options_.timeout_per_gib, memory_)) return over;
  if (options_.progress_timeout > Nanos{0} && now.elapsed - least_at_ > options_.progress_timeout) return over;
  return Verdict::kGoOn;
}

void Policy::adjust(const View& now) {
  switch (options_.schedule) {
    case Schedule::kLinear: {
      const Nanos each = per_gib(options_.step_per_gib, memory_);
      const bool due = each == Nanos{0} || now.elapsed / each > static_cast<std::int64_t>(steps_taken_);
      if (due && steps_taken_ < options_.steps) limit_ = step(++steps_taken_);
      break;
    }
    case Schedule::kExponential:
      if (now.rounds > rounds_seen_ && steps_taken_ + 1 < options_.steps) limit_ = step(++steps_taken_);
      rounds_seen_ = now.rounds;
      break;
    case Schedule::kDoubling:
      if (now.remaining > remained_ || now.remaining.value == 0) ++without_gain_;
      remained_ = now.remaining;
      if (without_gain_ <= kWithoutGainMost) break;
      without_gain_ = 0;
      limit_ = std::min(limit_ * 2, kLimitMost);
      break;
    default: break;
  }
}

/// Stalled: no less remains than `stall_ratio` of the least of all rounds that are older than `stall_after`. Then it waits
/// for a round that leaves nearly as little as the best did. Each time its patience is over it takes a little more, and has
/// half the patience.
Policy::Verdict Policy::round_ended(const View& now) {
  if (options_.schedule != Schedule::kStall) return Verdict::kGoOn;
  const Bytes sent = now.sent - std::min(sent_at_last_, now.sent);
  const Nanos took = now.elapsed - (last_ ? last_->at : Nanos{0});
  if (took > Nanos{0} && sent.value > 0) {
    const BitsPerSecond newest = rate_of(sent, took);
    bandwidth_ = bandwidth_.value == 0 ? newest
                                       : BitsPerSecond{mul_div(newest.value, kBandwidthWeight, kWhole) +
                                                       mul_div(bandwidth_.value, kWhole - kBandwidthWeight, kWhole)};
  }
  sent_at_last_ = now.sent;
  last_ = Ended{now.elapsed, now.remaining};

  std::optional<Bytes> old;  // the least of the older rounds
  for (const Ended& each : ended_)
    if (each.at + options_.stall_after < now.elapsed) old = each.remaining;
  if (ended_.empty() || now.remaining < ended_.back().remaining) ended_.push_back(*last_);
  if (!old || now.remaining < share_of(*old, options_.stall_ratio)) return Verdict::kGoOn;

  const Bytes best = ended_.back().remaining;
  if (patience_until_ == Nanos{0}) patience_until_ = later(now.elapsed, patience_);
  if (now.elapsed >= patience_until_) {
    slack_ += options_.near;
    patience_ /= 2;
    patience_until_ = later(now.elapsed, patience_);
  }
  if (bandwidth_.value == 0 || now.remaining > best + share_of(best, slack_)) return Verdict::kGoOn;
  const Nanos needed = wire_time(now.remaining, bandwidth_);
  const auto hopeless = mul_div(static_cast<std::uint64_t>(asked_.count()), options_.hopeless, kWhole);
  if (needed >= saturating_nanos(hopeless)) return options_.force ? Verdict::kForce : Verdict::kAbort;
  if (needed <= asked_) limit_ = asked_;
  return Verdict::kGoOn;
}

}  // namespace godwit::models
