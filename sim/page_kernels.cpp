#include "sim/page_kernels.h"

#include <vector>

#include "models/intrinsics.h"

namespace godwit::sim {

#if defined(__x86_64__)
namespace {

// AVX-512 with VPOPCNTDQ counts eight words at once. Words that `which` does not name are 0 in `from` and `what`, and so change
// nothing. A few words are done sooner one by one than all in eights.

constexpr unsigned kFewWords = 8;

__attribute__((target("avx512f,avx512vpopcntdq"))) std::uint64_t merge_avx512(std::uint64_t* into,
                                                                              const std::uint64_t* from,
                                                                              std::uint64_t which) {
  if (popcount(which) <= kFewWords) return plain_kernels::merge(into, from, which);
  __m512i added = _mm512_setzero_si512();
  for (int i = 0; i < 64; i += 8) {
    const __m512i old = _mm512_loadu_si512(into + i);
    const __m512i more = _mm512_loadu_si512(from + i);
    added = _mm512_add_epi64(added, _mm512_popcnt_epi64(_mm512_andnot_si512(old, more)));
    _mm512_storeu_si512(into + i, _mm512_or_si512(old, more));
  }
  return static_cast<std::uint64_t>(_mm512_reduce_add_epi64(added));
}

__attribute__((target("avx512f,avx512vpopcntdq"))) std::uint64_t subtract_avx512(std::uint64_t* from,
                                                                                 const std::uint64_t* what,
                                                                                 std::uint64_t which,
                                                                                 std::uint64_t& present) {
  if (popcount(which) <= kFewWords) return plain_kernels::subtract(from, what, which, present);
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

constexpr std::ptrdiff_t kEight = 8;

/// Of eight runs that `eight_in_a_row` is true of.
__attribute__((target("avx512f"))) inline __m512i eight_masks(const PageRun* runs) {
  const __m512i odd = _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15);
  return _mm512_permutex2var_epi64(_mm512_loadu_si512(runs), odd, _mm512_loadu_si512(runs + 4));
}

/// Whether there are eight masks of words in a row, all of `block`.
__attribute__((target("avx512f"))) inline bool eight_in_a_row(std::uint64_t block, const PageRun* runs,
                                                              const PageRun* end) {
  if (end - runs < kEight || !runs[kEight - 1].is_mask_in(block, plain_kernels::kBlockShift)) return false;
  const __m512i even = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
  const __m512i ups = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
  const __m512i words = _mm512_permutex2var_epi64(_mm512_loadu_si512(runs), even, _mm512_loadu_si512(runs + 4));
  const __m512i wanted = _mm512_add_epi64(_mm512_broadcastq_epi64(_mm512_castsi512_si128(words)), ups);
  return _mm512_cmpeq_epi64_mask(words, wanted) == 0xff;
}

__attribute__((target("avx512f,avx512vpopcntdq"))) std::uint64_t merge_runs_avx512(
    std::uint64_t* into, std::uint64_t block, const PageRun*& run, const PageRun* end, std::uint64_t& present) {
  __m512i added = _mm512_setzero_si512();
  std::uint64_t scattered = 0;
  while (run != end && run->is_mask_in(block, plain_kernels::kBlockShift)) {
    if (!eight_in_a_row(block, run, end)) {
      scattered += plain_kernels::merge_runs(into, block, run, end - run > kEight ? run + kEight : end, present);
      continue;
    }
    const std::uint64_t w = run->word() % 64;
    const __m512i old = _mm512_loadu_si512(into + w);
    const __m512i more = eight_masks(run);
    added = _mm512_add_epi64(added, _mm512_popcnt_epi64(_mm512_andnot_si512(old, more)));
    _mm512_storeu_si512(into + w, _mm512_or_si512(old, more));
    present |= std::uint64_t{0xff} << w;
    run += kEight;
  }
  return scattered + static_cast<std::uint64_t>(_mm512_reduce_add_epi64(added));
}

__attribute__((target("avx512f,avx512vpopcntdq"))) std::uint64_t subtract_runs_avx512(
    std::uint64_t* from, std::uint64_t block, const PageRun*& run, const PageRun* end, std::uint64_t& present) {
  __m512i gone = _mm512_setzero_si512();
  std::uint64_t scattered = 0;
  while (run != end && run->is_mask_in(block, plain_kernels::kBlockShift)) {
    if (!eight_in_a_row(block, run, end)) {
      scattered += plain_kernels::subtract_runs(from, block, run, end - run > kEight ? run + kEight : end, present);
      continue;
    }
    const std::uint64_t w = run->word() % 64;
    const __m512i old = _mm512_loadu_si512(from + w);
    const __m512i less = eight_masks(run);
    gone = _mm512_add_epi64(gone, _mm512_popcnt_epi64(_mm512_and_si512(old, less)));
    const __m512i rest = _mm512_andnot_si512(less, old);
    present &= ~(std::uint64_t{_mm512_testn_epi64_mask(rest, rest)} << w);
    _mm512_storeu_si512(from + w, rest);
    run += kEight;
  }
  return scattered + static_cast<std::uint64_t>(_mm512_reduce_add_epi64(gone));
}

std::vector<PageKernels> all_kernels() {
  __builtin_cpu_init();
  std::vector<PageKernels> all{kPlainKernels};
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vpopcntdq"))
    all.push_back({&merge_avx512, &subtract_avx512, &merge_runs_avx512, &subtract_runs_avx512});
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
