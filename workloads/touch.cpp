#include <algorithm>
#include <optional>

#include "workloads/workload.h"

// When a workload comes upon a page that is not there: what post-copy's faults are drawn from.
namespace godwit::workloads {
namespace {

constexpr Nanos kFar{std::int64_t{365} * 24 * 3600 * 1'000'000'000};

/// An exponentially distributed number of mean 1, in parts of 2^32: -ln(u) = -log2(u) ln 2.
std::uint64_t exponential(models::Stream& stream) {
  constexpr std::uint64_t kLn2 = 0xb17217f7;  // ln 2 in parts of 2^32
  const std::uint64_t u = stream.next() | 1;
  const std::uint64_t minus_log2 = (std::uint64_t{64} << 32) - models::log2_fixed(u);
  return static_cast<std::uint64_t>(static_cast<u128>(minus_log2) * kLn2 >> 32);
}

/// The first page of `missing` in `range`, or its end.
PageIndex first_page(const PageSet& missing, PageRange range) {
  PageIndex found = range.end();
  missing.for_each_run(range, [&](const PageRun& run) { return found = run.first(), false; });
  return found;
}

}  // namespace

Workload::Touch Workload::next_touch(const PageSet& missing, Nanos from, std::uint64_t draw) const {
  Touch next;
  std::optional<Hit> hit;
  for (const Part& part : parts_) {
    const Nanos began = local(part, from);
    Touch touch;
    std::optional<Hit> mine;
    switch (part.law) {
      case Law::kUniform:
      case Law::kZipf:
        mine = next_hit(part, missing, from, draw);
        if (mine) touch.at = began + mine->wait;
        break;
      case Law::kSequential: touch = sweeping_touch(part, missing, began); break;
      case Law::kTrace: touch = recorded_touch(part, missing, began); break;
    }
    touch.at = guest_time(part, touch.at, from);
    if (touch.at >= next.at) continue;
    next = touch;
    hit = mine;
  }
  if (hit) next.page = page_of(*hit, missing);
  return next;
}

/// When the part's own time comes to `at`, by bisection; kNever where that is more than a year after `from`.
Nanos Workload::guest_time(const Part& part, Nanos at, Nanos from) const {
  Nanos low = from;
  Nanos high = later(from, kFar);
  if (at == kNever) return kNever;
  if (part.schedule.always() && processes_[part.process].always_runs()) return high < at ? kNever : at;
  if (local(part, high) < at) return kNever;
  while (high - low > Nanos{1}) {
    const Nanos middle = low + (high - low) / 2;
    (local(part, middle) < at ? low : high) = middle;
  }
  return high;
}

/// Writes to missing pages come at the part's rate x the share of its writes that go there; which page is hit does not
/// depend on when. Nothing where none comes within a year.
std::optional<Workload::Hit> Workload::next_hit(const Part& part, const PageSet& missing, Nanos from,
                                                std::uint64_t draw) const {
  constexpr std::uint64_t kTouches = std::uint64_t{1} << 63;  // no block of pages has such a number
  u128 share = 0;                                             // in parts of 2^64; all of it at most
  std::uint64_t out_of = 0;
  if (part.law == Law::kUniform) {
    out_of = missing.count_in(part.range);
    share = (static_cast<u128>(out_of) << 64) / part.range.count;
  } else {
    missing.for_each_run(part.range, [&](const PageRun& run) {
      for_each_word(run, [&](std::uint64_t word, std::uint64_t mask) {
        share += static_cast<u128>(part.share_of(word)) * popcount(mask);
      });
    });
    out_of = static_cast<std::uint64_t>(share);
  }
  const u128 rate = share * part.rate_millionths;  // in parts of 2^64 of a millionth of a write per second
  if (rate == 0) return std::nullopt;
  models::Stream stream(seed_, part.consumer, kTouches | draw, static_cast<std::uint64_t>(from.count()));
  const u128 gap = (static_cast<u128>(exponential(stream)) << 32) * kNanosPerSecond * kMillion / rate;
  if (gap >= static_cast<u128>(kFar.count())) return std::nullopt;
  return Hit{&part, stream, Nanos{static_cast<std::int64_t>(gap)} + Nanos{1}, out_of};
}

PageIndex Workload::page_of(Hit& hit, const PageSet& missing) {
  const Part& part = *hit.part;
  std::uint64_t left = hit.stream.below(hit.out_of);
  if (part.law == Law::kUniform) return missing.nth_in(part.range, left);
  std::optional<PageIndex> page;
  missing.for_each_run(part.range, [&](const PageRun& run) {
    for_each_word(run, [&](std::uint64_t word, std::uint64_t mask) {
      if (page) return;
      const auto pages = popcount(mask);
      const std::uint64_t mine = part.share_of(word) * pages;
      if (left < mine)
        page = missing.nth_in(intersect({word * 64, 64}, missing.all()), hit.stream.below(pages));
      else
        left -= mine;
    });
    return !page;
  });
  return page.value();
}

Workload::Touch Workload::sweeping_touch(const Part& part, const PageSet& missing, Nanos local) const {
  if (part.rate_millionths == 0) return {};
  const u128 per_write = static_cast<u128>(kNanosPerSecond) * kMillion;
  const std::uint64_t next = mul_div(static_cast<std::uint64_t>(local.count()), part.rate_millionths,
                                     kNanosPerSecond * kMillion);  // the number of the next write
  const std::uint64_t at = next % part.range.count;
  const PageRange onward{part.range.first + at, part.range.count - at};
  PageIndex page = first_page(missing, onward);
  std::uint64_t ahead = page - onward.first;
  if (page == onward.end()) {
    page = first_page(missing, part.range);
    if (page == part.range.end()) return {};
    ahead = onward.count + (page - part.range.first);
  }
  // The n-th write, from 1 on, falls at n / rate.
  const u128 when = (static_cast<u128>(next + ahead + 1) * per_write + part.rate_millionths - 1) / part.rate_millionths;
  if (when >= static_cast<u128>(kFar.count()) * 2) return {};
  return {Nanos{static_cast<std::int64_t>(when)}, page};
}

/// A trace does not say when in an interval its pages were written, but touches come one by one: as if spread evenly, the
/// m-th of n at m / n of the interval. (All at its end would be one touch an interval: the others would lie in the past.)
Workload::Touch Workload::recorded_touch(const Part& part, const PageSet& missing, Nanos local) const {
  const auto length = static_cast<std::uint64_t>(part.trace->interval.count());
  const std::uint64_t size = part.trace->interval_count();
  const std::uint64_t now = recorded_time(part, local);
  const std::uint64_t first = now / length;
  const auto mine = [&](const Run& run) { return intersect({part.range.first + run.first, run.count}, part.range); };
  for (std::uint64_t i = first; i <= first + size && (part.repeat || i < size); ++i) {
    const std::span<const Run> runs = part.trace->runs(i % size);
    std::uint64_t n = 0;
    for (const Run& run : runs) n += mine(run).count;
    if (n == 0) continue;
    // Of the interval that is on, those are over with m / n x length <= now.
    std::uint64_t over = i == first ? mul_div_up(now % length + 1, n, length) - 1 : 0;
    std::uint64_t m = 0;
    for (const Run& run : runs) {
      PageRange pages = mine(run);
      m += pages.count;
      const std::uint64_t skipped = std::min(pages.count, over);
      over -= skipped;
      pages = {pages.first + skipped, pages.count - skipped};
      if (pages.count == 0) continue;
      const PageIndex page = first_page(missing, pages);
      if (page == pages.end()) continue;
      return {when_recorded(part, static_cast<u128>(i) * length + mul_div(m - (pages.end() - page) + 1, length, n)),
              page};
    }
  }
  return {};
}

/// When the part's own time has come to `recorded` of the trace. Requires that not to be at its start.
Nanos Workload::when_recorded(const Part& part, u128 recorded) {
  const u128 played = (recorded - static_cast<std::uint64_t>(part.offset.count())) * kMillion;
  const u128 when = (played + part.speed_millionths - 1) / part.speed_millionths;
  return when >= static_cast<u128>(kFar.count()) * 2 ? kNever : Nanos{static_cast<std::int64_t>(when)};
}

}  // namespace godwit::workloads
