#include "models/block_bits.h"

#include <array>
#include <vector>

#include "base/check.h"

#if defined(__x86_64__)
#include <immintrin.h>
#ifndef __clang__
// Its own header leaves registers undefined on purpose: GCC bug 105593.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#endif

namespace godwit::models {
namespace {

using Out = BlockBits::Out;

/// The states of the streams of all places, word by word.
struct States {
  alignas(64) std::uint64_t words[4][BlockBits::kPlaces];
};

using Draw = void (*)(const States& states, Chance p, unsigned places, unsigned words, Out& out);

void draw_plain(const States& states, Chance p, unsigned places, unsigned words, Out& out) {
  for (unsigned i = 0; i < places; ++i) {
    const std::array<std::uint64_t, 4> state{states.words[0][i], states.words[1][i], states.words[2][i],
                                             states.words[3][i]};
    Stream stream(state);
    for (unsigned k = 0; k < words; ++k) out[i][k] = stream.bits(p);
  }
}

#if defined(__x86_64__)

// Stream::bits, lane by lane. A lane whose 64 bits are decided keeps its state until all lanes are through.

__attribute__((target("avx512f"))) void draw_avx512(const States& states, Chance p, unsigned, unsigned words,
                                                    Out& out) {
  __m512i s0 = _mm512_load_si512(states.words[0]);
  __m512i s1 = _mm512_load_si512(states.words[1]);
  __m512i s2 = _mm512_load_si512(states.words[2]);
  __m512i s3 = _mm512_load_si512(states.words[3]);
  alignas(64) std::uint64_t sets[BlockBits::kPlaces];
  for (unsigned k = 0; k < words; ++k) {
    __m512i undecided = _mm512_set1_epi64(-1);
    __m512i set = _mm512_setzero_si512();
    __mmask8 active = 0xff;
    for (int i = 63; i >= 0 && active != 0; --i) {
      const __m512i r = _mm512_add_epi64(_mm512_rol_epi64(_mm512_add_epi64(s0, s3), 23), s0);
      const __m512i t = _mm512_slli_epi64(s1, 17);
      const __m512i x2 = _mm512_xor_si512(s2, s0);
      const __m512i x3 = _mm512_xor_si512(s3, s1);
      s1 = _mm512_mask_xor_epi64(s1, active, s1, x2);
      s0 = _mm512_mask_xor_epi64(s0, active, s0, x3);
      s2 = _mm512_mask_xor_epi64(s2, active, x2, t);
      s3 = _mm512_mask_rol_epi64(s3, active, x3, 45);
      if ((p >> i & 1) != 0) {
        set = _mm512_or_si512(set, _mm512_andnot_si512(r, undecided));
        undecided = _mm512_and_si512(undecided, r);
      } else {
        undecided = _mm512_andnot_si512(r, undecided);
      }
      active = _mm512_test_epi64_mask(undecided, undecided);
    }
    _mm512_store_si512(sets, set);
    for (unsigned i = 0; i < BlockBits::kPlaces; ++i) out[i][k] = sets[i];
  }
}

__attribute__((target("avx2"))) inline __m256i rotated(__m256i x, int k) {
  return _mm256_or_si256(_mm256_slli_epi64(x, k), _mm256_srli_epi64(x, 64 - k));
}

__attribute__((target("avx2"))) void draw_avx2(const States& states, Chance p, unsigned places, unsigned words,
                                               Out& out) {
  for (unsigned first = 0; first < places; first += 4) {
    const auto& in = states.words;
    __m256i s0 = _mm256_load_si256(reinterpret_cast<const __m256i*>(in[0] + first));
    __m256i s1 = _mm256_load_si256(reinterpret_cast<const __m256i*>(in[1] + first));
    __m256i s2 = _mm256_load_si256(reinterpret_cast<const __m256i*>(in[2] + first));
    __m256i s3 = _mm256_load_si256(reinterpret_cast<const __m256i*>(in[3] + first));
    alignas(32) std::uint64_t sets[4];
    for (unsigned k = 0; k < words; ++k) {
      __m256i undecided = _mm256_set1_epi64x(-1);
      __m256i set = _mm256_setzero_si256();
      for (int i = 63; i >= 0 && _mm256_testz_si256(undecided, undecided) == 0; --i) {
        const __m256i decided = _mm256_cmpeq_epi64(undecided, _mm256_setzero_si256());
        const __m256i r = _mm256_add_epi64(rotated(_mm256_add_epi64(s0, s3), 23), s0);
        const __m256i t = _mm256_slli_epi64(s1, 17);
        const __m256i x2 = _mm256_xor_si256(s2, s0);
        const __m256i x3 = _mm256_xor_si256(s3, s1);
        s1 = _mm256_xor_si256(s1, _mm256_andnot_si256(decided, x2));
        s0 = _mm256_xor_si256(s0, _mm256_andnot_si256(decided, x3));
        s2 = _mm256_blendv_epi8(_mm256_xor_si256(x2, t), s2, decided);
        s3 = _mm256_blendv_epi8(rotated(x3, 45), s3, decided);
        if ((p >> i & 1) != 0) {
          set = _mm256_or_si256(set, _mm256_andnot_si256(r, undecided));
          undecided = _mm256_and_si256(undecided, r);
        } else {
          undecided = _mm256_andnot_si256(r, undecided);
        }
      }
      _mm256_store_si256(reinterpret_cast<__m256i*>(sets), set);
      for (unsigned i = 0; i < 4; ++i) out[first + i][k] = sets[i];
    }
  }
}

std::vector<Draw> all_variants() {
  __builtin_cpu_init();
  std::vector<Draw> variants{&draw_plain};
  if (__builtin_cpu_supports("avx2")) variants.push_back(&draw_avx2);
  if (__builtin_cpu_supports("avx512f")) variants.push_back(&draw_avx512);
  return variants;
}
#else
std::vector<Draw> all_variants() { return {&draw_plain}; }
#endif

const std::vector<Draw>& variants_here() {
  static const std::vector<Draw> variants = all_variants();
  return variants;
}

}  // namespace

unsigned BlockBits::variants() { return static_cast<unsigned>(variants_here().size()); }

void BlockBits::draw_by(unsigned variant, std::uint64_t first_place, unsigned places, unsigned words, Out& out) const {
  GODWIT_CHECK(places <= kPlaces && words <= kWords);
  States states;
  for (unsigned i = 0; i < kPlaces; ++i) {
    const Stream stream(seed, consumer, first_place + (i < places ? i : 0), instant);
    for (unsigned w = 0; w < 4; ++w) states.words[w][i] = stream.state()[w];
  }
  variants_here()[variant](states, p, places, words, out);
}

}  // namespace godwit::models
