#include "sim/names.h"

#include <array>
#include <cstddef>

namespace godwit::sim {

std::string_view name_of(Status status) {
  using enum Status;
  switch (status) {
    case kCompleted: return "completed";
    case kFailed: return "failed";
    case kCancelled: return "cancelled";
    case kUnfinished: return "unfinished";
    case kInDoubt: return "in_doubt";
    case kPaused: return "paused";
    case kLost: return "lost";
  }
  return "unknown";
}

std::string_view name_of(Home home) {
  using enum Home;
  switch (home) {
    case kSource: return "source";
    case kDestination: return "destination";
    case kNowhere: return "nowhere";
  }
  return "unknown";
}

std::string_view name_of(Part part) {
  static constexpr std::array<std::string_view, kParts> kNames = {"stop",         "harvest", "copy",   "shadow",
                                                                  "device_state", "inflate", "commit", "resume"};
  return kNames[static_cast<std::size_t>(part)];
}

std::string_view name_of(Activity activity) {
  static constexpr std::array<std::string_view, kActivities> kNames = {"track",    "harvest", "copy",
                                                                       "protocol", "apply",   "inflate"};
  return kNames[static_cast<std::size_t>(activity)];
}

std::string_view name_of(RecordKind kind) {
  using enum RecordKind;
  switch (kind) {
    case kLogRead: return "log_read";
    case kLogCleared: return "log_cleared";
    case kLogReadCleared: return "log_read_and_cleared";
    case kShadowed: return "copied_to_shadow";
    case kPhase: return "phase";
    case kRoundSent: return "round_sent";
    case kRoundPending: return "pending_after_round";
    case kSourceEnded: return "source_ended";
    case kNobodyLeft: return "nobody_left";
  }
  return "unknown";
}

std::string_view name_of(core::Phase phase) {
  using enum core::Phase;
  switch (phase) {
    case kSetup: return "setup";
    case kPreCopy: return "pre_copy";
    case kStop: return "stop";
    case kHarvest: return "harvest";
    case kCopy: return "copy";
    case kShadow: return "shadow";
    case kDeviceState: return "device_state";
    case kInflate: return "inflate";
    case kCommit: return "commit";
    case kResume: return "resume";
    case kRunning: return "running";
    case kPostCopy: return "post_copy";
    case kFailed: return "failed";
  }
  return "unknown";
}

std::string_view name_of(core::Outcome outcome) {
  using enum core::Outcome;
  switch (outcome) {
    case kCompleted: return "completed";
    case kCancelled: return "cancelled";
    case kLinkBroken: return "link_broken";
    case kRefused: return "refused";
    case kShadowFull: return "shadow_full";
    case kNoConvergence: return "no_convergence";
    case kInDoubt: return "in_doubt";
    case kStranded: return "stranded";
  }
  return "unknown";
}

}  // namespace godwit::sim
