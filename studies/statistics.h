#pragma once

#include <algorithm>
#include <vector>

#include "base/check.h"

namespace godwit::studies {

/// Where the values of several seeds lie.
template <class T>
struct Spread {
  T median{};
  T least{};
  T most{};

  /// Some value of one may be a value of the other: no difference can be claimed.
  bool overlaps(const Spread& other) const { return least <= other.most && other.least <= most; }
  bool is_point() const { return least == most; }
};

/// The spread of `values`; of an even number of them the lower one in the middle is the median, so that it is a value
/// that was seen. Requires one at least.
template <class T>
Spread<T> spread_of(std::vector<T> values) {
  GODWIT_CHECK(!values.empty());
  std::ranges::sort(values);
  return {values[(values.size() - 1) / 2], values.front(), values.back()};
}

}  // namespace godwit::studies
