#pragma once

#include <cstdint>

#include "models/prng.h"

namespace godwit::models {

/// Up to eight neighbouring places at a time, each with a stream of its own: out.words[i][k] is what the k-th call of
/// Stream(seed, consumer, first_place + i, instant).bits(p) gives, for k < words. The processor works on as many of them
/// side by side as it can; the bits are the same.
struct BlockBits {
  static constexpr unsigned kPlaces = 8;
  static constexpr unsigned kWords = 64;

  std::uint64_t seed, consumer, instant;
  Chance p;

  struct Out {
    std::uint64_t words[kPlaces][kWords];
    std::uint64_t present[kPlaces];  ///< Bit k: words[i][k] is not 0.
  };

  /// Requires places <= kPlaces and words <= kWords.
  void draw(std::uint64_t first_place, unsigned places, unsigned words, Out& out) const {
    draw_by(places == 1 ? 0 : variants() - 1, first_place, places, words, out);
  }

  /// In how many ways this processor can do it, the plainest first and the fastest last; and each of them.
  static unsigned variants();
  void draw_by(unsigned variant, std::uint64_t first_place, unsigned places, unsigned words, Out& out) const;
};

}  // namespace godwit::models
