#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "studies/sweep_store.h"

namespace godwit::studies {

/// Where the values of several seeds lie, and what may be said of their median.
struct Quantiles {
  double least = 0, median = 0, p95 = 0, most = 0;
  double low = 0, high = 0;  ///< About the median with a confidence of 95 %, whatever the distribution.

  bool overlaps(const Quantiles& other) const { return least <= other.most && other.least <= most; }
};

/// Of `values`: each quantile is one of them. Of few of them no more is known of the median than that it lies among
/// them. Requires one at least.
Quantiles quantiles_of(std::vector<double> values);

/// One combination of the values of a sweep, over its seeds.
struct Cell {
  Row axes;  ///< Of each axis, the value.
  std::uint64_t first_point = 0;
  std::uint64_t runs = 0, completed = 0;
  std::string outcome;  ///< Of the first run that did not complete; empty: all did.
  Quantiles downtime_ms, total_time_ms, work_lost_ms, transferred_bytes, rounds;

  bool converges() const { return completed == runs; }
};

struct SweepCells {
  std::vector<SweepColumn> axes;
  std::vector<Cell> cells;  ///< In the order of the points.
};

/// The cells of which there is a row. A combination that is no scenario has none.
SweepCells cells_of(SweepStore& store);

/// Who is down least where everything but one axis is the same.
struct Winner {
  Row axes;          ///< Without that axis.
  std::string name;  ///< The value of that axis; "no difference" inside the spread over the seeds; "none converges".
  double downtime_ms = 0;
};

/// One for each combination of the other axes. `axis` is the index of the axis that contends.
std::vector<Winner> winners(const SweepCells& cells, std::size_t axis);

/// A value as a table and a chart show it.
std::string shown(const SqlValue& value);

}  // namespace godwit::studies
