#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>

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

// The reference writes the pages of an interval at its end, all at one instant; of these any may come first.
TEST(Touch, OfARecordingIsAtTheEndOfTheFirstIntervalThatWritesAMissingPage) {
  const test::MadeUpTraces traces;
  std::mt19937_64 random(3);
  for (const auto& [name, recording] : traces.all()) {
    Options options = traces.replay(name);
    for (int trial = 0; trial < 50; ++trial) {
      options.repeat = trial % 2 == 0;
      options.speed_millionths = 100'000 + random() % 3'000'000;
      options.offset = Nanos{static_cast<std::int64_t>(random() % 20'000'000)};
      test::Pages missing(kPages);
      for (int i = 0; i < 40; ++i) missing.set.add(random() % 700);
      const Nanos from{static_cast<std::int64_t>(random() % 30'000'000)};
      const auto reference = test::make_writer(options, kAll, test::kTestPage, 1, traces.all());
      const Touch touch = Workload(options, kAll, test::kTestPage, 1, 1).next_touch(missing.set, from, 1);
      bool any = false, same = false;  // whether something is written then, and whether this page is
      Nanos first = kNever;
      for (test::Write write = reference->next(); write.at != kNever && write.at <= from + 10s;
           write = reference->next()) {
        if (write.at <= from || !missing.set.contains(write.page)) continue;
        first = std::min(first, write.at);
        if (write.at > first) break;
        any = true;
        same = same || write.page == touch.page;
      }
      EXPECT_EQ(touch.at, first) << name << ", " << trial;
      EXPECT_EQ(same, any) << name << ", " << trial;
    }
  }
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
