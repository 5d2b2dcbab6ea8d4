#include "sim/memory_port.h"

#include <algorithm>

namespace godwit::sim {
namespace {

/// Cuts pages from the front of a run into runs of zero pages and of others, while there is room.
class Cutter {
 public:
  Cutter(const PageSet& zero, std::span<PageRun> out) : zero_(zero), out_(out) {}

  /// Both kinds of a word at once, or nothing.
  bool word(std::uint64_t word, std::uint64_t mask) {
    const std::uint64_t zeroes = mask & zero_.word(word);
    const std::uint64_t others = mask & ~zeroes;
    if (written_ + (zeroes != 0) + (others != 0) > out_.size()) return false;
    if (others != 0) out_[written_++] = PageRun::of_word(word, others);
    if (zeroes != 0) out_[written_++] = PageRun::of_word(word, zeroes).as_zero();
    return true;
  }

  /// From `at` on towards `end`. Returns where it stopped.
  PageIndex range(PageIndex at, PageIndex end) {
    zero_.for_each_run({at, end - at}, [&](const PageRun& run) {
      if (run.is_mask()) {
        const PageIndex word_first = run.word() * 64;
        if (!solid(at, std::max(at, word_first))) return false;
        const PageIndex word_end = std::min(end, word_first + 64);
        std::uint64_t mask = ~std::uint64_t{0} << (at - word_first);
        if (word_end < word_first + 64) mask &= (std::uint64_t{1} << (word_end - word_first)) - 1;
        if (!word(run.word(), mask)) return false;
        at = word_end;
        return true;
      }
      if (!solid(at, run.first()) || written_ == out_.size()) return false;
      out_[written_++] = run.as_zero();
      at = run.first() + run.count();
      return true;
    });
    if (written_ < out_.size() && zero_.count_in({at, end - at}) == 0) solid(at, end);
    return at;
  }

  std::size_t written() const { return written_; }

 private:
  /// Pages `at` ... `until` - 1, none of them zero; moves `at`.
  bool solid(PageIndex& at, PageIndex until) {
    if (until == at) return true;
    if (written_ == out_.size()) return false;
    out_[written_++] = PageRun::solid(at, until - at);
    at = until;
    return true;
  }

  const PageSet& zero_;
  std::span<PageRun> out_;
  std::size_t written_ = 0;
};

}  // namespace

std::size_t MemoryPort::classify(PageRun& head, std::span<PageRun> out) {
  if (out.empty()) return 0;
  c_.memory().test_zero(head, c_.guest_now());
  c_.settle_faults();
  const PageSet& zero = c_.memory().zero();
  if (zero.empty()) {
    out[0] = head;
    head = {};
    return 1;
  }
  Cutter cutter(zero, out);
  if (head.is_mask()) {
    if (cutter.word(head.word(), head.mask())) head = {};
  } else {
    const PageIndex end = head.first() + head.count();
    const PageIndex at = cutter.range(head.first(), end);
    head = at < end ? PageRun::solid(at, end - at) : PageRun{};
  }
  return cutter.written();
}

std::uint64_t MemoryPort::changed(std::uint64_t word, std::uint64_t mask) {
  const std::uint64_t changed = c_.memory().changed(word, mask, c_.guest_now());
  c_.settle_faults();
  return changed;
}

/// One write has changed so many bytes in a row, which takes two lengths of three bytes together to say. Source: QEMU,
/// migration/xbzrle.c. A page that was written more than once has changed in more places; that is not counted.
Bytes MemoryPort::delta_size() const {
  const Bytes written = c_.guest.options->workload.bytes_per_write;
  if (written.value == 0) return page_size();
  return std::min(page_size(), written + Bytes{3});
}

core::Await<core::Done> MemoryPort::free_pages(core::FreeBy by, PageSet& into) {
  using core::FreeBy;
  if (by == FreeBy::kHints || by == FreeBy::kMoreHints) return hints(by == FreeBy::kHints, into), core::Done{};
  const models::CostProfile& costs = c_.source_profile();
  const auto tell = [this, by, &into] {
    c_.advance_all();
    if (by == FreeBy::kDrop) return drop_page_cache(into);
    into.add(c_.memory().free(), into.all());
  };
  if (by == FreeBy::kBalloon) {
    c_.advance_all();  // each page that is free when it begins has its price; one that is written meanwhile stays
    const Nanos cost = costs.balloon_page * static_cast<std::int64_t>(c_.memory().free().count().value);
    return c_.take(cost, Activity::kTrack, Side::kSource, tell);
  }
  const Nanos cost = per_gib(costs.free_scan_per_gib, page_size() * size().value);
  return c_.take(cost, Activity::kHarvest, Side::kSource, tell);
}

void MemoryPort::drop_page_cache(PageSet& into) {
  c_.memory().drop_page_cache(into);
  c_.result.dropped = into.count();
  c_.result.reread = per_gib(c_.destination_profile().disk_read_per_gib, page_size() * into.count().value);
}

/// The guest takes free blocks of 4 MiB from its allocator and tells of them, one after another. Source: Linux,
/// drivers/virtio/virtio_balloon.c; that they ascend is assumed.
void MemoryPort::hints(bool again, PageSet& into) {
  if (again) {
    hints_from_ = c_.now();
    hints_at_ = 0;
    hinted_ = 0;
  }
  const std::uint64_t pages = std::max<std::uint64_t>(1, (std::uint64_t{4} << 20) / c_.memory().page_size().value);
  const Nanos each = c_.source_profile().free_block;
  for (; (hints_at_ + 1) * pages <= c_.memory().size().value; ++hints_at_) {
    const PageRange block{hints_at_ * pages, pages};
    if (c_.memory().free().count_in(block) < pages) continue;
    if (c_.now() - hints_from_ < each * (hinted_ + 1)) break;
    c_.memory().advance(block, c_.guest_now());
    c_.settle_faults();
    if (c_.memory().free().count_in(block) < pages) continue;
    ++hinted_;
    c_.bill(Side::kSource, Activity::kTrack, each);
    into.add(block);
  }
}

core::Await<core::Done> MemoryPort::copy_to_shadow(PageSet& pages) {
  const Nanos cost = c_.source_profile().shadow_copy_page * static_cast<std::int64_t>(pages.count().value);
  return c_.take(cost, Activity::kCopy, Side::kSource, [this, &pages] {
    c_.memory().gathered(pages);
    if (const std::optional<PageBytes>& bytes = c_.memory().bytes()) {
      c_.snapshot = bytes;
      pages.for_each_run(pages.all(), [&](const PageRun& run) {
        for_each_page(run, [&](PageIndex index) {
          const std::span<const std::byte> page = bytes->page(index);
          c_.shadow[index].assign(page.begin(), page.end());
        });
      });
    }
    c_.memory().snapshot_taken();
    c_.sender.shadowed();
    c_.snapshot_taken = true;
    c_.result.snapshot_at = c_.guest_now();
    c_.note_set(RecordKind::kShadowed, pages);
  });
}

}  // namespace godwit::sim
