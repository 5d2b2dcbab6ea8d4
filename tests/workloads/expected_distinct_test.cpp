#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/drawn_guest.h"
#include "tests/support/recordings.h"
#include "tests/support/statistics.h"

// Workload::expected_distinct against the mean of the write-by-write reference, and against closed forms where they are
// sharper.
namespace godwit::workloads {
namespace {

using namespace std::chrono_literals;
using test::pages;

constexpr std::uint64_t kPages = 5000;
constexpr PageRange kAll{0, kPages};

Options writer(Kind kind, std::uint64_t rate, PageRange range) {
  return {.kind = kind,
          .write_rate = rate,
          .memory = pages(range.count),
          .at = pages(range.first),
          .hot_memory = pages(range.count / 10),
          .hot_share = kWhole / 10 * 9,
          .exponent_millionths = 1'100'000};
}

/// Distinct pages in (from, to] of the reference, for one seed.
double distinct(const Options& options, Nanos from, Nanos to, std::uint64_t seed, const test::Recordings& recordings) {
  test::ReferenceGuest guest(kPages, test::make_writer(options, kAll, test::kTestPage, seed, recordings));
  test::look_at(guest, {kAll, from});
  return static_cast<double>(test::count(test::look_at(guest, {kAll, to})));
}

constexpr std::pair<Nanos, Nanos> kIntervals[] = {{0ms, 3ms}, {7ms, 40ms}, {13ms, 350ms}, {20ms, 2s}};

/// Within a page for the rounding, the sampling error of the mean at kFalseAlarm (4.9 standard errors, two-sided), and
/// `tolerance` of it.
void expect_the_mean(const std::string& name, const Options& options, double tolerance = 0,
                     const test::Recordings& recordings = {}) {
  constexpr int kRuns = 300;
  const Workload workload(options, kAll, test::kTestPage, 1, 1);
  for (const auto& [from, to] : kIntervals) {
    double sum = 0, squares = 0;
    for (int run = 0; run < kRuns; ++run) {
      const double found = distinct(options, from, to, static_cast<std::uint64_t>(run), recordings);
      sum += found;
      squares += found * found;
    }
    const double mean = sum / kRuns;
    const double error = std::sqrt(std::max(squares / kRuns - mean * mean, 0.0) / kRuns);
    EXPECT_NEAR(static_cast<double>(workload.expected_distinct(from, to)), mean, 1 + tolerance * mean + 4.9 * error)
        << name << " in (" << from.count() << ", " << to.count() << "]";
  }
}

/// To the page, where nothing is random.
void expect_exactly(const std::string& name, const Options& options, const test::Recordings& recordings = {}) {
  const Workload workload(options, kAll, test::kTestPage, 1, 1);
  for (const auto& [from, to] : kIntervals) {
    EXPECT_EQ(static_cast<double>(workload.expected_distinct(from, to)), distinct(options, from, to, 1, recordings))
        << name << " in (" << from.count() << ", " << to.count() << "]";
  }
}

constexpr double kZipfTolerance = 0.0025;  // as the header says

TEST(ExpectedDistinct, OfMemorylessWorkloads) {
  expect_exactly("idle", {});
  expect_the_mean("uniform", writer(Kind::kUniform, 3000, {100, 4500}));
  expect_the_mean("uniform that saturates", writer(Kind::kUniform, 3000, {100, 450}));
  expect_the_mean("hot_set", writer(Kind::kHotSet, 5000, {100, 4500}));
  expect_the_mean("zipf", writer(Kind::kZipf, 5000, {64, 4800}), kZipfTolerance);
  expect_the_mean("zipf on a few words", writer(Kind::kZipf, 5000, {100, 500}), kZipfTolerance);
  expect_the_mean("zipf on one word", writer(Kind::kZipf, 500, {100, 100}));
}

TEST(ExpectedDistinct, OfASequentialWriter) {
  expect_exactly("in one sweep", writer(Kind::kSequential, 1000, {100, 4500}));
  expect_exactly("round and round", writer(Kind::kSequential, 20'000, {100, 450}));
}

TEST(ExpectedDistinct, OfPartsThatOverlap) {
  expect_the_mean("mix of memoryless workloads",
                  {.kind = Kind::kMix,
                   .parts = {writer(Kind::kUniform, 2000, {0, 3000}), writer(Kind::kZipf, 9000, {1000, 2500}),
                             writer(Kind::kHotSet, 4000, {500, 4000})}},
                  kZipfTolerance);
  expect_the_mean("mix with a sequential writer",
                  {.kind = Kind::kMix,
                   .parts = {writer(Kind::kUniform, 2000, {0, 3000}), writer(Kind::kSequential, 9000, {1000, 2500})}});
  expect_the_mean("phases on the same memory",
                  {.kind = Kind::kPhased,
                   .phases = {{.lasts = 10ms, .workload = writer(Kind::kUniform, 20'000, {0, 1000})},
                              {.lasts = 25ms, .workload = writer(Kind::kUniform, 10'000, {500, 2000})}}});
  expect_the_mean("phases within a mix",
                  {.kind = Kind::kMix,
                   .parts = {{.kind = Kind::kPhased,
                              .phases = {{.lasts = 8ms, .workload = writer(Kind::kZipf, 20'000, {0, 1000})},
                                         {.lasts = 2ms, .workload = {}}}},
                             writer(Kind::kUniform, 1000, {0, 5000})}},
                  kZipfTolerance);
}

TEST(ExpectedDistinct, OfRecordings) {
  const test::MadeUpTraces traces;
  for (const auto& [name, recording] : traces.all()) {
    Options options = traces.replay(name);
    options.offset = 1234567ns;
    options.speed_millionths = 2'500'000;
    expect_exactly(name, options, traces.all());
    options.repeat = false;
    expect_exactly(name + " once", options, traces.all());
    options.memory = pages(64);
    expect_exactly(name + " cut", options, traces.all());
  }
  const Options hot = traces.replay("long");
  expect_the_mean("a recording beside the rest",
                  {.kind = Kind::kMix, .parts = {hot, writer(Kind::kUniform, 3000, kAll)}}, 0, traces.all());
}

// The question is asked with one `from` and rising and falling `to`, and then with another `from`: what is remembered of the
// trace must not show.
TEST(ExpectedDistinct, OfARecordingInWhateverOrderItIsAsked) {
  const test::MadeUpTraces traces;
  const Options options = traces.replay("long");
  const Workload asked_often(options, kAll, test::kTestPage, 1, 1);
  std::mt19937_64 random(3);
  for (int i = 0; i < 300; ++i) {
    const Nanos from = 10ms * static_cast<std::int64_t>(random() % 60);
    const Nanos to = from + 10ms * static_cast<std::int64_t>(random() % 80);
    for (const Nanos end : {to, from + (to - from) / 2, to}) {
      EXPECT_EQ(asked_often.expected_distinct(from, end),
                Workload(options, kAll, test::kTestPage, 1, 1).expected_distinct(from, end));
    }
  }
}

// sum over words of 64 (1 - exp(-writes to a page)), in floating point: 16 GiB, no sampling error.
TEST(ExpectedDistinct, OfALargeZipfIsWithinAQuarterOfAPercent) {
  constexpr std::uint64_t kWords = 65536;
  for (const double exponent : {0.0, 0.5, 0.99, 1.0, 2.0, 10.0}) {
    std::vector<double> weight;
    double sum = 0;
    for (std::uint64_t k = 1; k <= kWords; ++k) {
      weight.push_back(std::pow(static_cast<double>(k), -exponent));
      sum += 64 * weight.back();
    }
    const Options options{.kind = Kind::kZipf,
                          .write_rate = 1'000'000'000,
                          .exponent_millionths = static_cast<std::uint64_t>(exponent * 1e6)};
    const Workload workload(options, {0, kWords * 64}, test::kTestPage, 1, 1);
    for (double writes = 100; writes < 1e12; writes *= 3) {
      double expected = 0;
      for (const double w : weight) expected -= 64 * std::expm1(-writes * w / sum);
      const Nanos time{static_cast<std::int64_t>(writes)};  // at 10^9 writes a second
      EXPECT_NEAR(static_cast<double>(workload.expected_distinct(0ns, time)), expected, 1 + 0.0025 * expected)
          << "exponent " << exponent << ", " << writes << " writes";
    }
  }
}

// Guest time is found by bisection over it.
TEST(ExpectedDistinct, NeverFalls) {
  const test::MadeUpTraces traces;
  const Options options{.kind = Kind::kMix,
                        .parts = {writer(Kind::kZipf, 100'000, {0, 4000}), writer(Kind::kSequential, 3000, {1000, 70}),
                                  traces.replay("long")}};
  const Workload workload(options, kAll, test::kTestPage, 1, 1);
  std::uint64_t before = 0;
  for (Nanos to = 5ms; to < 1s; to += 100us) {
    const std::uint64_t now = workload.expected_distinct(5ms, to);
    EXPECT_GE(now, before) << to.count();
    before = now;
  }
  EXPECT_LE(before, kPages);
}

}  // namespace
}  // namespace godwit::workloads
