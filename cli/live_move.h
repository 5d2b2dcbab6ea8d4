#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/live_setting.h"
#include "report/run_json.h"

namespace CLI {
class App;
}

namespace godwit::cli {

/// What both `demo` and `grid` take.
struct LiveRunArguments {
  std::string profile, json;
  std::uint32_t seeds = 5;
};

void add_live_run_options(CLI::App& command, LiveRunArguments& arguments);

/// A host as it was measured, and the way over loopback.
struct MeasuredHost {
  models::CostProfile profile;
  Nanos round_trip{0};
};

/// The host as the profile in `file` has it, or as it is measured now where there is none. Nothing after saying on stderr
/// what is wrong.
std::optional<MeasuredHost> measured_host(const std::string& file);

/// What one move came to.
struct Move {
  live::Way way = live::Way::kByItself;
  bool completed = false, verified = false;
  std::string how;  ///< It ended.
  Nanos downtime{0}, total_time{0}, service_gap{0};
  Bytes bytes{0};
  std::uint64_t rounds = 0;
  Nanos sender_cpu{0}, destination_cpu{0};
  std::uint64_t faults = 0, shadow_pages = 0, late = 0;
};

/// One guest, made for the purpose, and its move.
Move carry_out(const live::TrialOptions& options);

/// CPU time that the simulator bills to one side.
Nanos billed(const sim::MigrationResult& result, bool destination);

report::Json move_json(const Move& move, const Prediction& prediction);

/// Writes `document` where --json says, if it does. Returns the exit status.
int write_json(const std::string& file, const report::Json& document);

/// Says what is wrong, line by line. Returns the exit status.
int refuse_live(const std::vector<std::string>& lines);

}  // namespace godwit::cli
