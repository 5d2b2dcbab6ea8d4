#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <random>
#include <utility>

#include "tests/support/drawn_guest.h"
#include "tests/support/statistics.h"

// What is drawn when somebody looks has the law of what is written write by write: the lazily drawn workloads against the
// reference (tests/support/reference_guest.h), and against closed forms. Every EXPECT on a chance is one named test of
// tests/support/statistics.h and fails a right program once in a million. There are some 2,000, so that a change of all seeds
// raises a false alarm with a chance of 0.2 %.
namespace godwit::workloads {
namespace {

using namespace std::chrono_literals;
using test::Bitmap;
using test::kFalseAlarm;
using test::Look;
using test::pages;

/// A guest of two whole blocks and a partial one, which ends in a partial word.
constexpr std::uint64_t kPages = 2 * PageSet::kBlockPages + 713;
constexpr PageRange kAll{0, kPages};

struct Case {
  std::string name;
  Options options;
  std::vector<Look> looks;
  int runs = 2000;
  PageRange touchable = kAll;
};

/// Looks with `look(look)` at fresh guests of many seeds: what was seen at each look.
template <class Make, class At>
std::vector<test::Seen> watch(const Case& c, Make make, At look_at) {
  std::vector<test::Seen> seen(c.looks.size(), test::Seen(kPages));
  for (int run = 0; run < c.runs; ++run) {
    auto guest = make(static_cast<std::uint64_t>(run));
    Bitmap earlier = test::no_pages(kPages);
    for (std::size_t i = 0; i < c.looks.size(); ++i) {
      const Bitmap found = look_at(guest, c.looks[i]);
      seen[i].add(found, earlier);
      earlier = found;
    }
  }
  return seen;
}

std::vector<test::Seen> drawn(const Case& c) {
  return watch(
      c, [&](std::uint64_t seed) { return test::DrawnGuest(c.options, c.touchable, kPages, seed); },
      [](test::DrawnGuest& guest, const Look& look) { return guest.look(look); });
}

std::vector<test::Seen> written(const Case& c) {
  return watch(
      c,
      [&](std::uint64_t seed) {
        return test::ReferenceGuest(kPages, test::make_writer(c.options, c.touchable, test::kTestPage, seed));
      },
      [](test::ReferenceGuest& guest, const Look& look) { return test::look_at(guest, look); });
}

void expect_same_law(const Case& c) {
  const std::vector<test::Seen> real = drawn(c);
  const std::vector<test::Seen> reference = written(c);
  for (std::size_t i = 0; i < c.looks.size(); ++i) {
    test::Seen::compare(real[i], reference[i], [&](const std::string& what, double chance) {
      EXPECT_GT(chance, kFalseAlarm) << c.name << ", look " << i << ": " << what;
    });
  }
}

/// All memory at once, then the second block alone, then all again: blocks whose intervals differ.
std::vector<Look> looks(Nanos first) { return {{kAll, first}, {{4096, 4096}, first + first / 2}, {kAll, first * 2}}; }

/// Writes at random in `range`, `per_page` of them expected for each page in a second.
Case uniform(PageRange range, double per_page, std::vector<Look> at = looks(1s)) {
  const auto rate = static_cast<std::uint64_t>(std::llround(per_page * static_cast<double>(range.count)));
  return {
      .name = "uniform " + std::to_string(range.first) + "+" + std::to_string(range.count) + " x " +
              std::to_string(per_page),
      .options = {.kind = Kind::kUniform, .write_rate = rate, .memory = pages(range.count), .at = pages(range.first)},
      .looks = std::move(at)};
}

Case zipf(PageRange range, double exponent, std::uint64_t rate, std::vector<Look> at, int runs = 2000) {
  return {.name = "zipf " + std::to_string(range.first) + "+" + std::to_string(range.count) + " ^" +
                  std::to_string(exponent) + " " + std::to_string(rate) + "/s",
          .options = {.kind = Kind::kZipf,
                      .write_rate = rate,
                      .memory = pages(range.count),
                      .at = pages(range.first),
                      .exponent_millionths = static_cast<std::uint64_t>(exponent * 1e6)},
          .looks = std::move(at),
          .runs = runs};
}

Case hot_set(PageRange range, std::uint64_t hot, double share, std::uint64_t rate) {
  return {.name = "hot_set " + std::to_string(range.first) + "+" + std::to_string(hot) + "/" +
                  std::to_string(range.count) + " " + std::to_string(share),
          .options = {.kind = Kind::kHotSet,
                      .write_rate = rate,
                      .memory = pages(range.count),
                      .at = pages(range.first),
                      .hot_memory = pages(hot),
                      .hot_share = static_cast<Share>(share * static_cast<double>(kWhole))},
          .looks = looks(1s)};
}

// Sparse: the writes to a granule are counted. Of 4,096 pages as long as they expect 8 writes at most, which is where the
// table of Poisson chances ends; beyond, of half as many, and so on. Partial blocks and words at both ends.
TEST(UniformLaw, SparseOnBothSidesOfTheSwitchOfGranules) {
  expect_same_law(uniform({37, 8600}, 0.0004));
  expect_same_law(uniform({0, 8192}, 8.0 / 4096 - 1e-4));
  expect_same_law(uniform({0, 8192}, 8.0 / 4096 + 1e-4));
  expect_same_law(uniform({4000, 4600}, 8.0 / 1024 - 1e-3));
  expect_same_law(uniform({4000, 4600}, 8.0 / 1024 + 1e-3));
  expect_same_law(uniform({4000, 4600}, 8.0 / 600));
}

// Where a block expects no more than one write, those of many blocks are counted together; looks at some of them draw apart.
TEST(UniformLaw, ScatteredOverManyBlocks) {
  expect_same_law(uniform({37, 8600}, 0.0001));
  expect_same_law(uniform({0, kPages}, 1.0 / 4096 - 1e-5));
  expect_same_law(uniform({0, kPages}, 1.0 / 4096 + 1e-5));
  std::vector<Look> looks;
  for (int i = 1; i <= 6; ++i) looks.push_back({i % 2 == 0 ? kAll : PageRange{4096, 4096}, i * 100ms});
  expect_same_law(uniform({10, kPages - 30}, 0.0002, looks));
}

// Dense from a write a word on: each page is decided by its own bit.
TEST(UniformLaw, OnBothSidesOfTheSwitchToDense) {
  expect_same_law(uniform({0, 1000}, 1.0 / 64 - 1e-3));
  expect_same_law(uniform({0, 1000}, 1.0 / 64 + 1e-3));
  expect_same_law(uniform({4050, 100}, 1.0 / 64 - 5e-3));
  expect_same_law(uniform({4050, 100}, 1.0 / 64 + 5e-3));
}

TEST(UniformLaw, Dense) {
  expect_same_law(uniform({3000, 2000}, 0.5));
  expect_same_law(uniform({8100, 300}, 3));
  expect_same_law(uniform({64, 64}, 12));
}

TEST(UniformLaw, MemoryMuchSmallerThanABlockOrAWord) {
  expect_same_law(uniform({10, 20}, 0.05));
  expect_same_law(uniform({10, 20}, 1));
  expect_same_law(uniform({60, 8}, 0.5));
  expect_same_law(uniform({5, 1}, 1));
  expect_same_law(uniform({kPages - 9, 9}, 0.3));
}

// Each look's interval has another length, so that the third joins sparse and dense draws.
TEST(UniformLaw, ManyShortLooksAreAsOneLongLook) {
  std::vector<Look> often;
  for (int i = 1; i <= 12; ++i) often.push_back({i % 3 == 0 ? kAll : PageRange{4096, 4096}, i * 5ms + i % 2 * 1ms});
  often.push_back({kAll, 2s});
  expect_same_law(uniform({4000, 300}, 2, often));
}

TEST(HotSetLaw, HotPartsThatAreNotAlignedToWordsOrBlocks) {
  expect_same_law(hot_set({4050, 3000}, 100, 0.9, 60));
  expect_same_law(hot_set({4050, 3000}, 100, 0.9, 1500));
  expect_same_law(hot_set({100, 8600}, 4100, 0.5, 900));
  expect_same_law(hot_set({1000, 50}, 7, 0.8, 20));
}

// All writes go to the rest, all to the hot part; and where there is no rest, or no hot part, to the other.
TEST(HotSetLaw, TheExtremes) {
  expect_same_law(hot_set({1000, 500}, 100, 0, 300));
  expect_same_law(hot_set({1000, 500}, 100, 1, 300));
  expect_same_law(hot_set({1000, 500}, 500, 0.75, 300));
  expect_same_law(hot_set({1000, 500}, 0, 0.75, 300));
}

TEST(ZipfLaw, WordsDenseAndSparseInOneBlock) {
  expect_same_law(zipf({0, 8192}, 0.99, 60, looks(1s)));
  expect_same_law(zipf({0, 8192}, 0.99, 600, looks(1s)));
  expect_same_law(zipf({64, 4160}, 1.5, 400, looks(1s)));
  expect_same_law(zipf({4096, 4096}, 0, 100, looks(1s)));
  expect_same_law(zipf({4096, 4096}, 0, 500, looks(1s)));
  expect_same_law(zipf({4032, 4800}, 4, 300, looks(1s)));
}

// Of a memory that is not aligned, the whole words.
TEST(ZipfLaw, WordsThatAreNotWholeAreLeftOut) {
  expect_same_law(zipf({100, 5000}, 0.8, 600, looks(1s)));
  expect_same_law(zipf({70, 130}, 1, 40, looks(1s)));
  expect_same_law(zipf({8190, 500}, 1, 80, looks(1s)));
}

// 10,000 writes in 10 us: a cold word's share of them takes a nanosecond or two of all writes.
TEST(ZipfLaw, ManyWritesInAShortTime) { expect_same_law(zipf({0, 8192}, 1.3, 1'000'000'000, looks(10us), 500)); }

Options at_rate(Kind kind, std::uint64_t rate, PageRange range) {
  return {.kind = kind,
          .write_rate = rate,
          .memory = pages(range.count),
          .at = pages(range.first),
          .exponent_millionths = 900'000};
}

// Looks at ends of phases, just before and after, and over several periods.
TEST(PhasedLaw, PhasesOfMemorylessWorkloads) {
  const Options options{.kind = Kind::kPhased,
                        .phases = {{.lasts = 300ms, .workload = at_rate(Kind::kUniform, 500, {4000, 300})},
                                   {.lasts = 200ms, .workload = at_rate(Kind::kZipf, 900, {4100, 900})},
                                   {.lasts = 1ns, .workload = at_rate(Kind::kUniform, 1'000'000'000, {0, 8})}}};
  expect_same_law({.name = "phased",
                   .options = options,
                   .looks = {{kAll, 300ms},
                             {{4096, 4096}, 301ms},
                             {kAll, 400ms},
                             {kAll, 500'000'001ns},
                             {{0, 4096}, 700ms},
                             {kAll, 3s}}});
}

TEST(PhasedLaw, PhasesWithinPhases) {
  const Options inner{.kind = Kind::kPhased,
                      .phases = {{.lasts = 70ms, .workload = at_rate(Kind::kUniform, 1000, {100, 200})},
                                 {.lasts = 50ms, .workload = {}}}};
  const Options options{.kind = Kind::kPhased,
                        .phases = {{.lasts = 100ms, .workload = inner},
                                   {.lasts = 30ms, .workload = at_rate(Kind::kUniform, 1000, {200, 200})}}};
  expect_same_law({.name = "phases within phases",
                   .options = options,
                   .looks = {{kAll, 90ms}, {kAll, 130ms}, {kAll, 151ms}, {kAll, 1s}}});
}

TEST(MixLaw, PartsThatOverlap) {
  const Options options{.kind = Kind::kMix,
                        .parts = {at_rate(Kind::kUniform, 100, {50, 600}), at_rate(Kind::kZipf, 200, {130, 500}),
                                  at_rate(Kind::kSequential, 50, {500, 100}), at_rate(Kind::kUniform, 5, {600, 8000})}};
  expect_same_law({.name = "mix", .options = options, .looks = looks(700ms)});
}

TEST(DirtyCurveLaw, ItsClassesLieOneAfterTheOther) {
  auto curve = std::make_shared<CurveFit>();
  for (const auto& [pages, per_second] : {std::pair{70u, 400u}, std::pair{4000u, 900u}, std::pair{3u, 1u}})
    curve->classes.push_back({.pages = {pages}, .rate_millionths = per_second * std::uint64_t{1'000'000}});
  Options options{.kind = Kind::kDirtyCurve, .at = pages(50)};
  options.curve = curve;
  expect_same_law({.name = "dirty_curve", .options = options, .looks = looks(700ms)});
}

// Without a place of its own a workload writes to what is neither zero nor free.
TEST(Law, OfTheTouchablePart) {
  expect_same_law({.name = "touchable",
                   .options = {.kind = Kind::kUniform, .write_rate = 1000},
                   .looks = looks(1s),
                   .touchable = {4095, 500}});
}

// ---------------------------------------------------------------- closed forms

/// The chance of every page to be written in `time`: 1 - exp(-its share of the rate x time).
std::vector<double> chances(const Case& c, double seconds) {
  const Options& o = c.options;
  const PageRange range{o.at->value / test::kTestPage.value, o.memory->value / test::kTestPage.value};
  const std::uint64_t hot = o.hot_memory.value / test::kTestPage.value;
  const double hot_share = static_cast<double>(o.hot_share) / static_cast<double>(kWhole);
  const auto weight = [&](std::uint64_t i) {
    const std::uint64_t word = (range.first + i) / 64, first = (range.first + 63) / 64;
    if (o.kind == Kind::kZipf) {
      if (word < first || word >= range.end() / 64) return 0.0;
      return std::pow(static_cast<double>(word - first + 1), -static_cast<double>(o.exponent_millionths) / 1e6);
    }
    if (o.kind == Kind::kUniform) return 1.0;
    return i < hot ? hot_share / static_cast<double>(hot) : (1 - hot_share) / static_cast<double>(range.count - hot);
  };
  double sum = 0;
  for (std::uint64_t i = 0; i < range.count; ++i) sum += weight(i);
  std::vector<double> chance(kPages, 0.0);
  for (std::uint64_t i = 0; i < range.count; ++i)
    chance[range.first + i] = -std::expm1(-static_cast<double>(o.write_rate) * seconds * weight(i) / sum);
  return chance;
}

// Without the reference, and with more seeds: hits of each group of pages, and of all (where 10^7 pages are drawn, a
// bias of a thousandth is seen).
TEST(ClosedForm, HitsPerPage) {
  for (Case c : {uniform({0, 8192}, 0.0015), uniform({0, 8192}, 0.05), uniform({0, 8192}, 0.07),
                 uniform({100, 8000}, 0.7), uniform({100, 1200}, 4), hot_set({70, 8000}, 333, 0.95, 4000),
                 zipf({0, 8192}, 0.5, 100, {}), zipf({0, 8192}, 1, 2000, {}), zipf({4000, 4900}, 2, 40'000, {}),
                 zipf({17, 8500}, 1, 1'000'000, {}), zipf({0, 8192}, 10, 100'000, {})}) {
    c.looks = {{kAll, 1s}};
    c.runs = 1000;
    const test::Seen seen = drawn(c).front();
    EXPECT_GT(seen.fits_chances(chances(c, 1)), kFalseAlarm) << c.name;
    EXPECT_GT(seen.fits_total(chances(c, 1)), kFalseAlarm) << c.name;
  }
}

// Any dependence between pages shows in the spread of their number, which is binomial when they are independent.
TEST(ClosedForm, DistinctPagesAreBinomial) {
  for (Case c : {uniform({0, 8192}, 0.0002), uniform({0, 8192}, 0.0025), uniform({0, 4096}, 0.06),
                 uniform({0, 4096}, 0.0635), uniform({300, 1000}, 0.5), uniform({0, 640}, 4)}) {
    c.looks = {{kAll, 1s}};
    c.runs = 10'000;
    const std::uint64_t n = c.options.memory->value / test::kTestPage.value;
    const double p = -std::expm1(-static_cast<double>(c.options.write_rate) / static_cast<double>(n));
    EXPECT_GT(test::fits_law(drawn(c).front().counts(), test::binomial_law(n, p)), kFalseAlarm) << c.name;
  }
}

// A terabyte of zipf: 2^22 words, 10^9 writes a second, looked at every millisecond. The colder half of the words has
// 1 - H(2^21) / H(2^22) of the writes, which is ln 2 / (ln 2^22 + 0.577216) = 4.379 %: 43,790 of 1,000,000. Counted are
// distinct pages: of 2^27, so 7 writes hit a page that had one. 25 us are enough to lose them where time is cut to
// nanoseconds. The number is Poisson: chi-square of one degree.
TEST(ClosedForm, TheColdWordsOfATerabyte) {
  constexpr std::uint64_t kTerabyte = std::uint64_t{1} << 28;
  const Workload workload({.kind = Kind::kZipf, .write_rate = 1'000'000'000, .exponent_millionths = 1'000'000},
                          {0, kTerabyte}, test::kTestPage, 1, 1);
  double found = 0;
  for (Nanos t{0}; t < 200us; t += 25us) {
    workload.writes({kTerabyte / 2, kTerabyte / 2}, t, t + 25us,
                    [&](const PageRun& run) { found += static_cast<double>(run.count()); });
  }
  const double expected = 200'000 * std::log(2.0) / (22 * std::log(2.0) + 0.5772156649);
  EXPECT_GT(test::chi_square_tail((found - expected) * (found - expected) / expected, 1), kFalseAlarm)
      << found << " of " << expected;
}

// ---------------------------------------------------------------- the tests themselves

/// The smallest chance that any test of two samples gives.
double least_chance(const test::Seen& a, const test::Seen& b) {
  double least = 1;
  test::Seen::compare(a, b, [&](const std::string&, double chance) { least = std::min(least, chance); });
  return least;
}

test::Seen drawn_by_hand(double p, double echo) {
  std::mt19937_64 random(7);
  test::Seen seen(640);
  for (int run = 0; run < 2000; ++run) {
    Bitmap found = test::no_pages(640);
    for (PageIndex page = 0; page < 640; ++page) {
      const double u = static_cast<double>(random() >> 11) * 0x1p-53;
      const bool echoes = page >= 64 && static_cast<double>(random() >> 11) * 0x1p-53 < echo;
      if (echoes ? test::has(found, page - 64) : u < p) test::put(found, page);
    }
    seen.add(found, test::no_pages(640));
  }
  return seen;
}

// They must see what they are for: a bias of 2 % in the chance, and one page in twenty that repeats the page of the word before.
TEST(LawTests, NoticeABiasAndADependence) {
  const test::Seen right = drawn_by_hand(0.3, 0);
  const test::Seen biased = drawn_by_hand(0.306, 0);
  const test::Seen dependent = drawn_by_hand(0.3, 0.05);
  EXPECT_GT(right.fits_chances(std::vector<double>(640, 0.3)), kFalseAlarm);
  EXPECT_GT(test::fits_law(right.counts(), test::binomial_law(640, 0.3)), kFalseAlarm);
  EXPECT_LT(biased.fits_total(std::vector<double>(640, 0.3)), kFalseAlarm);
  EXPECT_LT(least_chance(right, biased), kFalseAlarm);
  EXPECT_LT(least_chance(right, dependent), kFalseAlarm);
}

}  // namespace
}  // namespace godwit::workloads
