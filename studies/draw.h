#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>

#include "base/check.h"
#include "models/prng.h"

namespace godwit::studies {

/// Random choices, from one stream that nothing else draws from.
class Draw {
 public:
  Draw(std::uint64_t seed, std::uint64_t consumer) : stream_(seed, consumer, 0, 0) {}

  /// Uniform in [0, bound). Requires bound > 0.
  std::uint64_t below(std::uint64_t bound) { return stream_.below(bound); }
  /// Uniform in [least, most].
  std::uint64_t between(std::uint64_t least, std::uint64_t most) { return least + below(most - least + 1); }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

  /// From `least` to `most`, each doubling as likely as any other. Requires 0 < least <= most.
  std::uint64_t scaled(std::uint64_t least, std::uint64_t most) {
    GODWIT_CHECK(0 < least && least <= most);
    const std::uint64_t low = least << below(static_cast<unsigned>(std::bit_width(most / least)));
    return between(low, std::min(most, 2 * low - 1));
  }

  template <class T>
  T pick(std::initializer_list<T> from) {
    return from.begin()[below(from.size())];
  }
  template <class List>
  const auto& pick(const List& from) {
    return from[below(std::size(from))];
  }

 private:
  models::Stream stream_;
};

}  // namespace godwit::studies
