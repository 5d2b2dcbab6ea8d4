#include "sim/page_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "models/prng.h"

namespace godwit::sim {
namespace {

using Words = std::array<std::uint64_t, 64>;

/// The words of `which`, in a row or in any order.
std::vector<PageRun> masks_of(const Words& words, std::uint64_t which, models::Stream& random) {
  std::vector<PageRun> masks;
  for_each_bit(which, [&](unsigned w) { masks.push_back(PageRun::of_word(64 * 5 + w, words[w])); });
  if (masks.size() > 1 && random.below(2) == 0) std::swap(masks[random.below(masks.size())], masks.front());
  if (random.below(4) == 0) std::ranges::reverse(masks);
  return masks;
}

/// Words of all densities, a third of them 0 or none of them, and which are not.
std::pair<Words, std::uint64_t> some_words(models::Stream& random) {
  Words words;
  std::uint64_t present = 0;
  const bool gaps = random.below(2) == 0;
  for (unsigned w = 0; w < 64; ++w) {
    words[w] = gaps && random.below(3) == 0 ? 0 : random.bits(random.next());
    if (words[w] != 0) present |= std::uint64_t{1} << w;
  }
  return {words, present};
}

// The oracle is word by word and bit by bit.
TEST(PageKernels, DoTheSameOnAnyProcessor) {
  models::Stream random(1, 2, 3, 4);
  for (int round = 0; round < 500; ++round) {
    const auto [here, here_present] = some_words(random);
    const auto [there, which] = some_words(random);
    Words both, rest;
    std::uint64_t added = 0, gone = 0, left = 0;
    for (unsigned w = 0; w < 64; ++w) {
      both[w] = here[w] | there[w];
      rest[w] = here[w] & ~there[w];
      if (rest[w] != 0) left |= std::uint64_t{1} << w;
      for (unsigned bit = 0; bit < 64; ++bit) {
        added += (both[w] >> bit & 1) - (here[w] >> bit & 1);
        gone += (here[w] >> bit & 1) - (rest[w] >> bit & 1);
      }
    }
    std::vector<PageRun> masks = masks_of(there, which, random);
    const std::size_t count = masks.size();
    if (random.below(2) == 0) masks.push_back(PageRun::of_word(6 * 64, 1));  // of another block, and so not touched
    for (const PageKernels& kernels : page_kernels()) {
      Words words = here;
      ASSERT_EQ(kernels.merge(words.data(), there.data(), which), added);
      ASSERT_EQ(words, both);
      words = here;
      std::uint64_t present = here_present;
      ASSERT_EQ(kernels.subtract(words.data(), there.data(), which, present), gone);
      ASSERT_EQ(words, rest);
      ASSERT_EQ(present, left);
      words = here;
      present = here_present;
      const PageRun* run = masks.data();
      ASSERT_EQ(kernels.merge_runs(words.data(), 5, run, &masks.back() + 1, present), added);
      ASSERT_EQ(run, masks.data() + count);
      ASSERT_EQ(words, both);
      ASSERT_EQ(present, here_present | which);
      words = here;
      present = here_present;
      run = masks.data();
      ASSERT_EQ(kernels.subtract_runs(words.data(), 5, run, &masks.back() + 1, present), gone);
      ASSERT_EQ(run, masks.data() + count);
      ASSERT_EQ(words, rest);
      ASSERT_EQ(present, left);
    }
  }
}

}  // namespace
}  // namespace godwit::sim
