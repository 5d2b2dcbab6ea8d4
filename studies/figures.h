#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sim/options.h"
#include "sim/result.h"
#include "studies/statistics.h"
#include "studies/work.h"

namespace godwit::studies {

/// What one run came to, over all its migrations.
struct RunFigures {
  std::uint64_t seed = 0;
  std::uint64_t digest = 0;
  std::uint64_t migrations = 0;
  std::uint64_t completed = 0;
  bool verified = true;  ///< Every migration was.
  std::string
      outcome;  ///< "completed", or status and reason of the first migration that is not: "failed: no_convergence".
  Nanos total_time{0};                              ///< From the first request to the last end.
  Nanos downtime{0}, service_gap{0}, work_lost{0};  ///< Sums.
  std::array<Nanos, sim::kParts> parts{};           ///< Of the downtime; they sum to it.
  Bytes sent{0};
  std::uint64_t postcopy_requests = 0;
  Nanos postcopy_stall{0};
  std::uint64_t rounds = 0;                        ///< The most that one migration took, the final pass included.
  std::vector<std::pair<std::string, Nanos>> cpu;  ///< By payer, sorted by name.
  std::vector<std::string> warnings;               ///< Each once.
  std::vector<WorkStretch> work;                   ///< In a comparison of one migration: when work was lost.

  Nanos paid_by(const std::string& payer) const;
};

RunFigures figures_of(const sim::RunResult& result);

/// One strategy over the seeds.
struct StrategyFigures {
  std::string name;
  std::vector<RunFigures> runs;  ///< In the order of the seeds.
  bool completed = true;         ///< Every migration of every run.
  bool verified = true;
  Spread<Nanos> total_time, downtime, service_gap, work_lost;
  Spread<Bytes> sent;
  Spread<std::uint64_t> rounds;
  std::size_t median_run = 0;             ///< The run with the median downtime: its parts sum to that.
  std::vector<std::string> goal_ignored;  ///< Fields of the goal that the strategy has no parameter for.
  BitsPerSecond rate_max{0};              ///< The cap on its bandwidth; 0: none.

  const RunFigures& typical() const { return runs[median_run]; }
  Spread<Nanos> paid_by(const std::string& payer) const;
};

/// The figures of `runs`, which `options` led to but for the seed. Requires one run at least.
StrategyFigures summarise(std::string name, const sim::RunOptions& options, std::vector<RunFigures> runs);

}  // namespace godwit::studies
