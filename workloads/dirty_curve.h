#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/units.h"

/// A guest that is known by its dirty curve alone: D(t), how many distinct pages are dirty a time t after all were clean.
namespace godwit::workloads {

struct CurvePoint {
  Nanos after{0};
  Pages pages{0};
};

/// Pages that are all written at the same rate, at random.
struct PageClass {
  Pages pages{0};
  std::uint64_t rate_millionths = 0;  ///< Of a write per second, over all its pages.
};

/// What writes as a curve says, as near as it can be had.
struct CurveFit {
  std::vector<PageClass> classes;  ///< The hottest first.
  double error = 0;                ///< The largest at any of the points, of what is asked for there.

  Pages pages() const;
  /// What is dirty after `time`, expected.
  double dirty_after(Nanos time) const;
};

/// Writes at random to classes of pages give D(t) = sum of n (1 - exp(-r t)), which is concave. Finds the sizes n >= 0 for a
/// fixed grid of rates r, an octave apart, by least squares of the relative errors at `points` (coordinate descent), and as
/// whole pages. In IEEE double with + - * / alone: the same everywhere. Where that would take more than `room`, slower
/// rates are left out, as long as any are left. Requires points with rising times above 0 and pages above 0.
CurveFit fit_curve(std::span<const CurvePoint> points, Pages room);

}  // namespace godwit::workloads
