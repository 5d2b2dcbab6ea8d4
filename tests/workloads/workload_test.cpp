#include "workloads/workload.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/support/pages.h"

// What workloads write, worked out by hand. law_test.cpp, exact_test.cpp hold them against a write-by-write reference.
namespace godwit::workloads {
namespace {

using namespace std::chrono_literals;

constexpr PageRange kAll{0, 16384};
constexpr Bytes kPage{4096};

std::set<PageIndex> written(const Workload& workload, Nanos from, Nanos to) {
  std::vector<PageRun> runs;
  workload.writes(kAll, from, to, [&](const PageRun& run) { runs.push_back(run); });
  const std::vector<PageIndex> pages = test::pages_of(runs);
  return {pages.begin(), pages.end()};
}

Workload make(const Options& options, std::uint64_t seed = 1) { return {options, kAll, kPage, seed, 1}; }

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

/// Marks pages, and counts what it is told.
struct Marks {
  PageSet& set;
  std::uint64_t told = 0;
  void operator()(const PageRun& run) { set.add(run), ++told; }
  void operator()(const BlockWords& some) { set.add(some), ++told; }
};
/// The same, which need not hear of full blocks.
struct SparedMarks : Marks {
  bool settled(std::uint64_t block) const { return set.block_full(block); }
};

// A hot part of one block, full soon, sparsely and densely written; the rest is never full.
TEST(HotSet, ABlockThatIsMarkedWhollyIsNotDrawnAnew) {
  for (const Nanos step : {Nanos{1ms}, Nanos{100ms}}) {
    const Workload workload = make(
        {.kind = Kind::kHotSet, .write_rate = 100'000, .hot_memory = Bytes{4096 * 4096}, .hot_share = kWhole / 10 * 9});
    test::Pages all(kAll.count), spared(kAll.count);
    Marks marks{all.set};
    SparedMarks spared_marks{{spared.set}};
    for (Nanos at{0}; at < 1s; at += step) {
      workload.writes(kAll, at, at + step, marks);
      workload.writes(kAll, at, at + step, spared_marks);
      ASSERT_EQ(all.set, spared.set);
    }
    EXPECT_TRUE(all.set.block_full(0));
    EXPECT_FALSE(all.set.block_full(1));
    EXPECT_LT(spared_marks.told, marks.told);
  }
}

// 16 stretches come to what is stated, and the speed in each deviates by 20 % on average, in groups drawn anew.
TEST(Schedule, VariesFromOneStretchToTheNext) {
  Schedule schedule;
  schedule.vary(100ms, kWhole / 5, 1, 7);
  EXPECT_FALSE(schedule.always());
  double squares = 0;
  constexpr int kStretches = 16'000;
  Nanos before{0};
  for (int i = 1; i <= kStretches; ++i) {
    const Nanos at = schedule.local(100ms * i);
    const double speed = static_cast<double>((at - before).count()) / 1e8;
    EXPECT_GT(speed, 0.32);  // 1 - 3.36 x 0.2
    EXPECT_LT(speed, 1.68);
    EXPECT_NEAR(static_cast<double>((schedule.local(100ms * i - 50ms) - before).count()), speed * 5e7, 2.0);
    squares += (speed - 1) * (speed - 1);
    before = at;
    if (i % 16 == 0) {
      EXPECT_EQ(at, 100ms * i);
    }
  }
  // The standard error of a standard deviation of 16,000 such is 0.5 %.
  EXPECT_NEAR(std::sqrt(squares / kStretches), 0.2, 0.003);
}

TEST(Workload, VariesInAllItsParts) {
  Options options{.kind = Kind::kSequential, .write_rate = 10'000, .memory = Bytes{16384 * 4096}};
  options.varies = kWhole / 4;
  options.varies_over = 50ms;
  const std::size_t first = written(make(options), 0s, 50ms).size();
  EXPECT_NE(first, 500u);
  EXPECT_EQ(written(make(options), 0s, 800ms).size(), 8'000u);
  const Options mix{.kind = Kind::kMix, .parts = {{.kind = Kind::kIdle}, options}, .varies = 0};
  EXPECT_EQ(written(make(mix), 0s, 800ms).size(), 8'000u);
}

// Two processes that write a page each millisecond; one stands still from 10 ms to 1 s, and goes on where it was.
TEST(Mix, HasPartsThatCanBeStopped) {
  const auto sweep = [](std::uint64_t page) {
    return Options{
        .kind = Kind::kSequential, .write_rate = 1000, .memory = Bytes{100 * 4096}, .at = Bytes{page * 4096}};
  };
  Workload workload = make({.kind = Kind::kMix, .parts = {sweep(1000), sweep(2000)}});
  Process& second = workload.processes()[2];  // the mix itself is the first, and does nothing
  second.stop(10ms);
  EXPECT_EQ(written(workload, 8ms, 12ms), (std::set<PageIndex>{1008, 1009, 1010, 1011, 2008, 2009}));
  EXPECT_EQ(workload.expected_distinct(8ms, 12ms), 6u);
  EXPECT_EQ(second.standing(500ms), 490ms);
  EXPECT_EQ(second.go_on(1s), 990ms);
  EXPECT_EQ(written(workload, 999ms, 1002ms), (std::set<PageIndex>{1099, 1000, 1001, 2010, 2011}));
  test::Pages missing(kAll.count);
  missing.set.add(PageRange{2011, 1});
  EXPECT_EQ(workload.next_touch(missing.set, 5ms, 0).at, 1002ms);
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
