#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/support/reference_guest.h"

/// Statistical tests on what was seen of a random guest over many seeds. Each gives the chance of a deviation at least as
/// large as the one seen if both sides follow the same law; that chance is the upper tail of chi-square as
/// Boost.Math computes it (boost::math::chi_squared). A test calls it an error below kFalseAlarm, so that a right program
/// fails one test in a million; seeds are fixed, hence green stays green.
/// Pearson's chi-square is near enough to its law at that depth where every bin holds enough: sparse bins are pooled.
namespace godwit::test {

inline constexpr double kFalseAlarm = 1e-6;

/// How often each count was seen.
using Histogram = std::map<std::uint64_t, std::uint64_t>;

/// A chance per outcome, to hold a histogram against.
using Law = std::map<std::uint64_t, double>;

/// The upper tail of chi-square at `statistic`; 1 without degrees of freedom.
double chi_square_tail(double statistic, std::uint64_t degrees);

/// Pearson's two-sample chi-square: were both drawn from one law?
double same_law(const Histogram& a, const Histogram& b);

/// Pearson's goodness of fit: was `seen` drawn from `law`?
double fits_law(const Histogram& seen, const Law& law);

/// The law of the number of successes in `trials` independent ones of chance `p`.
Law binomial_law(std::uint64_t trials, double p);

/// What was seen of a guest at one look, over many seeds.
class Seen {
 public:
  explicit Seen(std::uint64_t guest_pages) : hits_(guest_pages, 0) {}

  /// Takes in one run: the pages that the look found, and those of an earlier look of the same run.
  void add(const Bitmap& found, const Bitmap& earlier);

  /// Distinct pages in each run, and pages that the earlier look had found too.
  const Histogram& counts() const { return counts_; }
  const Histogram& again() const { return again_; }

  /// Calls `tell(what, chance)` for each of the tests of two samples, `runs` being equal: the number of distinct pages; how
  /// often each page, and each place in a word, was hit; how many pairs of pages at each distance were hit together (pairwise
  /// independence); how many pages were hit in both looks.
  template <class Tell>
  static void compare(const Seen& a, const Seen& b, Tell&& tell) {
    tell("distinct pages", same_law(a.counts_, b.counts_));
    tell("hits per page", same_hits(a, b, false));
    tell("hits per place in a word", same_hits(a, b, true));
    for (std::size_t i = 0; i < kLags.size(); ++i)
      tell("pairs at distance " + std::to_string(kLags[i]), same_law(a.pairs_[i], b.pairs_[i]));
    tell("pages in both looks", same_law(a.again_, b.again_));
  }

  /// Hit frequencies against the chance of each page, pages independent: chi-square over groups of neighbours. A page of no
  /// chance must never be hit, one of chance 1 always.
  double fits_chances(const std::vector<double>& chance) const;
  /// All hits together against their expectation: the sharpest test of a bias common to all pages.
  double fits_total(const std::vector<double>& chance) const;

 private:
  static constexpr std::array<std::uint64_t, 6> kLags = {1, 2, 63, 64, 128, 4096};
  static double same_hits(const Seen& a, const Seen& b, bool by_place);

  std::uint64_t runs_ = 0;
  Histogram counts_;
  std::vector<std::uint64_t> hits_;
  std::array<Histogram, kLags.size()> pairs_;
  Histogram again_;
};

}  // namespace godwit::test
