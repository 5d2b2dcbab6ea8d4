#include "studies/dirty_samples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "tests/support/command.h"

namespace godwit::studies {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

DirtySamples published() {
  return std::get<DirtySamples>(load_samples(std::string(GODWIT_SOURCE_DIR) + "/scenarios/curves/gudkov_2023.json"));
}

BitsPerSecond megabits(std::uint64_t n) { return {n * 1'000'000}; }

// The table of the cover letter (qemu-devel, 28 February 2023): seconds, rounded up; -1 where it has "-".
TEST(Gudkov2023, GivesThePublishedTable) {
  const DirtySamples samples = published();
  const std::array<Nanos, 6> limits{milliseconds(125),  milliseconds(250),  milliseconds(500),
                                    milliseconds(1000), milliseconds(5000), kNever};
  const std::vector<std::pair<std::uint64_t, std::array<int, 6>>> table{{100, {-1, -1, -1, -1, -1, 16 * 60 + 59}},
                                                                        {1'000, {-1, -1, -1, -1, -1, 100}},
                                                                        {2'000, {-1, -1, -1, -1, 101, 50}},
                                                                        {2'500, {-1, -1, -1, -1, 67, 40}},
                                                                        {5'000, {48, 46, 31, 28, 25, 20}},
                                                                        {10'000, {13, 12, 12, 12, 12, 10}},
                                                                        {25'000, {5, 5, 5, 5, 4, 4}},
                                                                        {40'000, {3, 3, 3, 3, 3, 3}}};
  for (const auto& [bandwidth, seconds] : table)
    for (std::size_t i = 0; i < limits.size(); ++i) {
      const auto found = gudkov_2023(samples, megabits(bandwidth), limits[i]);
      const auto shown = found ? (found->total.count() + 999'999'999) / 1'000'000'000 : -1;
      EXPECT_EQ(shown, seconds[i]) << bandwidth << " Mbit/s, " << limits[i].count() << " ns";
    }
}

// Two pages of 4 KiB, one of them zero, at 1 Gbit/s = 134,217.728 bytes/ms: 4104 + 8 bytes in 0.0306 ms.
TEST(Gudkov2023, TheFirstRoundSendsZeroPagesAsHeaders) {
  const DirtySamples samples{
      .pages = {2}, .sampled = {2}, .zero = {1}, .points = {{milliseconds(1), {0}}, {milliseconds(2), {0}}}};
  const auto found = gudkov_2023(samples, megabits(1000), milliseconds(1));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->rounds, 1u);
  EXPECT_EQ(found->total.count(), 30'637);  // 4112 / 134217.728 ms = 0.0306368 ms
}

TEST(DirtySamples, SaysWhatIsWrong) {
  const test::Folder folder;
  const auto complaint = [&](const std::string& text) {
    const auto loaded = load_samples(folder.file("curve.json", text));
    const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&loaded);
    return issues ? issues->front().message : "nothing";
  };
  const std::string sizes = R"("pages": 10, "sampled_pages": 10, )";
  EXPECT_THAT(complaint("{" + sizes + R"("dirty": [["1 s", 1], ["2 s", 2]]})"), "nothing");
  EXPECT_THAT(complaint("{" + sizes + R"("dirty": [["2 s", 1], ["1 s", 2]]})"), HasSubstr("a longer period"));
  EXPECT_THAT(complaint("{" + sizes + R"("dirty": [["2 s", 1]]})"), HasSubstr("two [period, pages]"));
  EXPECT_THAT(complaint(R"({"pages": 1, "sampled_pages": 10, "dirty": [["1 s", 1], ["2 s", 2]]})"),
              HasSubstr("sampled_pages <= pages"));
}

}  // namespace
}  // namespace godwit::studies
