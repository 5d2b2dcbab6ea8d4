#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "scenarios/load.h"
#include "studies/dirty_samples.h"
#include "studies/parallel.h"
#include "studies/sweep_cells.h"

/// The operator's question: will it converge, how long does it take, how long is the guest down, and what would help?
namespace godwit::studies {

struct PredictOptions {
  std::vector<BitsPerSecond> bandwidths;  ///< Of every link, and as the goal. Ascending.
  std::vector<Nanos> downtimes;           ///< Limits, ascending. kNever: an hour, which is none.
  /// Where the guest's writes go on as they are, a migration that has not ended in so many times what sending all memory
  /// once takes, and ten seconds, never will; nor one that has not in kPatientRounds, if the strategy has no bound of its
  /// own. 0: only the scenario's horizon ends it.
  std::uint32_t patience = 0;
  std::uint32_t seeds = 1;  ///< The scenario's and those that follow it.
  std::uint32_t jobs = 1;   ///< Threads; no result depends on it.
};

inline constexpr std::uint32_t kPatientRounds = 500;

/// What the seeds come to with one set of values.
struct Predicted {
  std::uint64_t runs = 0, completed = 0;
  std::string outcome;  ///< Of the first run that is not completed, else "completed".
  Quantiles total_time_ms, downtime_ms, postcopy_requests, postcopy_stall_ms;
  BitsPerSecond pace{0};  ///< Bytes sent by total time, of the first seed.

  bool converges() const { return completed == runs; }
};

/// The least value of something with which every migration of every seed is completed, found by halving what lies
/// between a value that fails and one that does not. What helps is taken to help more where there is more of it.
struct Least {
  std::optional<std::uint64_t> value;  ///< It converges here. Nothing: not at the most there can be.
  std::uint64_t fails = 0;             ///< The largest value that was found to fail; 0: it fails of itself.
  bool found = false;                  ///< The search came to its end; else the two above say nothing.
};

/// Of one strategy, at each of the bandwidths.
struct PostCopyPrediction {
  std::string strategy;
  std::vector<Predicted> at;
};

struct Predictions {
  std::vector<Predicted> cells;                ///< By bandwidth, and for each by downtime limit.
  std::vector<PostCopyPrediction> post_copy;   ///< `post-copy` and `hybrid`, as far as the scenario may have them.
  std::vector<Least> bandwidth;                ///< Of each downtime limit [bits per second].
  std::vector<Least> downtime;                 ///< Of each bandwidth [ns]; empty: the strategy has no such limit.
  std::vector<std::optional<Least>> throttle;  ///< Of each cell that does not converge [percent]; empty: it has none.

  std::size_t searches_missing() const;  ///< Of those above, how many were ended before they found it.
};

/// How near the least values are found: to a fiftieth, of a downtime to a millisecond at best, of a throttle to 1 %.
inline constexpr std::uint64_t kLeastResolution = 50;

/// The cells and post-copy. Nothing where `progress` ended it. What is wrong with a value is an issue, before anything
/// is run.
std::variant<std::optional<Predictions>, std::vector<scenarios::Issue>> predict(const scenarios::Loaded& scenario,
                                                                                const PredictOptions& options,
                                                                                const Progress& progress = {});

/// Adds to what `predict` gave the least bandwidth, downtime limit and throttle. `progress` is told after every run how
/// many searches are done. Where it ends them, those that were not done are there without being found. The throttle is
/// QEMU's, at one strength from the moment on at which the strategy begins with it.
void find_least(const scenarios::Loaded& scenario, const PredictOptions& options, Predictions& predictions,
                const Progress& progress = {});

/// How the core's total time comes to be another than that of the model gudkov_2023. Each time is the model's with one
/// more of its parts replaced; nothing: not within an hour.
struct ModelDifference {
  std::optional<Nanos> model;       ///< As it was published.
  std::optional<Nanos> plain_bits;  ///< A gigabit has 10^9 bits.
  std::optional<Nanos> curve;       ///< And dirty pages grow as the curve that was fitted, which the core has.
  std::optional<Nanos> pace;        ///< And what is sent in a second is what the core came to.
  std::optional<Nanos> core;        ///< And rounds, stop and switch-over are the core's: the core itself.
};

/// One for each of the cells of `predictions`, which `scenario` with guest_of(`samples`) led to.
std::vector<ModelDifference> differences(const scenarios::Loaded& scenario, const DirtySamples& samples,
                                         const PredictOptions& options, const Predictions& predictions);

}  // namespace godwit::studies
