#include "studies/spacing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "scenarios/json_reader.h"

namespace godwit::studies {
namespace {

using scenarios::Json;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<Json> spaced(const std::string& text) {
  scenarios::Issues issues("sweep.json");
  const auto node = scenarios::read_json(text, issues);
  return spaced_values(*node, issues);
}

std::string complaint(const std::string& text) {
  scenarios::Issues issues("sweep.json");
  const auto node = scenarios::read_json(text, issues);
  EXPECT_TRUE(spaced_values(*node, issues).empty());
  return issues.empty() ? "" : issues.take().front().message;
}

TEST(Spacing, LinearStepsAreEqual) {
  EXPECT_THAT(spaced(R"({"from": "1 GiB", "to": "4 GiB", "steps": 4})"),
              ElementsAre("1 GiB", "2 GiB", "3 GiB", "4 GiB"));
  EXPECT_THAT(spaced(R"({"from": 8, "to": 2, "steps": 3, "scale": "linear"})"), ElementsAre(8, 5, 2));
  EXPECT_THAT(spaced(R"({"from": "0 %", "to": "100 %", "steps": 5})"),
              ElementsAre("0 %", "25 %", "50 %", "75 %", "100 %"));
}

// The fourth root of 10^8 is 10^2, and the square root of 10 is 3.1622...
TEST(Spacing, LogStepsAreOfOneRatio) {
  EXPECT_THAT(spaced(R"({"from": "10 us", "to": "1000 s", "steps": 5, "scale": "log"})"),
              ElementsAre("10 us", "1 ms", "100 ms", "10 s", "1000 s"));
  EXPECT_THAT(spaced(R"({"from": "1 Gbit/s", "to": "10 Gbit/s", "steps": 3, "scale": "log"})"),
              ElementsAre("1 Gbit/s", "3162 Mbit/s", "10 Gbit/s"));
  EXPECT_THAT(spaced(R"({"from": 100, "to": 1, "steps": 3, "scale": "log"})"), ElementsAre(100, 10, 1));
}

// The square root of 2 is 1.41421: 1448.15 MiB, to 1/1024 of 1 GiB 1448 MiB.
TEST(Spacing, SizesAreRoundedToPowersOfTwo) {
  EXPECT_THAT(spaced(R"({"from": "1 GiB", "to": "2 GiB", "steps": 3, "scale": "log"})"),
              ElementsAre("1 GiB", "1448 MiB", "2 GiB"));
}

TEST(Spacing, EndsMustFit) {
  EXPECT_THAT(complaint(R"({"from": "1 GiB", "to": "1 s", "steps": 3})"), HasSubstr("different units"));
  EXPECT_THAT(complaint(R"({"from": 0, "to": 10, "steps": 3, "scale": "log"})"), HasSubstr("no zero"));
  EXPECT_THAT(complaint(R"({"from": "much", "to": 10, "steps": 3})"), HasSubstr("expected a quantity"));
  EXPECT_THAT(complaint(R"({"from": 1, "to": 10})"), HasSubstr("steps is missing"));
  EXPECT_THAT(complaint(R"({"from": 1, "to": 10, "steps": 3, "scale": "logg"})"), HasSubstr("log"));
}

}  // namespace
}  // namespace godwit::studies
