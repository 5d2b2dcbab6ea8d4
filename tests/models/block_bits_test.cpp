#include "models/block_bits.h"

#include <gtest/gtest.h>

namespace godwit::models {
namespace {

// The oracle is the stream itself, one word after another.
TEST(BlockBits, AreWhatTheStreamsGiveOneByOneOnAnyProcessor) {
  constexpr Chance kChances[] = {
      0, 1, Chance{1} << 32, Chance{1} << 60, Chance{1} << 63, 0x9249249249249249, ~Chance{0} - 1, ~Chance{0}};
  for (const Chance p : kChances) {
    const BlockBits bits{.seed = 7, .consumer = 3, .instant = 11, .p = p};
    for (unsigned places = 1; places <= BlockBits::kPlaces; ++places) {
      const unsigned words = places == 5 ? 17 : BlockBits::kWords;
      std::uint64_t expected[BlockBits::kPlaces][BlockBits::kWords];
      for (unsigned i = 0; i < places; ++i) {
        Stream stream(7, 3, 100 + i, 11);
        for (unsigned k = 0; k < words; ++k) expected[i][k] = stream.bits(p);
      }
      for (unsigned variant = 0; variant <= BlockBits::variants(); ++variant) {
        BlockBits::Out drawn;
        if (variant < BlockBits::variants())
          bits.draw_by(variant, 100, places, words, drawn);
        else
          bits.draw(100, places, words, drawn);
        for (unsigned i = 0; i < places; ++i) {
          std::uint64_t present = 0;
          for (unsigned k = 0; k < words; ++k) {
            present |= std::uint64_t{expected[i][k] != 0} << k;
            ASSERT_EQ(drawn.words[i][k], expected[i][k])
                << "variant " << variant << ", chance " << p << ", place " << i;
          }
          ASSERT_EQ(drawn.present[i], present) << "variant " << variant << ", chance " << p << ", place " << i;
        }
      }
    }
  }
}

}  // namespace
}  // namespace godwit::models
