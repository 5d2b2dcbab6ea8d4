#include "scenarios/quantity.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <regex>

namespace godwit::scenarios {
namespace {

std::uint64_t value(Dimension dimension, const char* text) {
  const auto result = parse_quantity(dimension, text);
  if (const auto* error = std::get_if<QuantityError>(&result)) {
    ADD_FAILURE() << text << ": " << error->what;
    return 0;
  }
  return std::get<std::uint64_t>(result);
}

bool refused(Dimension dimension, const char* text) {
  return std::holds_alternative<QuantityError>(parse_quantity(dimension, text));
}

TEST(Quantity, IecPrefixesArePowersOfTwoAndSiPrefixesOfTen) {
  EXPECT_EQ(value(Dimension::kBytes, "4 GiB"), 4ull << 30);
  EXPECT_EQ(value(Dimension::kBytes, "4GiB"), 4ull << 30);
  EXPECT_EQ(value(Dimension::kBytes, "1.5 MiB"), 3ull << 19);
  EXPECT_EQ(value(Dimension::kBytes, "4 GB"), 4'000'000'000ull);
  EXPECT_EQ(value(Dimension::kRate, "10 Gbit/s"), 10'000'000'000ull);
  EXPECT_EQ(value(Dimension::kTime, "0.5 s"), 500'000'000ull);
  EXPECT_EQ(value(Dimension::kTime, "50 us"), 50'000ull);
  EXPECT_EQ(value(Dimension::kWriteRate, "20000 pages/s"), 20'000ull);
  EXPECT_EQ(value(Dimension::kShare, "25 %"), 1ull << 30);
}

TEST(Quantity, RefusesWhatIsNotOne) {
  for (const char* text : {"", "4", "GiB", "4 gib/s", "-1 GiB", "1e3 GiB", "4 GiB x", "0x10 B", "nan s", "1,5 s"}) {
    EXPECT_TRUE(refused(Dimension::kBytes, text)) << text;
    EXPECT_TRUE(refused(Dimension::kTime, text)) << text;
  }
  EXPECT_TRUE(refused(Dimension::kBytes, "0.3 B"));
  EXPECT_TRUE(refused(Dimension::kTime, "0.1 ns"));
  EXPECT_TRUE(refused(Dimension::kBytes, "99999999999 TiB"));
}

RC_GTEST_PROP(Quantity, ReadsWhatItWrites, (std::uint64_t number)) {
  for (const Dimension dimension : {Dimension::kBytes, Dimension::kRate, Dimension::kTime, Dimension::kWriteRate}) {
    const std::uint64_t limited = number >> 2;
    const std::string text = format_quantity(dimension, limited);
    const auto read = parse_quantity(dimension, text);
    if (std::holds_alternative<QuantityError>(read)) continue;  // more digits than a text may have
    RC_ASSERT(std::get<std::uint64_t>(read) == limited);
    RC_ASSERT(std::regex_match(text, std::regex(quantity_pattern(dimension))));
  }
}

}  // namespace
}  // namespace godwit::scenarios
