#pragma once

#include <string>
#include <variant>
#include <vector>

#include "live/calibrate.h"
#include "live/trial.h"
#include "models/profile.h"
#include "scenarios/load.h"
#include "sim/result.h"

namespace CLI {
class App;
}

namespace godwit::cli {

/// A live guest and how it is to be moved, as the command line gives it.
struct LiveArguments {
  std::string memory = "64 MiB", write_rate = "5000 pages/s", hot_memory = "4 MiB", hot_share = "90 %";
  std::string bandwidth = "1 Gbit/s", downtime = "100 ms";
  std::uint32_t writers = 2;
  std::uint32_t rounds_max = 12;
  std::uint64_t seed = 1;
};

/// The same, understood.
struct LiveSetting {
  live::GuestOptions guest;
  BitsPerSecond bandwidth{0};  ///< 0: as fast as it goes.
  Nanos downtime{0};
  std::uint32_t rounds_max = 0;
  Nanos client_interval{1'000'000};
};

void add_live_options(CLI::App& command, LiveArguments& arguments);

/// What the arguments mean, or what is wrong with them, a line each.
std::variant<LiveSetting, std::vector<std::string>> understand(const LiveArguments& arguments);

/// The text of a host profile that says what was measured, in the form of scenarios/profiles.
std::string profile_text(const live::Calibration& calibration, const std::string& name);

/// The scenario that says of `setting` what the command line says, and no more: two hosts of `profile`, a link of the
/// bandwidth that the sender is limited to, and half of `round_trip` for its latency.
scenarios::Loaded scenario_of(const LiveSetting& setting, live::Way way, const models::CostProfile& profile,
                              Nanos round_trip);

/// What the simulator expects.
struct Prediction {
  std::vector<sim::MigrationResult> runs;  ///< One a seed.
  Nanos downtime{0};                       ///< The median; the others likewise.
  Nanos total_time{0};
  Bytes bytes{0};
  std::uint64_t rounds = 0;
};

Prediction predict(const scenarios::Loaded& scenario, std::uint32_t seeds);

/// The trial of `setting`, under the plan of its scenario.
live::TrialOptions trial_of(const LiveSetting& setting, live::Way way, const scenarios::Loaded& scenario);

}  // namespace godwit::cli
