#include "sim/set_hash.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "models/prng.h"
#include "tests/support/pages.h"

namespace godwit::sim {
namespace {

TEST(SetHash, LanesAreMixedTheSameOnAnyProcessor) {
  models::Stream random(1, 2, 3, 4);
  for (int round = 0; round < 100; ++round) {
    std::array<std::uint64_t, 64> words;
    std::array<std::uint64_t, 8> start;
    for (std::uint64_t& word : words) word = random.bits(random.next());
    for (std::uint64_t& lane : start) lane = random.next();
    std::array<std::uint64_t, 8> expected = start;
    lane_mixes().front()(words.data(), expected.data());
    for (const LaneMix mix : lane_mixes()) {
      std::array<std::uint64_t, 8> lanes = start;
      mix(words.data(), lanes.data());
      ASSERT_EQ(lanes, expected);
    }
  }
}

// The hash is of the pages, not of how they came to be there; and any one page more or less, or moved, is another set.
TEST(SetHash, IsOfThePagesAlone) {
  constexpr std::uint64_t kPages = 3 * PageSet::kBlockPages + 100;
  models::Stream random(5, 6, 7, 8);
  for (int round = 0; round < 20; ++round) {
    test::Pages one(kPages), other(kPages);
    const std::uint64_t step = 1 + random.below(200);
    for (PageIndex page = random.below(step); page < kPages; page += step) one.set.add(page);
    one.set.add(PageRange{PageSet::kBlockPages, random.below(PageSet::kBlockPages + 1)});
    other.set.fill();
    for (PageIndex page = kPages; page-- > 0;)
      if (!one.set.contains(page)) other.set.remove(page);
    ASSERT_EQ(one.set, other.set);
    const std::uint64_t hash = hash_of(one.set);
    ASSERT_EQ(hash_of(other.set), hash);

    std::set<std::uint64_t> hashes{hash};
    for (PageIndex page = 0; page < kPages; page += 61) {
      const bool there = one.set.contains(page);
      there ? one.set.remove(page) : one.set.add(page);
      EXPECT_TRUE(hashes.insert(hash_of(one.set)).second) << "round " << round << ", page " << page;
    }
  }
}

}  // namespace
}  // namespace godwit::sim
