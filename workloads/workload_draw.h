#pragma once

// The drawing of writes, apart from workload.h only for length: include that.

#include <algorithm>
#include <type_traits>
#include <utility>

#include "base/page_set.h"
#include "models/block_bits.h"
#include "models/prng.h"
#include "workloads/workload.h"

namespace godwit::workloads {

/// Hands over pages of one block, at once or where `mark` takes only runs one word after another.
template <class Mark>
void tell(const BlockWords& some, Mark& mark) {
  if (some.present == 0) return;
  if constexpr (std::is_invocable_v<Mark&, const BlockWords&>)
    mark(some);
  else
    for_each_run(some, mark);
}

/// Whether a write to block `b` is nothing new to `mark`: then nobody needs to know which pages are written.
template <class Mark>
bool settled(const Mark& mark, std::uint64_t b) {
  if constexpr (requires { mark.settled(b); })
    return mark.settled(b);
  else
    return false;
}

/// Collects the pages drawn in one block.
class BlockDraw {
 public:
  void add(PageIndex offset) { add_word(offset / 64, std::uint64_t{1} << (offset % 64)); }
  void add_word(std::uint64_t word, std::uint64_t mask) {
    words_[word] |= mask;
    if (mask != 0) used_ |= std::uint64_t{1} << word;
  }
  template <class Mark>
  void flush(std::uint64_t block, Mark& mark) {
    tell(BlockWords{block, words_, used_}, mark);
    for_each_bit(std::exchange(used_, 0), [this](unsigned w) { words_[w] = 0; });
  }

 private:
  std::uint64_t words_[PageSet::kBlockWords] = {};
  std::uint64_t used_ = 0;
};

template <class Mark>
void Workload::writes(PageRange range, Nanos from, Nanos to, Mark&& mark) const {
  if (to <= from) return;
  for (const Part& part : parts_) {
    const Nanos a = local(part, from);
    const Nanos b = local(part, to);
    const PageRange mine = intersect(part.range, range);
    if (b <= a || mine.count == 0) continue;
    if constexpr (std::is_invocable_v<Mark&, Writer>) mark(Writer{part.process});
    const auto draw = [&](auto& tell) {
      switch (part.law) {
        case Law::kUniform: draw_uniform(part, mine, from, b - a, tell); break;
        case Law::kZipf: draw_zipf(part, mine, from, b - a, tell); break;
        case Law::kSequential: sweep(part, mine, a, b, tell); break;
        case Law::kTrace: replay(part, mine, a, b, tell); break;
      }
    };
    const auto as_zero = [&](const PageRun& run) { mark(run.as_zero()); };
    if (part.zeroes)
      draw(as_zero);
    else
      draw(mark);
  }
}

/// Where a 64-page word expects one write, bits are cheaper to draw than counts and places, many words side by side; where it
/// expects 4, also one by one.
inline constexpr models::Exposure kDense = (models::Exposure{1} << models::kExposureBits) / 64;
inline constexpr models::Exposure kDenseWord = 4 * kDense;
/// Where a block expects no more than one write, blocks are counted many at a time.
inline constexpr models::Exposure kScattered = (models::Exposure{1} << models::kExposureBits) / PageSet::kBlockPages;
/// The largest mean of a PoissonTable.
inline constexpr models::Exposure kCountMean = models::Exposure{8} << models::kExposureBits;

/// Counts the writes to granules of pages that expect `x` writes each (Poisson). A granule has `most` pages, or as many halves
/// of that as a table of chances can do.
class GranuleCounts {
 public:
  GranuleCounts(models::Exposure x, std::uint64_t most) : x_(x), granule_(granule_for(x, most)), whole_(x * granule_) {}

  std::uint64_t granule() const { return granule_; }
  /// Of a granule, or of the `pages` that are left of one.
  unsigned draw(std::uint64_t pages, std::uint64_t uniform) {
    return pages == granule_ ? whole_.draw(uniform) : models::PoissonTable(x_ * pages).draw(uniform);
  }

 private:
  static std::uint64_t granule_for(models::Exposure x, std::uint64_t granule) {
    while (granule > 1 && x > kCountMean / granule) granule = (granule + 1) / 2;
    return granule;
  }

  models::Exposure x_;
  std::uint64_t granule_;
  models::PoissonTable whole_;
};

/// Every page of the part is written with the same chance. Where few are, the writes of a granule of pages, which may be
/// many blocks, are counted (Poisson) and placed; where many are, each page of a word is decided by its own bit.
template <class Mark>
void Workload::draw_uniform(const Part& part, PageRange range, Nanos from, Nanos time, Mark& mark) const {
  const models::Exposure x = models::exposure(part.rate_millionths, time, part.range.count);
  if (x == 0) return;
  if (x >= kDense) return draw_dense(part, range, from, models::hit_chance(x), mark);
  if (x <= kScattered) return draw_scattered(part, range, from, x, mark);

  GranuleCounts counts(x, PageSet::kBlockPages);
  BlockDraw drawn;
  for (std::uint64_t b = range.first / PageSet::kBlockPages; b * PageSet::kBlockPages < range.end(); ++b) {
    if (settled(mark, b)) continue;
    const PageRange here = intersect(range, {b * PageSet::kBlockPages, PageSet::kBlockPages});
    models::Stream stream(seed_, part.consumer, b, static_cast<std::uint64_t>(from.count()));
    for (std::uint64_t done = 0; done < here.count; done += counts.granule()) {
      const std::uint64_t pages = std::min(counts.granule(), here.count - done);
      const unsigned n = counts.draw(pages, stream.next());
      for (unsigned i = 0; i < n; ++i) drawn.add(here.first + done + stream.below(pages) - b * PageSet::kBlockPages);
    }
    drawn.flush(b, mark);
  }
}

/// Every page of `range` expects `x` writes. Up to a whole group of blocks is one granule, with one stream, of its first
/// block: what is asked for in parts is drawn in parts.
template <class Mark>
void Workload::draw_scattered(const Part& part, PageRange range, Nanos from, models::Exposure x, Mark& mark) const {
  GranuleCounts counts(x, PageSet::kGroupPages);
  const std::uint64_t granule = counts.granule();
  for (std::uint64_t at = range.first / granule * granule; at < range.end(); at += granule) {
    const PageRange here = intersect(range, {at, granule});
    models::Stream stream(seed_, part.consumer, here.first / PageSet::kBlockPages,
                          static_cast<std::uint64_t>(from.count()));
    const unsigned n = counts.draw(here.count, stream.next());
    for (unsigned i = 0; i < n; ++i) {
      const PageIndex page = here.first + stream.below(here.count);
      mark(PageRun::of_word(page / 64, std::uint64_t{1} << (page % 64)));
    }
  }
}

/// Every page of `range` is written with chance `p`, a word at a time. Several blocks are drawn side by side.
template <class Mark>
void Workload::draw_dense(const Part& part, PageRange range, Nanos from, models::Chance p, Mark& mark) const {
  constexpr std::uint64_t kBlock = PageSet::kBlockPages;
  constexpr unsigned kPlaces = models::BlockBits::kPlaces;
  const models::BlockBits bits{seed_, part.consumer, static_cast<std::uint64_t>(from.count()), p};
  models::BlockBits::Out drawn;
  BlockDraw block;
  const std::uint64_t end = (range.end() + kBlock - 1) / kBlock;
  for (std::uint64_t b = range.first / kBlock; b < end; b += kPlaces) {
    const auto places = static_cast<unsigned>(std::min<std::uint64_t>(kPlaces, end - b));
    bool nothing_new = true;
    for (unsigned i = 0; i < places; ++i) nothing_new = nothing_new && settled(mark, b + i);
    if (nothing_new) continue;
    std::uint64_t words = 0;
    for (unsigned i = 0; i < places; ++i) {
      const PageRange here = intersect(range, {(b + i) * kBlock, kBlock});
      words = std::max(words, (here.end() + 63) / 64 - here.first / 64);
    }
    bits.draw(b, places, static_cast<unsigned>(words), drawn);
    for (unsigned i = 0; i < places; ++i) {
      const PageRange here = intersect(range, {(b + i) * kBlock, kBlock});
      if (here.count == kBlock) {  // as most are
        tell(BlockWords{b + i, drawn.words[i], drawn.present[i]}, mark);
        continue;
      }
      const std::uint64_t first = here.first / 64;  // a stream begins with the first word that is asked for
      for_each_word(PageRun::solid(here.first, here.count), [&](std::uint64_t word, std::uint64_t mask) {
        block.add_word(word % PageSet::kBlockWords, drawn.words[i][word - first] & mask);
      });
      block.flush(b + i, mark);
    }
  }
}

/// Every 64-page word has a chance of its own, falling with the address. Hot words are decided bit by bit; the others
/// by counting writes at the rate of the block's hottest such word and keeping each with the chance that its word deserves.
template <class Mark>
void Workload::draw_zipf(const Part& part, PageRange range, Nanos from, Nanos time, Mark& mark) const {
  const u128 total = models::total_exposure(part.rate_millionths, time);
  const auto exposure_of = [&](PageIndex page) {
    return models::exposure_of(total, part.shares[page / 64 - part.range.first / 64]);
  };

  BlockDraw drawn;
  for (std::uint64_t b = range.first / PageSet::kBlockPages; b * PageSet::kBlockPages < range.end(); ++b) {
    const PageRange here = intersect(range, {b * PageSet::kBlockPages, PageSet::kBlockPages});
    models::Stream stream(seed_, part.consumer, b, static_cast<std::uint64_t>(from.count()));
    PageIndex start = here.first;
    models::Exposure highest = exposure_of(start);
    while (highest >= kDenseWord) {
      const PageRange word = intersect(here, {start / 64 * 64, 64});
      for_each_word(PageRun::solid(word.first, word.count), [&](std::uint64_t w, std::uint64_t mask) {
        drawn.add_word(w % PageSet::kBlockWords, stream.bits(models::hit_chance(highest)) & mask);
      });
      start = word.end();
      highest = start < here.end() ? exposure_of(start) : 0;
    }
    if (highest == 0) {
      drawn.flush(b, mark);
      continue;
    }

    const std::uint64_t pages = here.end() - start;
    GranuleCounts counts(highest, pages);
    for (std::uint64_t done = 0; done < pages; done += counts.granule()) {
      const std::uint64_t n_pages = std::min(counts.granule(), pages - done);
      const unsigned n = counts.draw(n_pages, stream.next());
      for (unsigned i = 0; i < n; ++i) {
        const PageIndex page = start + done + stream.below(n_pages);
        if (stream.below(highest) < exposure_of(page)) drawn.add(page - b * PageSet::kBlockPages);
      }
    }
    drawn.flush(b, mark);
  }
}

/// Calls `tell(PageRange)`, once or twice, for what a sequential part writes: one page after another, round and round; the
/// n-th write falls at n / rate.
template <class Tell>
void Workload::each_sweep(const Part& part, Nanos from, Nanos to, Tell&& tell) {
  const auto count_by = [&](Nanos t) {
    return mul_div(static_cast<std::uint64_t>(t.count()), part.rate_millionths, kNanosPerSecond * 1'000'000);
  };
  const std::uint64_t first = count_by(from);
  const std::uint64_t writes = std::min(count_by(to) - first, part.range.count);
  if (writes == 0) return;
  const std::uint64_t begin = first % part.range.count;
  const std::uint64_t before_wrap = std::min(writes, part.range.count - begin);
  tell(PageRange{part.range.first + begin, before_wrap});
  if (writes > before_wrap) tell(PageRange{part.range.first, writes - before_wrap});
}

template <class Mark>
void Workload::sweep(const Part& part, PageRange range, Nanos from, Nanos to, Mark& mark) {
  each_sweep(part, from, to, [&](PageRange run) {
    run = intersect(run, range);
    if (run.count > 0) mark(PageRun::solid(run.first, run.count));
  });
}

/// A page that a trace shows as written in an interval counts as written at the interval's end.
template <class Mark>
void Workload::replay(const Part& part, PageRange range, Nanos from, Nanos to, Mark& mark) const {
  const std::uint64_t size = part.trace->interval_count();
  const std::uint64_t first = trace_intervals(part, from);
  const std::uint64_t last = trace_intervals(part, to);
  for (std::uint64_t i = first; i < last && i - first < size; ++i) {
    for (const Run& run : part.trace->runs(i % size)) {
      const PageRange pages = intersect({part.range.first + run.first, run.count}, range);
      if (pages.count > 0) mark(PageRun::solid(pages.first, pages.count));
    }
  }
}

}  // namespace godwit::workloads
