#include "live/checksum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "core/wire.h"

namespace godwit::test {
namespace {

// The instruction, in its lanes and in their rests, against the core's tables.
TEST(Checksum, IsTheCoresWhateverTheLengthAndTheAlignment) {
  std::mt19937_64 engine(20260101);
  std::vector<std::byte> bytes(3 * 8192 * 2 + 3 * 1360 + 100), copy(bytes.size());
  for (std::byte& b : bytes) b = static_cast<std::byte>(engine());
  for (const std::size_t length :
       {0, 1, 7, 8, 9, 4079, 4080, 4081, 4096, 3 * 8192 - 1, 3 * 8192, 3 * 8192 + 1, 49152 + 4080 + 13}) {
    for (const std::size_t offset : {0, 1, 5}) {
      const auto part = std::span(bytes).subspan(offset, length);
      const auto before = static_cast<std::uint32_t>(engine());
      EXPECT_EQ(live::crc32c(before, part), core::crc32c(before, part)) << length;
      std::ranges::fill(copy, std::byte{0});
      EXPECT_EQ(live::copy_crc32c(before, copy.data(), part.data(), length), core::crc32c(before, part)) << length;
      EXPECT_TRUE(std::equal(part.begin(), part.end(), copy.begin()));
      EXPECT_EQ(copy[length], std::byte{0}) << "wrote beyond the end";
    }
  }
}

}  // namespace
}  // namespace godwit::test
