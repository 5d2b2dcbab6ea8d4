#include "workloads/workload.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tests/support/pages.h"

// Deterministic workloads are compared with arithmetic page for page; memoryless ones with their expectation over many
// seeds, at four standard errors (a false alarm in 16,000 runs; the seeds are fixed, so green stays green).
namespace godwit::workloads {
namespace {

using namespace std::chrono_literals;

constexpr PageRange kAll{0, 16384};
constexpr Bytes kPage{4096};
constexpr int kSeeds = 2000;

std::set<PageIndex> written(const Workload& workload, Nanos from, Nanos to) {
  std::vector<PageRun> runs;
  workload.writes(kAll, from, to, [&](const PageRun& run) { runs.push_back(run); });
  const std::vector<PageIndex> pages = test::pages_of(runs);
  return {pages.begin(), pages.end()};
}

Workload make(const Options& options, std::uint64_t seed = 1) { return {options, kAll, kPage, seed, 1}; }

struct Sample {
  double mean = 0, error = 0;
};

/// Mean of `measure` over kSeeds seeds, with its standard error.
template <class Measure>
Sample sample(const Options& options, Measure measure) {
  double sum = 0, squares = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const double value = measure(make(options, seed));
    sum += value;
    squares += value * value;
  }
  const double mean = sum / kSeeds;
  return {mean, std::sqrt(std::max(squares / kSeeds - mean * mean, 0.0) / kSeeds)};
}

double pages_in(const std::set<PageIndex>& pages, PageIndex first, PageIndex end) {
  return static_cast<double>(std::distance(pages.lower_bound(first), pages.lower_bound(end)));
}

TEST(Idle, WritesNothing) { EXPECT_TRUE(written(make({}), 0s, 1h).empty()); }

// 1,000 writes a second from page 100 on: the n-th write falls at n ms.
TEST(Sequential, WritesOnePageAfterTheOther) {
  const Options options{
      .kind = Kind::kSequential, .write_rate = 1000, .memory = Bytes{50 * 4096}, .at = Bytes{100 * 4096}};
  EXPECT_EQ(written(make(options), 0s, 3ms), (std::set<PageIndex>{100, 101, 102}));
  EXPECT_EQ(written(make(options), 3ms, 5ms), (std::set<PageIndex>{103, 104}));
  EXPECT_EQ(written(make(options), 48ms, 52ms), (std::set<PageIndex>{148, 149, 100, 101}));
  EXPECT_EQ(written(make(options), 0s, 10s).size(), 50u);
}

// n pages, each hit with probability 1 - exp(-rate t / n): 16,384 x (1 - exp(-0.5)) = 6,446.6.
TEST(Uniform, HitsAsManyDistinctPagesAsIndependentWritesDo) {
  const Options options{.kind = Kind::kUniform, .write_rate = 8192};
  const Sample distinct =
      sample(options, [](const Workload& w) { return static_cast<double>(written(w, 0s, 1s).size()); });
  EXPECT_NEAR(distinct.mean, 16384 * (1 - std::exp(-0.5)), 4 * distinct.error);
}

// The same second in two looks: a page counts in either, and the union is as if nobody had looked between.
TEST(Uniform, MayBeLookedAtInBetween) {
  const Options options{.kind = Kind::kUniform, .write_rate = 8192};
  const Sample distinct = sample(options, [](const Workload& w) {
    auto pages = written(w, 0s, 300ms);
    pages.merge(written(w, 300ms, 1s));
    return static_cast<double>(pages.size());
  });
  EXPECT_NEAR(distinct.mean, 16384 * (1 - std::exp(-0.5)), 4 * distinct.error);
}

// 90 % of 1,000 writes into 1,024 pages, 100 over the 15,360 others.
TEST(HotSet, GivesTheHotPartItsShare) {
  const Options options{
      .kind = Kind::kHotSet, .write_rate = 1000, .hot_memory = Bytes{1024 * 4096}, .hot_share = kWhole / 10 * 9};
  const Sample hot = sample(options, [](const Workload& w) { return pages_in(written(w, 0s, 1s), 0, 1024); });
  const Sample cold = sample(options, [](const Workload& w) { return pages_in(written(w, 0s, 1s), 1024, 16384); });
  EXPECT_NEAR(hot.mean, 1024 * (1 - std::exp(-900.0 / 1024)), 4 * hot.error);
  EXPECT_NEAR(cold.mean, 15360 * (1 - std::exp(-100.0 / 15360)), 4 * cold.error);
}

// 256 words of 64 pages, the k-th with weight 1 / k: the first has 1 / H(256) of the writes.
TEST(Zipf, WeighsWordsByTheirRank) {
  const Options options{.kind = Kind::kZipf, .write_rate = 500, .exponent_millionths = 1'000'000};
  double harmonic = 0;
  for (int k = 1; k <= 256; ++k) harmonic += 1.0 / k;
  for (const int rank : {1, 2, 10, 200}) {
    const auto first = static_cast<PageIndex>(rank - 1) * 64;
    const Sample pages =
        sample(options, [&](const Workload& w) { return pages_in(written(w, 0s, 1s), first, first + 64); });
    const double writes = 500 / (harmonic * rank);
    EXPECT_NEAR(pages.mean, 64 * (1 - std::exp(-writes / 64)), 4 * pages.error) << rank;
  }
}

TEST(Phased, RunsItsPhasesInTurn) {
  const auto at = [](std::uint64_t page) {
    return Options{.kind = Kind::kSequential, .write_rate = 1000, .memory = Bytes{4096}, .at = Bytes{page * 4096}};
  };
  const Options options{.kind = Kind::kPhased,
                        .phases = {{.lasts = 1s, .workload = at(7)}, {.lasts = 2s, .workload = at(9)}}};
  EXPECT_EQ(written(make(options), 0s, 1s), (std::set<PageIndex>{7}));
  EXPECT_EQ(written(make(options), 1s, 3s), (std::set<PageIndex>{9}));
  EXPECT_EQ(written(make(options), 3s, 4s), (std::set<PageIndex>{7}));
  EXPECT_EQ(written(make(options), 2500ms, 3500ms), (std::set<PageIndex>{7, 9}));
}

TEST(Mix, RunsAllItsParts) {
  const auto at = [](std::uint64_t page) {
    return Options{.kind = Kind::kSequential, .write_rate = 1000, .memory = Bytes{4096}, .at = Bytes{page * 4096}};
  };
  EXPECT_EQ(written(make({.kind = Kind::kMix, .parts = {at(3), at(5)}}), 0s, 1s), (std::set<PageIndex>{3, 5}));
}

TEST(Workload, AsksTheSameTwiceAndHearsTheSame) {
  for (const Kind kind : {Kind::kUniform, Kind::kZipf}) {
    const Options options{.kind = kind, .write_rate = 5000, .exponent_millionths = 900'000};
    EXPECT_EQ(written(make(options, 7), 1s, 2s), written(make(options, 7), 1s, 2s));
    EXPECT_NE(written(make(options, 7), 1s, 2s), written(make(options, 8), 1s, 2s));
    EXPECT_NE(written(make(options, 7), 1s, 2s), written(make(options, 7), 2s, 3s));
  }
}

}  // namespace
}  // namespace godwit::workloads
