#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "scenarios/issues.h"
#include "studies/real_run.h"

namespace godwit::studies {

/// Which figures may be expected to agree how well.
enum class RunKind : std::uint8_t { kPlain, kContent, kXbzrle, kAutoConverge, kPostCopy };
inline constexpr std::size_t kRunKinds = 5;
RunKind kind_of(const RealRun& run);
std::string_view name_of(RunKind kind);

/// (predicted - measured) / measured, where both are there and the measured one is not 0.
struct Errors {
  std::optional<double> total_time, stop_to_resume, transferred, normal, duplicate, dirty_syncs;
};

/// A real migration beside its prediction.
struct Prediction {
  RealRun run;
  std::vector<std::string> not_modelled;  ///< If any, nothing is predicted.
  Outcome predicted;
  Errors errors;
  std::uint64_t seed = 0, digest = 0;
  bool adds_up = true;  ///< Normal and zero pages, with XBZRLE others too, are all pages and those newly dirty.

  bool is_predicted() const { return not_modelled.empty(); }
  bool verdict_right() const { return predicted.completed == run.measured.completed; }
  bool syncs_close() const;  ///< Within one, or 10 %.
};

/// Magnitudes of relative errors: the smallest value that half, 90 %, all of them do not exceed.
struct ErrorSpread {
  std::size_t of = 0;
  double median = 0, p90 = 0, worst = 0;
};
ErrorSpread error_spread(std::vector<double> errors);

struct Summary {
  std::size_t runs = 0;  ///< Predicted ones.
  std::size_t not_modelled = 0;
  std::size_t verdict_right = 0, syncs_close = 0;
  std::size_t within_factor_two = 0;  ///< In the time from stop to resume, of as many as stop_to_resume counts.
  ErrorSpread total_time, stop_to_resume, transferred, normal, duplicate, dirty_syncs;
};
Summary summarise(const std::vector<const Prediction*>& predictions);

struct Validation {
  std::vector<Prediction> runs;

  std::vector<const Prediction*> all() const;
  std::vector<const Prediction*> of_kind(RunKind kind) const;
  std::vector<const Prediction*> plain_in(const std::string& group) const;
  std::vector<std::string> plain_groups() const;  ///< In the order of the records.
};

/// Predicts `run` by simulating its scenario. Issues where that is no right scenario (conflicting capabilities).
std::variant<Prediction, std::vector<scenarios::Issue>> predict(const RealRun& run);

}  // namespace godwit::studies
