#include "sim/page_kernels.h"

#include <bit>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#ifndef __clang__
// Its own header leaves registers undefined on purpose: GCC bug 105593.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#endif

namespace godwit::sim {

#if defined(__x86_64__)
namespace {

// Every x86 processor since 2009 counts bits; AVX-512 with VPOPCNTDQ counts eight words at once.

__attribute__((target("popcnt"))) std::uint64_t merge_popcnt(std::uint64_t* into, const std::uint64_t* from,
                                                             std::uint64_t which) {
  std::uint64_t added = 0;
  for (; which != 0; which &= which - 1) {
    const auto w = static_cast<unsigned>(std::countr_zero(which));
    added += static_cast<unsigned>(__builtin_popcountll(from[w] & ~into[w]));
    into[w] |= from[w];
  }
  return added;
}

__attribute__((target("popcnt"))) std::uint64_t subtract_popcnt(std::uint64_t* from, const std::uint64_t* what,
                                                                std::uint64_t which, std::uint64_t& present) {
  std::uint64_t gone = 0;
  std::uint64_t emptied = 0;
  for (; which != 0; which &= which - 1) {
    const auto w = static_cast<unsigned>(std::countr_zero(which));
    gone += static_cast<unsigned>(__builtin_popcountll(from[w] & what[w]));
    from[w] &= ~what[w];
    if (from[w] == 0) emptied |= std::uint64_t{1} << w;
  }
  present &= ~emptied;
  return gone;
}

#define GODWIT_AVX512 "avx512f,avx512vpopcntdq,popcnt"

// Words that `which` does not name are 0 in `from` and `what`, and so change nothing. A few words are done sooner one by
// one than all in eights.

constexpr int kFewWords = 8;

__attribute__((target(GODWIT_AVX512))) std::uint64_t merge_avx512(std::uint64_t* into, const std::uint64_t* from,
                                                                  std::uint64_t which) {
  if (__builtin_popcountll(which) <= kFewWords) return merge_popcnt(into, from, which);
  __m512i added = _mm512_setzero_si512();
  for (int i = 0; i < 64; i += 8) {
    const __m512i old = _mm512_loadu_si512(into + i);
    const __m512i more = _mm512_loadu_si512(from + i);
    added = _mm512_add_epi64(added, _mm512_popcnt_epi64(_mm512_andnot_si512(old, more)));
    _mm512_storeu_si512(into + i, _mm512_or_si512(old, more));
  }
  return static_cast<std::uint64_t>(_mm512_reduce_add_epi64(added));
}

__attribute__((target(GODWIT_AVX512))) std::uint64_t subtract_avx512(std::uint64_t* from, const std::uint64_t* what,
                                                                     std::uint64_t which, std::uint64_t& present) {
  if (__builtin_popcountll(which) <= kFewWords) return subtract_popcnt(from, what, which, present);
  __m512i gone = _mm512_setzero_si512();
  std::uint64_t left = 0;
  for (int i = 0; i < 64; i += 8) {
    const __m512i old = _mm512_loadu_si512(from + i);
    const __m512i less = _mm512_loadu_si512(what + i);
    gone = _mm512_add_epi64(gone, _mm512_popcnt_epi64(_mm512_and_si512(old, less)));
    const __m512i rest = _mm512_andnot_si512(less, old);
    left |= std::uint64_t{_mm512_test_epi64_mask(rest, rest)} << i;
    _mm512_storeu_si512(from + i, rest);
  }
  present &= left;
  return static_cast<std::uint64_t>(_mm512_reduce_add_epi64(gone));
}

std::vector<PageKernels> all_kernels() {
  __builtin_cpu_init();
  std::vector<PageKernels> all{kPlainKernels};
  if (__builtin_cpu_supports("popcnt")) all.push_back({&merge_popcnt, &subtract_popcnt});
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vpopcntdq"))
    all.push_back({&merge_avx512, &subtract_avx512});
  return all;
}

}  // namespace
#else
namespace {

std::vector<PageKernels> all_kernels() { return {kPlainKernels}; }

}  // namespace
#endif

std::span<const PageKernels> page_kernels() {
  static const std::vector<PageKernels> all = all_kernels();
  return all;
}

}  // namespace godwit::sim
