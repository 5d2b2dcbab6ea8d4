#include <algorithm>

#include "core/source.h"

// How fast the source lets itself send.
namespace godwit::core {

BitsPerSecond Source::rate_limit() const {
  if (handed_over_) return plan_.postcopy_rate_max;
  if (rate_.value == 0 || (stopped_ && !plan_.limit_stop_phase)) return {0};
  // Within a window QEMU sends as fast as it can; the window's budget is the limit.
  if (plan_.rate == RateLaw::kWindowed && !stopped_) return {0};
  return {mul_div(rate_.value, plan_.rate_scale, kWhole)};
}

/// The limit for `record`. Under the adaptive law what was allowed and not sent before is not lost: a sender that was held
/// up by something else catches up without limit. Source: Xen, tools/libxc/xc_linux_save.c, ratewrite: a budget that grows
/// with every slot of time that has passed, up to no bound.
BitsPerSecond Source::rate_for(const Record& record) const {
  const BitsPerSecond limit = rate_limit();
  if (plan_.rate != RateLaw::kAdaptive || limit.value == 0) return limit;
  const Bytes size = size_of(record.runs, record.charge).bytes + record.charge.fixed;
  const Nanos allowed_at = later(allowance_used_until_, wire_time(size, limit));
  if (allowed_at <= control_.now()) return {0};
  return std::max(rate_of(size, allowed_at - control_.now()), BitsPerSecond{1});
}

void Source::use_allowance(Bytes sent) {
  const BitsPerSecond limit = rate_limit();
  if (plan_.rate != RateLaw::kAdaptive || limit.value == 0) return;
  allowance_used_until_ = later(allowance_used_until_, wire_time(sent, limit));
}

}  // namespace godwit::core
