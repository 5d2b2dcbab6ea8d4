#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/units.h"

namespace godwit::models {

/// How a management layer moves the downtime limit while a migration goes on. The limit that was asked for is its end.
enum class Schedule : std::uint8_t {
  kFixed,        ///< It stays.
  kLinear,       ///< From 1 / steps of it in `steps` steps, one in each `step_per_gib` x memory (nova).
  kExponential,  ///< From 1 / steps of it in `steps` - 1 steps of growing height, one with each new round (vdsm).
  kDoubling,     ///< Doubled whenever more remains than before, or nothing, for the sixth time (Proxmox).
  kStall,        ///< From `downtime_start` to it where the migration has stalled and little remains (KubeVirt).
};

/// The rules by which a management layer watches a migration. Durations of 0: no such rule.
struct PolicyOptions {
  bool on = false;
  Nanos poll{500'000'000};  ///< It looks so often. Above 0.
  Schedule schedule = Schedule::kFixed;
  std::uint32_t steps = 10;  ///< At least 2.
  Nanos step_per_gib{0};
  Nanos downtime_start{300'000'000};  ///< kStall: before.
  Nanos timeout_per_gib{0};           ///< Then it is over, as `force` says.
  Nanos progress_timeout{0};          ///< The same, where the least that remained has not fallen for so long.
  std::uint32_t rounds_max = 0;       ///< Given up when more rounds have ended; 0: no such bound.
  bool force = false;  ///< When a time is over the guest is stopped, or post-copy begun; else the migration given up.
  Nanos stall_after{60'000'000'000};     ///< kStall: a round is held against those that are older than this.
  Share stall_ratio = kWhole / 25 * 24;  ///< kStall: at this share of their least, or more, it has stalled.
  Share near = kWhole / 25;              ///< kStall: it switches where the rest is within so much of the least.
  Share hopeless = kWhole / 2 * 3;       ///< kStall: of the downtime limit; where as much would be needed it is over.
};

/// A management layer, told the time. Sources: the strategies' files.
class Policy {
 public:
  enum class Verdict : std::uint8_t { kGoOn, kAbort, kForce };
  struct View {
    Nanos elapsed{0};          ///< Since the request.
    std::uint32_t rounds = 0;  ///< That have ended.
    Bytes remaining{0};
    Bytes sent{0};  ///< On the wire.
  };

  Policy(const PolicyOptions& options, Nanos downtime_max, Bytes memory);

  /// What it does on one of its looks.
  Verdict look(const View& now);
  /// What it does when a round has ended and the log has been read.
  Verdict round_ended(const View& now);
  /// The downtime limit in force.
  Nanos downtime_max() const { return limit_; }

 private:
  Nanos step(std::uint64_t number) const;
  void adjust(const View& now);

  PolicyOptions options_;
  Nanos asked_;  // the downtime limit
  Bytes memory_;
  Nanos limit_;
  std::uint64_t steps_taken_ = 0;
  std::uint32_t rounds_seen_ = 0;
  std::uint32_t without_gain_ = 0;
  Bytes remained_{UINT64_MAX};  // at the last look
  Bytes least_{UINT64_MAX};     // that ever remained,
  Nanos least_at_{0};           // and when it last fell
  struct Ended {
    Nanos at;
    Bytes remaining;
  };
  std::vector<Ended> ended_;  // rounds, each with less remaining than all before
  std::optional<Ended> last_;
  Bytes sent_at_last_{0};
  BitsPerSecond bandwidth_{0};  // smoothed
  Nanos patience_{0};           // kStall: how much longer it waits for a minimum
  Nanos patience_until_{0};
  Share slack_ = 0;
};

}  // namespace godwit::models
