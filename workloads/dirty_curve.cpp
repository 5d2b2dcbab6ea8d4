#include "workloads/dirty_curve.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "models/fixed_math.h"

namespace godwit::workloads {
namespace {

constexpr int kSweeps = 20'000;

/// The chance that a page written `rate_millionths` / 10^6 times a second has been written after `time`.
double chance(std::uint64_t rate_millionths, Nanos time) {
  constexpr double kCertain = 18446744073709551616.0;  // 2^64
  return static_cast<double>(models::hit_chance(models::exposure(rate_millionths, time, 1))) / kCertain;
}

/// Rates of one page, in millionths of a write per second: from a write in four times the longest time to eight in the
/// shortest.
std::vector<std::uint64_t> grid_of(std::span<const CurvePoint> points) {
  constexpr std::uint64_t kMillionSeconds = kMillion * kNanosPerSecond;
  const auto longest = static_cast<std::uint64_t>(points.back().after.count());
  const auto shortest = static_cast<std::uint64_t>(points.front().after.count());
  const std::uint64_t most = 8 * (kMillionSeconds / shortest) + 1;
  std::vector<std::uint64_t> rates;
  for (std::uint64_t rate = std::max<std::uint64_t>(1, kMillionSeconds / longest / 4); rate <= most; rate *= 2)
    rates.push_back(rate);
  return rates;
}

/// Minimises |A x - 1| over x >= 0, where A has a row for each point: what a class of one page has there, of what is asked.
std::vector<double> least_squares(std::span<const CurvePoint> points, std::span<const std::uint64_t> rates) {
  const std::size_t size = rates.size();
  std::vector<double> products(size * size), towards(size), sizes(size);
  for (const CurvePoint& point : points) {
    const auto pages = static_cast<double>(point.pages.value);
    std::vector<double> row(size);
    for (std::size_t i = 0; i < size; ++i) row[i] = chance(rates[i], point.after) / pages;
    for (std::size_t i = 0; i < size; ++i) {
      towards[i] += row[i];
      for (std::size_t j = 0; j < size; ++j) products[i * size + j] += row[i] * row[j];
    }
  }
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    for (std::size_t i = 0; i < size; ++i) {
      double slope = towards[i];
      for (std::size_t j = 0; j < size; ++j) slope -= products[i * size + j] * sizes[j];
      sizes[i] = std::max(0.0, sizes[i] + slope / products[i * size + i]);
    }
  }
  return sizes;
}

CurveFit classes_of(std::span<const double> sizes, std::span<const std::uint64_t> rates) {
  CurveFit fit;
  for (std::size_t i = rates.size(); i-- > 0;) {
    const auto pages = static_cast<std::uint64_t>(std::round(sizes[i]));
    if (pages > 0) fit.classes.push_back({.pages = {pages}, .rate_millionths = pages * rates[i]});
  }
  return fit;
}

}  // namespace

Pages CurveFit::pages() const {
  Pages sum{0};
  for (const PageClass& each : classes) sum += each.pages;
  return sum;
}

double CurveFit::dirty_after(Nanos time) const {
  double sum = 0;
  for (const PageClass& each : classes)
    sum += static_cast<double>(each.pages.value) * chance(each.rate_millionths / each.pages.value, time);
  return sum;
}

CurveFit fit_curve(std::span<const CurvePoint> points, Pages room) {
  GODWIT_CHECK(!points.empty() && points.front().after > Nanos{0});
  const std::vector<std::uint64_t> grid = grid_of(points);
  std::span<const std::uint64_t> rates = grid;
  CurveFit fit = classes_of(least_squares(points, rates), rates);
  while (fit.pages() > room && rates.size() > 1) {
    rates = rates.subspan(1);
    fit = classes_of(least_squares(points, rates), rates);
  }
  for (const CurvePoint& point : points) {
    const auto asked = static_cast<double>(point.pages.value);
    const double off = fit.dirty_after(point.after) - asked;
    fit.error = std::max(fit.error, (off < 0 ? -off : off) / asked);
  }
  return fit;
}

}  // namespace godwit::workloads
