#include "tests/support/statistics.h"

#include <bit>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>

namespace godwit::test {
namespace {

/// What a pooled bin must hold at least: of both samples together, and expected of one.
constexpr double kBinOfTwo = 50;
constexpr double kBin = 25;

/// Hits that a group of pages has in two samples, or in one and by law; and the variance of their difference.
struct Group {
  double difference = 0, variance = 0;
};

double tail_of(const std::vector<Group>& groups) {
  double statistic = 0;
  for (const Group& group : groups) statistic += group.difference * group.difference / group.variance;
  return test::chi_square_tail(statistic, groups.size());
}

/// Closes groups of neighbours once their variance is that of `kBin` rare hits or more.
class Grouping {
 public:
  /// False where what is certain did not happen, or what is impossible did.
  bool add(double difference, double variance) {
    if (variance <= 0) return std::abs(difference) < 1e-6;
    open_.difference += difference;
    open_.variance += variance;
    if (open_.variance >= kBin) groups_.push_back(std::exchange(open_, {}));
    return true;
  }
  std::vector<Group> done() {
    if (open_.variance > 0 && !groups_.empty()) {
      groups_.back().difference += open_.difference;
      groups_.back().variance += open_.variance;
    } else if (open_.variance > 0) {
      groups_.push_back(open_);
    }
    return std::move(groups_);
  }

 private:
  Group open_;
  std::vector<Group> groups_;
};

/// How many pages of `found` have another `lag` pages further on.
std::uint64_t pairs_at(const Bitmap& found, std::uint64_t lag) {
  std::uint64_t pairs = 0;
  const std::uint64_t words = lag / 64;
  const auto bits = static_cast<unsigned>(lag % 64);
  for (std::size_t i = 0; i + words < found.size(); ++i) {
    std::uint64_t other = found[i + words] >> bits;
    if (bits != 0 && i + words + 1 < found.size()) other |= found[i + words + 1] << (64 - bits);
    pairs += static_cast<unsigned>(std::popcount(found[i] & other));
  }
  return pairs;
}

}  // namespace

double chi_square_tail(double statistic, std::uint64_t degrees) {
  if (degrees == 0) return 1;
  return boost::math::cdf(boost::math::complement(boost::math::chi_squared(static_cast<double>(degrees)), statistic));
}

double same_law(const Histogram& a, const Histogram& b) {
  std::map<std::uint64_t, std::pair<double, double>> bins;
  double total_a = 0, total_b = 0;
  for (const auto& [value, times] : a) bins[value].first += static_cast<double>(times);
  for (const auto& [value, times] : b) bins[value].second += static_cast<double>(times);
  for (const auto& [value, times] : bins) total_a += times.first, total_b += times.second;

  std::vector<std::pair<double, double>> pooled(1);
  for (const auto& [value, times] : bins) {
    if (pooled.back().first + pooled.back().second >= kBinOfTwo) pooled.emplace_back();
    pooled.back().first += times.first;
    pooled.back().second += times.second;
  }
  if (pooled.size() > 1 && pooled.back().first + pooled.back().second < kBinOfTwo) {
    const auto [first, second] = pooled.back();
    pooled.pop_back();
    pooled.back().first += first;
    pooled.back().second += second;
  }
  double statistic = 0;
  for (const auto& [in_a, in_b] : pooled) {
    const double d = in_a * std::sqrt(total_b / total_a) - in_b * std::sqrt(total_a / total_b);
    statistic += d * d / (in_a + in_b);
  }
  return chi_square_tail(statistic, pooled.size() - 1);
}

double fits_law(const Histogram& seen, const Law& law) {
  double runs = 0;
  for (const auto& [value, times] : seen) {
    if (!law.contains(value)) return 0;
    runs += static_cast<double>(times);
  }
  struct Bin {
    double seen = 0, expected = 0;
  };
  std::vector<Bin> bins(1);
  for (const auto& [value, chance] : law) {
    if (bins.back().expected >= kBin) bins.emplace_back();
    const auto found = seen.find(value);
    bins.back().seen += found == seen.end() ? 0 : static_cast<double>(found->second);
    bins.back().expected += chance * runs;
  }
  if (bins.size() > 1 && bins.back().expected < kBin) {
    const Bin rest = bins.back();
    bins.pop_back();
    bins.back().seen += rest.seen;
    bins.back().expected += rest.expected;
  }
  double statistic = 0;
  for (const Bin& bin : bins) statistic += (bin.seen - bin.expected) * (bin.seen - bin.expected) / bin.expected;
  return chi_square_tail(statistic, bins.size() - 1);
}

Law binomial_law(std::uint64_t trials, double p) {
  const boost::math::binomial distribution(static_cast<double>(trials), p);
  Law law;
  for (std::uint64_t k = 0; k <= trials; ++k) law[k] = boost::math::pdf(distribution, static_cast<double>(k));
  return law;
}

void Seen::add(const Bitmap& found, const Bitmap& earlier) {
  ++runs_;
  ++counts_[count(found)];
  std::uint64_t both = 0;
  for (std::size_t w = 0; w < found.size(); ++w) {
    both += static_cast<unsigned>(std::popcount(found[w] & earlier[w]));
    for (std::uint64_t left = found[w]; left != 0; left &= left - 1)
      ++hits_[w * 64 + static_cast<unsigned>(std::countr_zero(left))];
  }
  ++again_[both];
  for (std::size_t i = 0; i < kLags.size(); ++i) ++pairs_[i][pairs_at(found, kLags[i])];
}

double Seen::same_hits(const Seen& a, const Seen& b, bool by_place) {
  const auto runs = static_cast<double>(a.runs_);
  std::vector<Group> places(64);
  Grouping neighbours;
  for (std::size_t page = 0; page < a.hits_.size(); ++page) {
    const auto in_a = static_cast<double>(a.hits_[page]);
    const auto in_b = static_cast<double>(b.hits_[page]);
    const double p = (in_a + in_b) / (2 * runs);
    const double variance = 2 * runs * p * (1 - p);
    if (!neighbours.add(in_a - in_b, variance)) return 0;
    places[page % 64].difference += in_a - in_b;
    places[page % 64].variance += variance;
  }
  if (!by_place) return tail_of(neighbours.done());
  std::erase_if(places, [](const Group& group) { return group.variance < kBin; });
  return tail_of(places);
}

double Seen::fits_chances(const std::vector<double>& chance) const {
  Grouping neighbours;
  for (std::size_t page = 0; page < hits_.size(); ++page) {
    const double expected = static_cast<double>(runs_) * chance[page];
    if (!neighbours.add(static_cast<double>(hits_[page]) - expected, expected * (1 - chance[page]))) return 0;
  }
  return tail_of(neighbours.done());
}

double Seen::fits_total(const std::vector<double>& chance) const {
  Group all;
  for (std::size_t page = 0; page < hits_.size(); ++page) {
    const double expected = static_cast<double>(runs_) * chance[page];
    all.difference += static_cast<double>(hits_[page]) - expected;
    all.variance += expected * (1 - chance[page]);
  }
  return tail_of(std::vector{all});
}

}  // namespace godwit::test
