#include "core/source.h"

#include <algorithm>
#include <bit>

// Plan::deltas: a page that the source remembers goes as what has changed in it.
namespace godwit::core {
namespace {

template <class Visit>
void for_each_page_of(std::uint64_t word, std::uint64_t mask, Visit&& visit) {
  for (; mask != 0; mask &= mask - 1) visit(word * 64 + static_cast<unsigned>(std::countr_zero(mask)));
}

}  // namespace

/// From the second scan on the source remembers what it sends.
bool Source::remembers() const { return cache_.on() && scanned_ && !handed_over_; }

/// Moves the pages of batch_ that the cache has to aside_, if they have changed; those that have not need not go. The
/// others stay in batch_. Returns their runs.
std::size_t Source::split_deltas(std::size_t runs) {
  aside_.clear();
  std::size_t plain = 0;
  const auto stays = [&](const PageRun& run) {
    if (plain < picked_.size()) {
      picked_[plain++] = run;
    } else {
      pending_.add(run);  // no room in this record: the next one takes it
    }
  };
  for (const PageRun& run : batch_.first(runs)) {
    if (run.is_zero()) {
      stays(run);
      continue;
    }
    for_each_word(run, [&](std::uint64_t word, std::uint64_t mask) {
      std::uint64_t cached = 0;
      for_each_page_of(word, mask, [&](PageIndex page) {
        if (cache_.use(page, round_.index)) cached |= std::uint64_t{1} << (page % 64);
      });
      if (cached != mask) stays(PageRun::of_word(word, mask & ~cached));
      if (cached == 0) return;
      const std::uint64_t changed = memory_.changed(word, cached);
      if (changed != 0) aside_.add_word(word, changed);
      round_.skipped.value += popcount(cached & ~changed);
    });
  }
  std::copy_n(picked_.begin(), plain, batch_.begin());
  return plain;
}

/// The cache takes in what was sent whole, but for the last pass.
void Source::remember(const Record& sent) {
  if (!remembers() || stopped_ || sent.charge.delta) return;
  for (const PageRun& run : sent.runs) {
    if (run.is_zero()) continue;
    for_each_word(run, [&](std::uint64_t word, std::uint64_t mask) {
      for_each_page_of(word, mask, [&](PageIndex page) { cache_.keep(page, round_.index); });
    });
  }
}

/// Sends what has changed in the pages of aside_, as far as one record and the limits go.
Task<Done> Source::send_deltas(Bytes bytes_max, Nanos not_after) {
  if (aside_.empty()) co_return Done{};
  Walk walk(PageOrder::kAscending, memory_.size());
  const std::size_t runs = walk.take(aside_, memory_.size(), 0, batch_);
  co_await send_runs(runs, delta_charge(), bytes_max, not_after);
  co_return Done{};
}

/// What is left in aside_ is pending again.
void Source::give_back_deltas() {
  if (aside_.empty()) return;
  Walk walk(PageOrder::kAscending, memory_.size());
  const std::size_t first = walk.take(aside_, {1}, 0, picked_);
  put_back(pending_, picked_.first(first), {});
  pending_.add(aside_, aside_.all());
  aside_.clear();
}

Charge Source::delta_charge() const {
  const Bytes size = memory_.delta_size() + plan_.framing.delta_header;
  const Bytes plain = memory_.page_size() + plan_.framing.page_header;
  if (size >= plain) return charge();
  return {.normal_page = size, .zero_page = plan_.framing.zero_page, .delta = true};
}

}  // namespace godwit::core
