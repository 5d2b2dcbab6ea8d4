#pragma once

#include <utility>
#include <vector>

#include "sim/result.h"
#include "studies/figures.h"

namespace godwit::studies {

/// What may be said of two measures.
enum class Verdict : std::uint8_t {
  kSame,        ///< One value, the same for both.
  kNoneProven,  ///< The spreads over the seeds overlap.
  kLess,        ///< Every value of the second is below every value of the first.
  kMore,
};

template <class T>
Verdict verdict(const Spread<T>& first, const Spread<T>& second) {
  if (first.is_point() && second.is_point() && first.least == second.least) return Verdict::kSame;
  if (first.overlaps(second)) return Verdict::kNoneProven;
  return second.most < first.least ? Verdict::kLess : Verdict::kMore;
}

/// By how much each part of the second's downtime exceeds that of the first, in their median runs: what matters, the
/// largest first. What makes less than a twentieth of the largest stays out.
std::vector<std::pair<sim::Part, Nanos>> part_differences(const StrategyFigures& first, const StrategyFigures& second);

}  // namespace godwit::studies
