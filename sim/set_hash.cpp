#include "sim/set_hash.h"

#include <algorithm>
#include <vector>

#include "models/intrinsics.h"

namespace godwit::sim {
namespace {

constexpr std::uint64_t kOdd = 0x9fb21c651e98df25, kOther = 0xd6e8feb86659fd93;  // any odd ones with bits all over
constexpr unsigned kLanes = 8;

constexpr std::uint64_t mixed_with(std::uint64_t hash, std::uint64_t word, std::uint64_t factor) {
  const std::uint64_t product = (hash ^ word) * factor;
  return product ^ product >> 32;
}

void mix_lanes(const std::uint64_t* words, std::uint64_t* lanes) {
  for (unsigned w = 0; w < PageSet::kBlockWords; w += kLanes)
    for (unsigned k = 0; k < kLanes; ++k) lanes[k] = mixed_with(lanes[k], words[w + k], kOdd);
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512dq"))) void mix_lanes_avx512(const std::uint64_t* words, std::uint64_t* lanes) {
  const __m512i factor = _mm512_set1_epi64(static_cast<std::int64_t>(kOdd));
  __m512i lane = _mm512_loadu_si512(lanes);
  for (unsigned w = 0; w < PageSet::kBlockWords; w += kLanes) {
    lane = _mm512_mullo_epi64(_mm512_xor_si512(lane, _mm512_loadu_si512(words + w)), factor);
    lane = _mm512_xor_si512(lane, _mm512_srli_epi64(lane, 32));
  }
  _mm512_storeu_si512(lanes, lane);
}

std::vector<LaneMix> all_lane_mixes() {
  __builtin_cpu_init();
  std::vector<LaneMix> all{&mix_lanes};
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) all.push_back(&mix_lanes_avx512);
  return all;
}
#else
std::vector<LaneMix> all_lane_mixes() { return {&mix_lanes}; }
#endif

}  // namespace

std::span<const LaneMix> lane_mixes() {
  static const std::vector<LaneMix> all = all_lane_mixes();
  return all;
}

/// The words of a block, those that are not 0, go into eight lanes in turn, so that no product waits for the one before it.
std::uint64_t hash_of(const PageSet& set) {
  const LaneMix mix = lane_mixes().back();
  std::uint64_t hash = set.count().value;
  const auto whole = [&](PageRange range) {
    hash = mixed_with(mixed_with(hash, ~range.first, kOdd), range.count, kOther);
  };
  const auto mixed = [&](const BlockWords& some) {
    hash = mixed_with(mixed_with(hash, some.block, kOdd), some.present, kOther);
    std::uint64_t lanes[kLanes];
    for (unsigned k = 0; k < kLanes; ++k) lanes[k] = hash + k * kOther;
    unsigned n = 0;
    if (some.present == ~std::uint64_t{0}) {
      mix(some.words, lanes);
      n = PageSet::kBlockWords;
    } else {
      for_each_bit(some.present, [&](unsigned w) {
        lanes[n % kLanes] = mixed_with(lanes[n % kLanes], some.words[w], kOdd);
        ++n;
      });
    }
    for (unsigned k = 0; k < std::min(n, kLanes); ++k) hash = mixed_with(hash, lanes[k], kOther);
  };
  set.for_each_piece(whole, mixed);
  return hash;
}

}  // namespace godwit::sim
