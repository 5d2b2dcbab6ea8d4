#include "core/delta_cache.h"

#include <gtest/gtest.h>

#include <vector>

namespace godwit::core {
namespace {

TEST(DeltaCache, HasWhatItKept) {
  std::vector<DeltaCache::Slot> slots(8);
  DeltaCache cache(slots);
  EXPECT_FALSE(cache.use(3, 1));
  cache.keep(3, 1);
  EXPECT_TRUE(cache.use(3, 2));
  EXPECT_FALSE(cache.use(4, 2));
}

// Pages 3 and 11 share a slot of eight. Page 3 was used in round 5, so it stays in rounds 5 and 6, and goes in round 7.
TEST(DeltaCache, APageUsedALittleWhileAgoKeepsItsPlace) {
  std::vector<DeltaCache::Slot> slots(8);
  DeltaCache cache(slots);
  cache.keep(3, 4);
  EXPECT_TRUE(cache.use(3, 5));
  cache.keep(11, 6);
  EXPECT_FALSE(cache.use(11, 6));
  cache.keep(11, 7);
  EXPECT_TRUE(cache.use(11, 7));
  EXPECT_FALSE(cache.use(3, 7));
}

TEST(DeltaCache, WithoutSlotsItIsOff) { EXPECT_FALSE(DeltaCache({}).on()); }

}  // namespace
}  // namespace godwit::core
