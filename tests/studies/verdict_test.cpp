#include <gtest/gtest.h>

#include "studies/difference.h"
#include "studies/statistics.h"

namespace godwit::studies {
namespace {

TEST(Spread, HasAMedianThatWasSeen) {
  const auto odd = spread_of(std::vector<int>{5, 1, 9});
  EXPECT_EQ(odd.median, 5);
  EXPECT_EQ(odd.least, 1);
  EXPECT_EQ(odd.most, 9);
  EXPECT_EQ(spread_of(std::vector<int>{4, 1, 3, 2}).median, 2);
}

TEST(Verdict, ClaimsNothingInsideTheSpread) {
  const Spread<int> low{2, 1, 3}, touching{4, 3, 6}, high{5, 4, 6};
  EXPECT_EQ(verdict(low, touching), Verdict::kNoneProven);
  EXPECT_EQ(verdict(low, high), Verdict::kMore);
  EXPECT_EQ(verdict(high, low), Verdict::kLess);
  EXPECT_EQ(verdict(low, low), Verdict::kNoneProven);
  EXPECT_EQ(verdict(Spread<int>{7, 7, 7}, Spread<int>{7, 7, 7}), Verdict::kSame);
}

// Copy differs by 100 ms, stop by 6 ms, commit by 4 ms: less than a twentieth of the largest is left out.
TEST(PartDifferences, AreTheOnesThatMatterLargestFirst) {
  const auto with = [](int copy, int stop, int commit) {
    StrategyFigures figures;
    figures.runs.resize(1);
    auto& parts = figures.runs[0].parts;
    parts[static_cast<std::size_t>(sim::Part::kCopy)] = std::chrono::milliseconds(copy);
    parts[static_cast<std::size_t>(sim::Part::kStop)] = std::chrono::milliseconds(stop);
    parts[static_cast<std::size_t>(sim::Part::kCommit)] = std::chrono::milliseconds(commit);
    return figures;
  };
  const auto differences = part_differences(with(150, 1, 1), with(50, 7, 5));
  ASSERT_EQ(differences.size(), 2u);
  EXPECT_EQ(differences[0], std::pair(sim::Part::kCopy, Nanos(std::chrono::milliseconds(-100))));
  EXPECT_EQ(differences[1], std::pair(sim::Part::kStop, Nanos(std::chrono::milliseconds(6))));
}

}  // namespace
}  // namespace godwit::studies
