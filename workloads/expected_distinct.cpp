#include <algorithm>
#include <bit>

#include "workloads/workload.h"

namespace godwit::workloads {
namespace {

/// Pages are reckoned in parts of 2^20 until the end.
constexpr unsigned kPageBits = 20;

/// What a part does in an interval of its own time.
struct Doing {
  u128 exposure = 0;              // memoryless: of all its pages together
  PageRange swept[2];             // sequential: from where it was on, and from its start on after a wrap
  std::uint64_t distinct = 0;     // trace
  std::uint64_t distinct_of = 1;  // trace: of how many pages
};

}  // namespace

std::uint64_t DistinctPages::in(const Trace& trace, std::uint64_t limit, std::uint64_t first, std::uint64_t intervals) {
  if (counts_.empty() || first_ != first) {
    first_ = first;
    counts_.assign(1, 0);
    seen_.assign((limit + 63) / 64, 0);
  }
  const std::uint64_t size = trace.interval_count();
  const std::uint64_t wanted = std::min(intervals, size);
  while (counts_.size() <= wanted && counts_.back() < limit) {
    std::uint64_t fresh = 0;
    for (const Run& run : trace.runs((first + counts_.size() - 1) % size)) {
      const PageRange pages = intersect({run.first, run.count}, {0, limit});
      if (pages.count == 0) break;
      for_each_word(PageRun::solid(pages.first, pages.count), [&](std::uint64_t word, std::uint64_t mask) {
        fresh += popcount(mask & ~seen_[word]);
        seen_[word] |= mask;
      });
    }
    counts_.push_back(counts_.back() + fresh);
  }
  return counts_[std::min<std::uint64_t>(wanted, counts_.size() - 1)];
}

/// Cuts memory where a part begins or ends, and where the pages of a zipf part have lost a quarter of their share: as if
/// they all had the mean of theirs, at most 0.25 % fewer or more of them are written. (1 - exp(-x) with x spread by a
/// variance v of its square falls short by v/2 x^2 exp(-x) on the mean, which is below 0.33 v of 1 - exp(-x); evenly spread
/// over a quarter, v is below 0.007.)
void Workload::cut_into_pieces() {
  std::vector<PageIndex> cuts;
  cuts.reserve(2 * parts_.size());
  for (const Part& part : parts_) {
    cuts.push_back(part.range.first);
    cuts.push_back(part.range.end());
    for (std::size_t k = 0, begin = 0; k < part.shares.size(); ++k) {
      if (part.shares[k] >= part.shares[begin] - part.shares[begin] / 4) continue;
      begin = k;
      cuts.push_back((part.range.first / 64 + k) * 64);
    }
  }
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());

  pieces_.reserve(cuts.size());
  covers_.reserve(cuts.size());
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    const PageRange range{cuts[i], cuts[i + 1] - cuts[i]};
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      if (intersect(parts_[p].range, range).count > 0) covers_.push_back({p, mean_share(parts_[p], range)});
    }
    pieces_.push_back({range, covers_.size()});
  }
}

/// What part of all its writes a page of `range` gets, on the mean.
models::Chance Workload::mean_share(const Part& part, PageRange range) {
  if (part.law == Law::kUniform) return ~models::Chance{0} / part.range.count;
  if (part.law != Law::kZipf) return 0;
  u128 sum = 0;
  for_each_word(PageRun::solid(range.first, range.count), [&](std::uint64_t word, std::uint64_t mask) {
    sum += static_cast<u128>(part.shares[word - part.range.first / 64]) * popcount(mask);
  });
  return static_cast<models::Chance>(sum / range.count);
}

std::uint64_t Workload::expected_distinct(Nanos from, Nanos to) const {
  std::vector<Doing> doing(parts_.size());
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    const Part& part = parts_[p];
    const Nanos a = local(part, from);
    const Nanos b = local(part, to);
    if (b <= a) continue;
    switch (part.law) {
      case Law::kUniform:
      case Law::kZipf: doing[p].exposure = models::total_exposure(part.rate_millionths, b - a); break;
      case Law::kSequential: {
        std::size_t n = 0;
        each_sweep(part, a, b, [&](PageRange range) { doing[p].swept[n++] = range; });
        break;
      }
      case Law::kTrace: {
        const std::uint64_t first = trace_intervals(part, a);
        doing[p].distinct_of = part.range.count;
        doing[p].distinct = part.distinct->in(*part.trace, part.range.count, first, trace_intervals(part, b) - first);
        break;
      }
    }
  }

  u128 written = 0;
  auto cover = covers_.begin();
  for (const Piece& piece : pieces_) {
    const std::uint64_t all = piece.range.count << kPageBits;
    std::uint64_t spared = all;
    u128 x = 0;
    for (; cover != covers_.begin() + static_cast<std::ptrdiff_t>(piece.covers_end); ++cover) {
      const Doing& part = doing[cover->part];
      x += models::exposure_of(part.exposure, cover->share);
      const std::uint64_t swept =
          intersect(part.swept[0], piece.range).count + intersect(part.swept[1], piece.range).count;
      if (swept > 0) spared = mul_div(spared, piece.range.count - swept, piece.range.count);
      if (part.distinct > 0) spared = mul_div(spared, part.distinct_of - part.distinct, part.distinct_of);
    }
    if (x > 0)
      spared = models::mul_high(spared, models::exp_minus(x > models::kExposureMax ? models::kExposureMax
                                                                                   : static_cast<models::Exposure>(x)));
    written += all - spared;
  }
  return static_cast<std::uint64_t>(written >> kPageBits);
}

}  // namespace godwit::workloads
