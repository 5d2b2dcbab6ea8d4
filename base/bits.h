#pragma once

#include <bit>
#include <cstdint>

namespace godwit {

/// How many bits of `word` are set. For a processor that may lack the instruction a compiler calls its library for
/// std::popcount, one table look-up for each byte; this is twelve operations in line (Warren, Hacker's Delight, 5-1).
constexpr unsigned popcount(std::uint64_t word) {
#ifdef __POPCNT__
  return static_cast<unsigned>(std::popcount(word));
#else
  word -= word >> 1 & 0x5555555555555555;
  word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
  word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
  return static_cast<unsigned>(word * 0x0101010101010101 >> 56);
#endif
}

/// Calls `visit(i)` for every bit i of `word`, ascending.
template <class Visit>
constexpr void for_each_bit(std::uint64_t word, Visit&& visit) {
  for (; word != 0; word &= word - 1) visit(static_cast<unsigned>(std::countr_zero(word)));
}

/// The place of the `n`-th bit of `word` that is set, from 0 on. Requires popcount(word) > n.
constexpr unsigned nth_bit(std::uint64_t word, std::uint64_t n) {
  for (; n > 0; --n) word &= word - 1;
  return static_cast<unsigned>(std::countr_zero(word));
}

/// Bits first ... end - 1. Requires first <= end <= 64.
constexpr std::uint64_t bits_between(std::uint64_t first, std::uint64_t end) {
  return first == end ? 0 : (~std::uint64_t{0} << first) & (~std::uint64_t{0} >> (64 - end));
}

}  // namespace godwit
