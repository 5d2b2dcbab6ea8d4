#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/ports.h"
#include "sim/records.h"

namespace godwit::sim {

enum class Status : std::uint8_t { kCompleted, kFailed, kCancelled, kUnfinished, kInDoubt, kPaused, kLost };
enum class Home : std::uint8_t { kSource, kDestination, kNowhere };

/// Parts of the downtime, in the order in which they come. They sum to it exactly.
enum class Part : std::uint8_t { kStop, kHarvest, kCopy, kShadow, kDeviceState, kInflate, kCommit, kResume };
inline constexpr std::size_t kParts = 8;

/// Where work is done.
enum class Side : std::uint8_t { kSource, kDestination };

/// What CPU time is paid for.
enum class Activity : std::uint8_t { kTrack, kHarvest, kCopy, kProtocol, kApply, kInflate };
inline constexpr std::size_t kActivities = 6;

/// CPU time that somebody paid for something.
struct Bill {
  std::string payer;  ///< guest, hypervisor, management or destination.
  std::string host;
  Activity activity{};
  Nanos cpu{0};
};

struct Iteration {
  core::RoundStats round;
  Share throttle = 0;
  Nanos ring_sleep{0};  ///< Of each virtual CPU, whenever its dirty ring was full.
  Nanos work_lost{0};   ///< By the guest, since the round before had ended or the migration was asked for.
};

struct MigrationResult {
  std::string guest, source, destination, strategy;
  Status status = Status::kUnfinished;
  std::string reason;  ///< Empty where there is nothing to say.
  Home home = Home::kSource;
  std::vector<std::string> goal_ignored;
  Nanos requested_at{0};
  Nanos total_time{0}, setup_time{0}, downtime{0}, service_gap{0}, paused_total{0};
  std::uint32_t pauses = 0;
  std::array<Nanos, kParts> parts{};

  Bytes total_bytes{0}, transferred{0}, remaining{0}, page_size{4096};
  Pages normal{0}, duplicate{0}, skipped{0}, free{0};
  Pages deltas{0};  ///< Sent as what had changed in them.
  std::uint32_t dirty_syncs = 0;
  std::uint64_t dirty_pages_rate = 0;  ///< Per second, newly dirty, over the last live round.
  Bytes precopy{0}, in_downtime{0}, postcopy{0};
  std::uint64_t postcopy_requests = 0;
  std::vector<Iteration> iterations;

  Nanos work_lost{0}, postcopy_stall{0};
  Pages dropped{0};  ///< Clean copies of what a disk has, given up.
  Nanos reread{0};   ///< What it takes to read all of them again.
  std::uint64_t write_faults = 0;
  std::uint64_t stunned = 0;  ///< Processes that were kept from running, and for how long of the guest's time together.
  Nanos stunned_time{0};
  struct {
    Pages in_flight{0}, rings_and_stack{0}, bitmap{0}, page_tables{0};
  } self_dirtied;
  std::vector<Bill> costs;
  bool verified = false;
  std::vector<std::string> warnings;
  std::vector<std::byte> checkpoint;  ///< The records of a checkpoint to a file, as they lie in it.
  Nanos snapshot_at{0};               ///< Of a checkpoint: the guest's own time in it.
};

struct RunResult {
  std::uint64_t seed = 0;
  std::uint64_t digest = 0;  ///< Over `records`.
  std::vector<SemanticRecord> records;
  Nanos ended_at{0};  ///< When the last migration had ended; of the run, where one had not.
  std::vector<MigrationResult> migrations;
};

}  // namespace godwit::sim
