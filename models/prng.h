#pragma once

#include <Random123/philox.h>

#include <array>
#include <cstdint>

#include "models/fixed_math.h"

namespace godwit::models {

/// A stream of random words for one purpose. Seeded by Philox4x64 from what the stream is for (seed, consumer, place,
/// instant), so that a draw here never shifts another's; runs as xoshiro256++ (Blackman and Vigna, public domain).
class Stream {
 public:
  Stream(std::uint64_t seed, std::uint64_t consumer, std::uint64_t place, std::uint64_t instant) {
    const r123::Philox4x64 philox;
    const r123::Philox4x64::ctr_type counter{{place, instant, 0, 0}};
    const r123::Philox4x64::key_type key{{seed, consumer}};
    const auto words = philox(counter, key);
    for (unsigned i = 0; i < 4; ++i) state_[i] = words[i];
  }

  /// One that goes on from `state`, which is not all zeroes.
  explicit Stream(const std::array<std::uint64_t, 4>& state) : state_(state) {}
  const std::array<std::uint64_t, 4>& state() const { return state_; }

  std::uint64_t next() {
    const auto rotl = [](std::uint64_t x, int k) { return x << k | x >> (64 - k); };
    const std::uint64_t result = rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotl(state_[3], 45);
    return result;
  }

  /// Uniform in [0, bound). The bias is below bound / 2^64.
  std::uint64_t below(std::uint64_t bound) { return mul_high(next(), bound); }

  /// 64 independent bits, each set with chance `p`. Compares a random fraction with `p` in all lanes at once, from the
  /// highest bit down, until every lane has decided: about eight words.
  std::uint64_t bits(Chance p) {
    std::uint64_t undecided = ~std::uint64_t{0};
    std::uint64_t set = 0;
    for (int i = 63; i >= 0 && undecided != 0; --i) {
      const std::uint64_t r = next();
      const std::uint64_t p_bit = (p >> i & 1) != 0 ? ~std::uint64_t{0} : 0;
      set |= undecided & ~r & p_bit;
      undecided &= ~(r ^ p_bit);
    }
    return set;
  }

 private:
  std::array<std::uint64_t, 4> state_;
};

/// Poisson counts of a fixed mean of at most 8, by inversion of a table of 64-bit chances, which is made as far as it is
/// needed.
class PoissonTable {
 public:
  /// Requires mean <= 8 (in parts of 2^56).
  explicit PoissonTable(Exposure mean) : mean_(mean), term_(exp_minus(mean)), sum_(term_) {}

  unsigned draw(std::uint64_t uniform) {
    unsigned k = 0;
    while ((k < size_ || extend()) && uniform >= below_[k]) ++k;
    return k;
  }

 private:
  /// One more entry; false where the table is whole.
  bool extend() {
    if (size_ == kSize || term_ == 0) return false;
    below_[size_++] = sum_;
    const u128 next = static_cast<u128>(term_) * mean_ >> kExposureBits;  // below 2^67
    term_ = next >> 64 == 0 ? static_cast<std::uint64_t>(next) / size_ : static_cast<Chance>(next / size_);
    sum_ = sum_ + term_ < sum_ ? ~Chance{0} : sum_ + term_;
    return true;
  }

  static constexpr unsigned kSize = 64;
  Exposure mean_;
  Chance term_;  // of the entry that comes next
  Chance sum_;
  unsigned size_ = 0;
  Chance below_[kSize];
};

}  // namespace godwit::models
