#include "core/source.h"

#include <utility>

// RoundRule::kBelowThreshold: QEMU's loop, migration/migration.c and ram.c, and the throttle that goes with it.
namespace godwit::core {

/// QEMU's loop: slices, in windows of a byte budget, until the known rest is under the threshold. While a window's budget
/// is spent nothing is looked at.
Task<Done> Source::send_windowed() {
  if (rate_.value > 0) window_budget_ = carried(rate_, plan_.window);
  while (!failed()) {
    if (window_bytes_ <= window_budget_) {
      if (below_threshold() || read_is_due()) co_return Done{};
      if (postcopy_is_due()) postcopy_asked_ = true;
      if (rounds_cut_short()) co_return Done{};
      if (!pending_.empty()) co_await send_slice();
      // Nothing known is pending, and no window has told the bandwidth yet.
      if (pending_.empty() && !below_threshold()) co_await control_.sleep_until(window_began_ + plan_.window);
    }
    close_window();
    if (window_bytes_ > window_budget_) {
      co_await control_.sleep_until(window_began_ + plan_.window);
      close_window();
    }
    heed_commands();
    if (rounds_cut_short()) co_return Done{};
  }
  co_return Done{};
}

/// Sends until the window's budget is exceeded, the slice's time is over or nothing is pending.
Task<Done> Source::send_slice() {
  const Nanos ends = plan_.slice > Nanos{0} ? control_.now() + plan_.slice : kNever;
  framed_ = false;
  do {
    co_await send_batch(pending_.size(), window_budget_ - window_bytes_, ends);
  } while (!failed() && !pending_.empty() && window_bytes_ <= window_budget_ && control_.now() < ends);
  co_return Done{};
}

/// Starts a new window where this one is over, and learns the bandwidth from it.
void Source::close_window() {
  const Nanos length = control_.now() - window_began_;
  if (length < plan_.window) return;
  learn_bandwidth(window_bytes_, length);
  window_began_ = control_.now();
  window_bytes_ = {};
}

bool Source::below_threshold() const {
  const Bytes rest = memory_.page_size() * pending_.count().value;
  const Bytes threshold = downtime_budget(plan_, bandwidth_);
  return rest < threshold || (plan_.read_at_threshold && rest == threshold && threshold.value > 0);
}

/// A guest is being slowed down, and the rounds have become so long that the log is read before this one is over.
bool Source::read_is_due() {
  if (!plan_.throttle.on || control_.now() < throttle_.tick) return false;
  throttle_.tick = later(throttle_.tick, plan_.throttle.read_every);
  const std::uint32_t last = throttle_.round_at_tick;
  throttle_.round_at_tick = round_.index;
  return round_.index > 1 && round_.index == last;
}

/// Who asks for post-copy after a round hears of its end when the next one has begun to be sent.
bool Source::postcopy_is_due() const {
  if (plan_.switch_over != Switch::kPostCopy) return false;
  const std::uint32_t rounds = plan_.postcopy.after_rounds;
  return control_.now() >= postcopy_from_ || (rounds > 0 && round_.index > rounds && round_.sent.value > 0);
}

/// Slows the guest down further after two bad periods; a good one between them does not matter.
void Source::regulate_guest() {
  const ThrottleRules& rules = plan_.throttle;
  if (!rules.on && !plan_.dirty_limit.on) return;
  throttle_.dirtied += memory_.page_size() * round_.new_dirty.value;
  throttle_.sent += round_.bytes;
  if (control_.now() <= throttle_.began + rules.period) return;
  if (outruns(rules, throttle_.dirtied, throttle_.sent) && ++throttle_.bad_periods >= 2) {
    throttle_.bad_periods = 0;
    slow_guest_down();
  }
  throttle_.began = control_.now();
  throttle_.dirtied = throttle_.sent = {};
}

void Source::slow_guest_down() {
  if (plan_.throttle.on) {
    throttle_.share = raised_throttle(plan_.throttle, throttle_.share, throttle_.dirtied, throttle_.sent);
    guest_.throttle(throttle_.share);
  } else if (!std::exchange(throttle_.dirtying_limited, true)) {
    guest_.limit_dirtying(plan_.dirty_limit.rate, plan_.dirty_limit.period);
  }
}

}  // namespace godwit::core
