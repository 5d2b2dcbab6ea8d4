#include "workloads/dirty_curve.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "tests/support/pages.h"
#include "workloads/workload.h"

// A round trip: page classes that are fitted to a curve write that curve, whenever they are looked at.
namespace godwit::workloads {
namespace {

using namespace std::chrono_literals;

constexpr Pages kMemory{131'072};  // the 512 MB of the traced machine

struct Curve {
  const char* name;
  std::vector<CurvePoint> points;
};

// Derived from Clark et al. 2005, figures 3 to 5: a mean expected downtime of d seconds at a bandwidth says that
// D(d) x 4096 bytes are sent in d.
std::vector<Curve> published() {
  return {{"kernel compile",
           {{185ms, {2547}},
            {239ms, {2891}},
            {463ms, {3734}},
            {563ms, {4117}},
            {631ms, {4398}},
            {927ms, {4930}},
            {1000ms, {5029}},
            {1440ms, {5590}},
            {1880ms, {5805}},
            {8s, {7332}}}},
          {"OLTP",
           {{96ms, {1391}},
            {138ms, {1500}},
            {250ms, {1750}},
            {368ms, {1953}},
            {528ms, {2156}},
            {749ms, {2531}},
            {1000ms, {2820}},
            {1050ms, {2926}},
            {2120ms, {4117}},
            {8s, {8270}}}},
          {"SPECweb",
           {{622ms, {8875}},
            {764ms, {9719}},
            {1000ms, {10780}},
            {1370ms, {11938}},
            {1680ms, {12734}},
            {2750ms, {14719}},
            {4580ms, {17562}},
            {5500ms, {18852}},
            {8s, {21465}}}}};
}

std::uint64_t drawn(const Workload& workload, Nanos from, Nanos to) {
  std::vector<bool> dirty(kMemory.value);
  std::uint64_t count = 0;
  workload.writes({0, kMemory.value}, from, to, [&](const PageRun& run) {
    for_each_word(run, [&](std::uint64_t word, std::uint64_t mask) {
      for (unsigned bit = 0; bit < 64; ++bit) {
        if ((mask >> bit & 1) == 0 || dirty[word * 64 + bit]) continue;
        dirty[word * 64 + bit] = true;
        ++count;
      }
    });
  });
  return count;
}

Workload workload_of(const std::shared_ptr<const CurveFit>& fit, std::uint64_t seed) {
  Options options{.kind = Kind::kDirtyCurve};
  options.curve = fit;
  return Workload(options, {0, kMemory.value}, {4096}, seed, 1);
}

TEST(DirtyCurve, TheFitIsWithinFivePercentOfThePublishedCurves) {
  for (const Curve& curve : published()) {
    const CurveFit fit = fit_curve(curve.points, kMemory);
    EXPECT_LE(fit.error, 0.05) << curve.name;
    EXPECT_LE(fit.pages(), kMemory) << curve.name;
  }
}

TEST(DirtyCurve, AnyIntervalGivesTheCurve) {
  for (const Curve& curve : published()) {
    const auto fit = std::make_shared<const CurveFit>(fit_curve(curve.points, kMemory));
    const Workload workload = workload_of(fit, 1);
    for (const CurvePoint& point : curve.points) {
      const auto asked = static_cast<double>(point.pages.value);
      for (const Nanos from : {0ms, 777ms, 60'000ms}) {
        EXPECT_NEAR(static_cast<double>(workload.expected_distinct(from, from + point.after)) / asked, 1, 0.05)
            << curve.name << " after " << point.after.count() << " ns";
      }
      double sum = 0;
      for (std::uint64_t seed = 1; seed <= 5; ++seed)
        sum += static_cast<double>(drawn(workload_of(fit, seed), 3s, 3s + point.after));
      EXPECT_NEAR(sum / 5 / asked, 1, 0.05) << curve.name << " after " << point.after.count() << " ns";
    }
  }
}

// 1,000 pages at 2 writes a second each: D(t) = 1000 (1 - exp(-2 t)).
TEST(DirtyCurve, FindsTheRateOfOneClass) {
  std::vector<CurvePoint> points;
  for (const std::int64_t ms : {100, 250, 500, 1000, 2000, 4000})
    points.push_back({Nanos{ms * 1'000'000},
                      {static_cast<std::uint64_t>(1000 * (1 - std::exp(-0.002 * static_cast<double>(ms))) + 0.5)}});
  const CurveFit fit = fit_curve(points, kMemory);
  EXPECT_LE(fit.error, 0.01);
  EXPECT_NEAR(static_cast<double>(fit.pages().value), 1000, 30);
}

TEST(DirtyCurve, TakesNoMorePagesThanThereAre) {
  const std::vector<CurvePoint> straight = {{1s, {100}}, {2s, {200}}, {4s, {400}}};
  EXPECT_GT(fit_curve(straight, kMemory).pages(), Pages{1000});
  EXPECT_LE(fit_curve(straight, {1000}).pages(), Pages{1000});
}

// A curve that bends upwards is none that writes at random could have.
TEST(DirtyCurve, SaysHowFarOffItIs) {
  const std::vector<CurvePoint> bent = {{1s, {100}}, {2s, {800}}};
  EXPECT_GT(fit_curve(bent, kMemory).error, 0.2);
}

}  // namespace
}  // namespace godwit::workloads
