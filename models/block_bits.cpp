#include "models/block_bits.h"

#include <array>
#include <vector>

#include "base/check.h"
#include "models/intrinsics.h"

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
    out.present[i] = 0;
    for (unsigned k = 0; k < words; ++k) {
      out.words[i][k] = stream.bits(p);
      out.present[i] |= std::uint64_t{out.words[i][k] != 0} << k;
    }
  }
}

#if defined(__x86_64__)

/// Word `first` + i of all places is in eight[i]: stores them place by place.
__attribute__((target("avx512f"))) inline void store_turned(const __m512i (&eight)[8], unsigned first, Out& out) {
  const __m512i up_low = _mm512_setr_epi64(0, 8, 2, 10, 4, 12, 6, 14),
                up_high = _mm512_setr_epi64(1, 9, 3, 11, 5, 13, 7, 15);
  const __m512i two_low = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13),
                two_high = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
  const __m512i four_low = _mm512_setr_epi64(0, 1, 2, 3, 8, 9, 10, 11),
                four_high = _mm512_setr_epi64(4, 5, 6, 7, 12, 13, 14, 15);
  __m512i a[8], b[8];
  for (unsigned i = 0; i < 8; i += 2) {
    a[i] = _mm512_permutex2var_epi64(eight[i], up_low, eight[i + 1]);
    a[i + 1] = _mm512_permutex2var_epi64(eight[i], up_high, eight[i + 1]);
  }
  for (unsigned i = 0; i < 8; i += 4) {
    for (unsigned j = 0; j < 2; ++j) {
      b[i + j] = _mm512_permutex2var_epi64(a[i + j], two_low, a[i + j + 2]);
      b[i + j + 2] = _mm512_permutex2var_epi64(a[i + j], two_high, a[i + j + 2]);
    }
  }
  for (unsigned j = 0; j < 4; ++j) {
    _mm512_storeu_si512(&out.words[j][first], _mm512_permutex2var_epi64(b[j], four_low, b[j + 4]));
    _mm512_storeu_si512(&out.words[j + 4][first], _mm512_permutex2var_epi64(b[j], four_high, b[j + 4]));
  }
}

// Stream::bits, lane by lane. A lane whose 64 bits are decided keeps its state until all lanes are through.

__attribute__((target("avx512f"))) void draw_avx512(const States& states, Chance p, unsigned, unsigned words,
                                                    Out& out) {
  __m512i s0 = _mm512_load_si512(states.words[0]);
  __m512i s1 = _mm512_load_si512(states.words[1]);
  __m512i s2 = _mm512_load_si512(states.words[2]);
  __m512i s3 = _mm512_load_si512(states.words[3]);
  __m512i present = _mm512_setzero_si512();
  __m512i eight[8] = {};
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
    const __m512i bit = _mm512_set1_epi64(static_cast<std::int64_t>(std::uint64_t{1} << k));
    present = _mm512_mask_or_epi64(present, _mm512_test_epi64_mask(set, set), present, bit);
    eight[k % 8] = set;
    if (k % 8 == 7 || k + 1 == words) store_turned(eight, k / 8 * 8, out);
  }
  _mm512_storeu_si512(out.present, present);
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
    for (unsigned i = 0; i < 4; ++i) out.present[first + i] = 0;
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
      for (unsigned i = 0; i < 4; ++i) {
        out.words[first + i][k] = sets[i];
        out.present[first + i] |= std::uint64_t{sets[i] != 0} << k;
      }
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
