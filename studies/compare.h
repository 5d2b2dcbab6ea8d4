#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "scenarios/load.h"
#include "studies/figures.h"
#include "studies/parallel.h"

/// The same guests, workload and goal under several strategies and seeds.
namespace godwit::studies {

/// Whether the guests that migrate write the same pages at the same times under every strategy.
enum class Pairing : std::uint8_t {
  kPaired,          ///< They do: traces, sequential writers, idle guests.
  kInDistribution,  ///< Writes are drawn anew each time: equal in distribution only.
  kMixed,           ///< Some of the guests this, some that.
};

struct Comparison {
  std::vector<std::uint64_t> seeds;         ///< Those that were run under every strategy.
  std::vector<StrategyFigures> strategies;  ///< In the order asked for; none where no seed was finished.
  Pairing pairing = Pairing::kPaired;

  bool caps_differ() const;
  /// All who paid CPU anywhere: the guest first, the destination last.
  std::vector<std::string> payers() const;
};

struct CompareOptions {
  std::uint32_t seeds = 5;  ///< The scenario's, and those that follow it.
  std::uint32_t jobs = 1;   ///< Runs at the same time. The result does not depend on it.
};

/// The scenario under one strategy.
struct Contender {
  std::string strategy;
  scenarios::Loaded scenario;
};

/// The scenario under each of `strategies`, or what is wrong with it under one of them.
std::variant<std::vector<Contender>, std::vector<scenarios::Issue>> contenders(
    const scenarios::Loaded& loaded, const std::vector<std::string>& strategies);

/// Runs everything, seed after seed. Where `progress` ends it early, the seeds that all strategies have finished are
/// kept: perhaps none. Throws what a run throws. Requires contenders, seeds and jobs.
Comparison compare(const std::vector<Contender>& contenders, const CompareOptions& options,
                   const Progress& progress = {});

}  // namespace godwit::studies
