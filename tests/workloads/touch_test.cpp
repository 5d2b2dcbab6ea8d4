#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
#include <set>

#include "tests/support/drawn_guest.h"
#include "tests/support/pages.h"
#include "tests/support/recordings.h"
#include "tests/support/statistics.h"

// Workload::next_touch against the write-by-write reference: which missing page is written first, and when. Without chance
// they agree to the nanosecond; otherwise in law, by the tests of tests/support/statistics.h (one false alarm in a million
// each).
namespace godwit::workloads {
namespace {

using namespace std::chrono_literals;
using test::kFalseAlarm;
using test::pages;

constexpr std::uint64_t kPages = PageSet::kBlockPages + 713;
constexpr PageRange kAll{0, kPages};

using Touch = Workload::Touch;

/// Looks no further than the first second.
Touch first_write_to(const PageSet& missing, test::Writer& writer, Nanos from) {
  for (test::Write write = writer.next(); write.at < 1s && !missing.empty(); write = writer.next()) {
    if (write.at > from && missing.contains(write.page)) return {write.at, write.page};
  }
  return {};
}

Options writer(Kind kind, std::uint64_t rate, PageRange range) {
  return {.kind = kind,
          .write_rate = rate,
          .memory = pages(range.count),
          .at = pages(range.first),
          .hot_memory = pages(range.count / 10),
          .hot_share = kWhole / 10 * 9,
          .exponent_millionths = 1'000'000};
}

// A sequential writer, and phases and mixes of such: each page comes after its touch, and so on until all are there.
TEST(Touch, OfSequentialWritersIsTheReferences) {
  const Options sweep = writer(Kind::kSequential, 777'777, {4000, 300});
  const Options phased{.kind = Kind::kPhased,
                       .phases = {{.lasts = 100us, .workload = sweep}, {.lasts = 70us, .workload = {}}}};
  const Options mix{.kind = Kind::kMix, .parts = {phased, writer(Kind::kSequential, 10'007, {0, 50})}};
  for (const Options& options : {sweep, phased, mix}) {
    const Workload workload(options, kAll, test::kTestPage, 1, 1);
    const auto reference = test::make_writer(options, kAll, test::kTestPage, 1);
    test::Pages missing(kPages);
    std::mt19937_64 random(2);
    for (int i = 0; i < 200; ++i) missing.set.add(random() % 2 == 0 ? 4000 + random() % 300 : random() % 50);
    std::uint64_t never = 0;  // what no part writes
    if (options.kind != Kind::kMix) never = missing.set.count_in({0, 50});
    Nanos from = 123'456ns;
    int touches = 0;
    while (true) {
      const Touch expected = first_write_to(missing.set, *reference, from);
      const Touch touch = workload.next_touch(missing.set, from, 1);
      ASSERT_EQ(touch.at, expected.at) << touches;
      if (touch.at == kNever) break;
      ASSERT_EQ(touch.page, expected.page) << touches;
      missing.set.remove(touch.page);
      from = touch.at;
      ++touches;
    }
    EXPECT_GT(touches, 50);
    EXPECT_EQ(missing.set.count(), Pages{never});
  }
}

/// Every touch of a recording up to its second repeat, spread over its intervals: (index + m / n) x interval, less the offset,
/// at the speed.
std::vector<Touch> touches_of(const test::Recording& recording, const Options& options) {
  std::vector<Touch> touches;
  const auto length = static_cast<u128>(static_cast<std::uint64_t>(recording.interval.count()));
  const std::size_t size = recording.written.size();
  for (std::size_t i = 0; i < (options.repeat ? 3 * size : size); ++i) {
    std::set<PageIndex> distinct(recording.written[i % size].begin(), recording.written[i % size].end());
    distinct.erase(distinct.lower_bound(kPages), distinct.end());  // the guest is smaller than the trace
    std::uint64_t m = 0;
    for (const PageIndex page : distinct) {
      const u128 recorded = i * length + ++m * length / distinct.size();
      const auto offset = static_cast<std::uint64_t>(options.offset.count());
      if (recorded <= offset) continue;
      const u128 at = ((recorded - offset) * 1'000'000 + options.speed_millionths - 1) / options.speed_millionths;
      touches.push_back({Nanos{static_cast<std::int64_t>(at)}, page});
    }
  }
  return touches;
}

// From any instant on, to the nanosecond; and from touch to touch, so that none is left out.
TEST(Touch, OfARecordingAreSpreadOverItsIntervals) {
  const test::MadeUpTraces traces;
  std::mt19937_64 random(3);
  int touched = 0;
  for (const auto& [name, recording] : traces.all()) {
    for (int trial = 0; trial < 50; ++trial) {
      Options options = traces.replay(name);
      options.repeat = trial % 2 == 0;
      options.speed_millionths = 100'000 + random() % 3'000'000;
      const Nanos length = recording.interval * static_cast<std::int64_t>(recording.written.size());
      options.offset = Nanos{static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(length.count()))};
      const Workload workload(options, kAll, test::kTestPage, 1, 1);
      test::Pages missing(kPages);
      for (int i = 0; i < 400; ++i) missing.set.add(random() % kPages);
      Nanos from{static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(length.count()))};
      for (const Touch& expected : touches_of(recording, options)) {
        if (expected.at <= from || !missing.set.contains(expected.page)) continue;
        const Touch touch = workload.next_touch(missing.set, from, 1);
        ASSERT_EQ(touch.at, expected.at) << name << ", " << trial;
        ASSERT_EQ(touch.page, expected.page) << name << ", " << trial;
        missing.set.remove(touch.page);
        from = touch.at;
        ++touched;
      }
      if (!options.repeat) {
        EXPECT_EQ(workload.next_touch(missing.set, from, 1).at, kNever);
      }
    }
  }
  EXPECT_GT(touched, 1000);
}

// A trace of 10 ms that writes pages 3, 4 and 9 in its only interval: they come after a third, two thirds, and all of it.
TEST(Touch, OfARecordingWorkedOutByHand) {
  auto trace = std::make_shared<Trace>();
  trace->page_count = 10;
  trace->interval = 10ms;
  trace->append(std::vector<workloads::Run>{{3, 2}, {9, 1}});
  const Workload workload({.kind = Kind::kRecorded, .trace = trace}, kAll, test::kTestPage, 1, 1);
  test::Pages missing(kPages);
  missing.set.fill();
  const auto touch = [&](Nanos from) {
    const Touch next = workload.next_touch(missing.set, from, 1);
    return std::pair(next.at, next.page);
  };
  EXPECT_EQ(touch(0s), std::pair(Nanos{3'333'333}, PageIndex{3}));
  EXPECT_EQ(touch(Nanos{3'333'332}), std::pair(Nanos{3'333'333}, PageIndex{3}));
  EXPECT_EQ(touch(Nanos{3'333'333}), std::pair(Nanos{6'666'666}, PageIndex{4}));
  EXPECT_EQ(touch(Nanos{6'666'666}), std::pair(Nanos{10'000'000}, PageIndex{9}));
  EXPECT_EQ(touch(10ms), std::pair(Nanos{13'333'333}, PageIndex{3}));
  missing.set.remove(PageIndex{4});
  EXPECT_EQ(touch(5ms), std::pair(Nanos{10'000'000}, PageIndex{9}));
}

/// Touches of many seeds: the page, and the time of the first one and of the one after it, in hundredths of an even
/// logarithmic scale.
struct Touches {
  test::Histogram first_page, second_page, first_time, second_time;
  void add(Nanos from, const std::array<Touch, 2>& touch) {
    const auto bin = [](Nanos time) {
      return static_cast<std::uint64_t>(5 * std::log2(static_cast<double>(time.count())));
    };
    ++first_page[touch[0].page];
    ++second_page[touch[1].page];
    ++first_time[bin(touch[0].at - from)];
    ++second_time[bin(touch[1].at - touch[0].at)];
  }
};

void expect_same_law(const std::string& name, const Options& options) {
  constexpr int kRuns = 6000;
  constexpr Nanos kFrom = 7ms;
  test::Pages missing(kPages);
  std::mt19937_64 random(4);
  // Some single pages, a stretch that ends within words, and a whole block.
  for (int i = 0; i < 12; ++i) missing.set.add(random() % 600);
  missing.set.add(PageRange{630, 90});
  missing.set.add(PageRange{4096, 713});
  Touches real, right;
  for (std::uint64_t seed = 0; seed < kRuns; ++seed) {
    const Workload workload(options, kAll, test::kTestPage, seed, 1);
    const auto reference = test::make_writer(options, kAll, test::kTestPage, seed);
    std::array<Touch, 2> touch{workload.next_touch(missing.set, kFrom, 1)};
    std::array<Touch, 2> expected{first_write_to(missing.set, *reference, kFrom)};
    ASSERT_NE(touch[0].at, kNever);
    ASSERT_TRUE(missing.set.contains(touch[0].page));
    touch[1] = workload.next_touch(missing.set, touch[0].at, 2);
    expected[1] = first_write_to(missing.set, *reference, expected[0].at);
    real.add(kFrom, touch);
    right.add(kFrom, expected);
  }
  EXPECT_GT(test::same_law(real.first_page, right.first_page), kFalseAlarm) << name;
  EXPECT_GT(test::same_law(real.second_page, right.second_page), kFalseAlarm) << name;
  EXPECT_GT(test::same_law(real.first_time, right.first_time), kFalseAlarm) << name;
  EXPECT_GT(test::same_law(real.second_time, right.second_time), kFalseAlarm) << name;
}

TEST(Touch, OfMemorylessWorkloadsHasTheReferencesLaw) {
  const Options uniform = writer(Kind::kUniform, 30'000, {500, 4000});
  const Options zipf = writer(Kind::kZipf, 30'000, {100, 4600});
  expect_same_law("uniform", uniform);
  expect_same_law("hot_set", writer(Kind::kHotSet, 30'000, {400, 4300}));
  expect_same_law("zipf", zipf);
  expect_same_law("phased", {.kind = Kind::kPhased,
                             .phases = {{.lasts = 300us, .workload = zipf}, {.lasts = 500us, .workload = uniform}}});
  expect_same_law("mix", {.kind = Kind::kMix, .parts = {zipf, uniform, writer(Kind::kSequential, 300, {600, 100})}});
}

// One page is missing, of very many or of a very cold word, and it is written once a second on the mean: a touch comes
// within every further half-life, ln 2 seconds, with a half. Shares that are cut to parts of 2^32 would be 25 % too small
// (2.67 parts become 2), and none (2^-39).
void expect_half_lives(const Options& options, std::uint64_t many) {
  std::vector<PageBlock> blocks(PageSet::blocks_for({many}));
  const std::unique_ptr<std::uint64_t[]> words(new std::uint64_t[PageSet::words_for({many})]);  // left alone
  PageSet missing({many}, blocks, {words.get(), PageSet::words_for({many})});
  missing.add(many - 5);
  const Workload workload(options, {0, many}, test::kTestPage, 1, 1);
  test::Histogram half_lives;
  for (std::uint64_t draw = 0; draw < 2000; ++draw) {
    const Touch touch = workload.next_touch(missing, 0s, draw);
    ASSERT_EQ(touch.page, many - 5);
    ++half_lives[static_cast<std::uint64_t>(static_cast<double>(touch.at.count()) / 1e9 / std::log(2.0))];
  }
  test::Law law;
  for (int k = 0; k < 64; ++k) law[static_cast<std::uint64_t>(k)] = std::ldexp(1, -k - 1);
  EXPECT_GT(test::fits_law(half_lives, law), kFalseAlarm);
}

TEST(Touch, OfASinglePageOfSixTebibytes) {
  constexpr std::uint64_t kMany = std::uint64_t{3} << 29;
  expect_half_lives({.kind = Kind::kUniform, .write_rate = kMany}, kMany);
}

// The last of 2^16 words has 1 / (2^32 x sum of 1 / k^2) of the writes, each of its pages a 64th of that.
TEST(Touch, OfASinglePageOfAColdWord) {
  double sum = 0;
  for (int k = 1; k <= 65536; ++k) sum += 1.0 / k / k;
  const auto rate = static_cast<std::uint64_t>(64 * std::ldexp(sum, 32));
  expect_half_lives({.kind = Kind::kZipf, .write_rate = rate, .exponent_millionths = 2'000'000}, 65536 * 64);
}

}  // namespace
}  // namespace godwit::workloads
