#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "scenarios/load.h"
#include "sim/result.h"
#include "studies/parallel.h"

/// Random scenarios under the oracles.
namespace godwit::studies {

/// What is looked at in a run.
enum class SoakCheck : std::uint8_t {
  kOracles,     ///< Every page, byte and home; that it ends; that its figures fit each other and have a cause. Always.
  kRepeats,     ///< The same scenario comes to the same again.
  kContents,    ///< With and without real bytes it comes to the same.
  kEffective,   ///< The scenario with every default written out comes to the same.
  kCheckpoint,  ///< A checkpoint starts; cut short or altered it does not.
};
inline constexpr std::size_t kSoakChecks = 5;

struct SoakOptions {
  std::uint64_t first = 1;  ///< The first seed.
  std::uint64_t seeds = 1;
  std::uint32_t jobs = 1;          ///< Processes at the same time. The result does not depend on it.
  std::uint32_t failures_max = 1;  ///< Ends after that many seeds have failed. At least 1.
  std::filesystem::path folder;    ///< Where the recording is that scenarios play.
};

/// A seed whose run broke an invariant.
struct SoakFailure {
  std::uint64_t seed = 0;
  std::string what;
};

struct SoakSummary {
  struct Strategy {
    std::uint64_t migrations = 0, completed = 0;
  };

  std::uint64_t first = 1, seeds = 0;  ///< Those that were run: all up to the last.
  std::uint64_t refused = 0;           ///< Their guests are too small for what their own sending dirties.
  std::uint64_t migrations = 0;
  std::map<std::pair<sim::Status, std::string>, std::uint64_t> outcomes;  ///< Of migrations; with the reason.
  std::map<std::string, Strategy> strategies;
  std::map<std::string, std::uint64_t> workloads, events;  ///< How many scenarios have one of that kind.
  std::array<std::uint64_t, kSoakChecks> checks{};         ///< How many runs were looked at in that way.
  std::uint64_t digest = 0;                                ///< Over the digests of all runs, in order.
  std::vector<SoakFailure> failures;                       ///< By seed.
};

/// Draws and runs one scenario after another, each chunk of them in a process of its own. Ends early where `progress`
/// says so, or enough has failed; then those count up to which all were run. Requires a caller without threads.
SoakSummary soak(const SoakOptions& options, const Progress& progress = {});

/// Runs `loaded` and looks at it in every way there is. A broken invariant panics. Throws what a run throws.
void soak_thoroughly(const scenarios::Loaded& loaded);

/// A failure as a scenario that is as small as it could be made and fails in the same way.
struct SoakReplay {
  scenarios::Json scenario;
  bool by_run = false;  ///< A plain run of it fails; else only what soak looks at after it.
};
SoakReplay shrink(const SoakFailure& failure, const std::filesystem::path& folder);

}  // namespace godwit::studies
