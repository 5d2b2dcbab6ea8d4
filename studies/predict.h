#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/load.h"
#include "studies/parallel.h"
#include "studies/sweep_cells.h"

/// The operator's question: will it converge, how long does it take, how long is the guest down?
namespace godwit::studies {

struct PredictOptions {
  std::vector<std::string> bandwidths;  ///< As a file says them: "10 Gbit/s".
  std::vector<std::string> downtimes;   ///< Limits: "300 ms".
  std::uint32_t seeds = 1;
  std::uint32_t jobs = 1;
};

/// What one downtime limit at one bandwidth comes to, over the seeds.
struct Predicted {
  std::string bandwidth, downtime;
  bool converges = false;  ///< With every seed.
  std::string outcome;     ///< Of the first that does not.
  Quantiles total_time_ms, downtime_ms;
};

/// By bandwidth, and for each by downtime limit. Empty where `progress` ended it.
using Predictions = std::vector<Predicted>;

/// `scenario` with each of the bandwidths, as that of every link and as the goal, under each of the limits. What is
/// wrong with one of them is an issue, before anything is run.
std::variant<Predictions, std::vector<scenarios::Issue>> predict(const scenarios::Json& scenario,
                                                                 const std::string& file,
                                                                 const std::filesystem::path& base_dir,
                                                                 const PredictOptions& options,
                                                                 const Progress& progress = {});

/// The smallest bandwidth at which the scenario converges under `downtime`, to one part in twenty, above `fails` and at
/// most `converges` [bits per second].
std::optional<BitsPerSecond> smallest_bandwidth(const scenarios::Json& scenario, const std::string& file,
                                                const std::filesystem::path& base_dir, const std::string& downtime,
                                                BitsPerSecond fails, BitsPerSecond converges);

}  // namespace godwit::studies
