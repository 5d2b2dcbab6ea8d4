#pragma once

#include "core/plan.h"
#include "core/ports.h"

namespace godwit::core {

enum class Decision : std::uint8_t { kContinue, kStop, kAbort };

/// All that the choice after a round depends on.
struct Situation {
  RoundStats last;           ///< The round that has just ended.
  Pages sent_before{0};      ///< What the round before it sent.
  bool at_rate_max = false;  ///< The round was sent at the highest rate.
  Pages pending{0};          ///< What is to be sent still.
  Pages sender{0};           ///< What the sender itself dirties.
  Bytes page{4096};          ///< What a pending page counts for.
  Bytes total_sent{0};       ///< In memory bytes, over all rounds.
  Bytes memory{0};
  BitsPerSecond bandwidth{0};  ///< As the plan's estimate sees it; 0: not known yet.
  Nanos elapsed{0};            ///< Since the first round began.
};

/// The bytes that `bandwidth` moves within the downtime limit.
Bytes downtime_budget(const Plan& plan, BitsPerSecond bandwidth);

/// Chooses what follows a finished round. Depends on its arguments alone.
Decision decide(const Plan& plan, const Situation& now);

/// Whether the guest dirtied more in a period than the rules allow for what was sent in it.
bool outruns(const ThrottleRules& rules, Bytes dirtied, Bytes sent);

/// The share of the time for which the guest is to be kept from running after two bad periods, the last of which
/// dirtied and sent that much. Source: QEMU, migration/ram.c.
Share raised_throttle(const ThrottleRules& rules, Share current, Bytes dirtied, Bytes sent);

/// The rate for the next round under the adaptive law: what was dirtied in `last` as a rate, plus the step, if that
/// rate was above `current`; never less than `current`, never more than the maximum. Source: Xen,
/// tools/libxc/xc_linux_save.c of 2004, where the rate is in whole Mbit/s.
BitsPerSecond adapted_rate(const Plan& plan, BitsPerSecond current, Bytes dirtied, Nanos took);

}  // namespace godwit::core
