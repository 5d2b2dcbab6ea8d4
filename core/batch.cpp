#include "core/batch.h"

#include <algorithm>
#include <bit>

namespace godwit::core {

std::size_t keep_first(std::span<PageRun> runs, Pages pages, PageRun& rest) {
  rest = {};
  std::uint64_t left = pages.value;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (left == 0) return i;
    if (runs[i].count() > left) {
      rest = runs[i].split_after(left);
      return i + 1;
    }
    left -= runs[i].count();
  }
  return runs.size();
}

BatchSize size_of(std::span<const PageRun> runs, const Charge& charge) {
  BatchSize size;
  for (const PageRun& run : runs) {
    size.pages.value += run.count();
    if (run.is_zero()) size.zero.value += run.count();
    size.bytes += charge.of(run);
  }
  size.bytes += charge.packets(charge.zero_in_packet ? size.pages : size.pages - size.zero);
  return size;
}

Pages pages_beyond(std::span<const PageRun> runs, const Charge& charge, Bytes budget, Pages granule) {
  std::uint64_t pages = 0;
  std::uint64_t normal = 0;  // since the start, for lumps
  std::uint64_t left = budget.value;
  for (const PageRun& run : runs) {
    const std::uint64_t cost = run.is_zero() ? charge.zero_page.value : charge.normal_page.value;
    // Of this run, or one more than it has: the quotient itself may be as large as the budget.
    const bool reached = cost > 0 && left / cost < run.count();
    std::uint64_t wanted = reached ? left / cost + 1 : run.count() + 1;
    if (!run.is_zero()) {
      wanted = (normal + wanted + granule.value - 1) / granule.value * granule.value - normal;
    }
    if (wanted <= run.count()) return {pages + wanted};
    pages += run.count();
    if (!run.is_zero()) normal += run.count();
    const std::uint64_t spent = cost * run.count();
    left = spent < left ? left - spent : 0;
  }
  return {pages};
}

Walk::Walk(PageOrder order, Pages size) : order_(order), size_(size.value) {
  bits_ = static_cast<unsigned>(std::bit_width(size_ - 1));
  if (order_ == PageOrder::kRotated && bits_ <= 10) order_ = PageOrder::kAscending;  // nothing to rotate
}

std::size_t Walk::take(PageSet& pending, Pages pages_max, std::uint64_t chunk, std::span<PageRun> out) {
  if (pending.empty()) return 0;
  if (order_ == PageOrder::kBubble) return take_bubble(pending, pages_max, out);
  return order_ == PageOrder::kAscending ? take_ascending(pending, pages_max, chunk, out)
                                         : take_rotated(pending, pages_max, out);
}

std::size_t Walk::take_ascending(PageSet& pending, Pages pages_max, std::uint64_t chunk, std::span<PageRun> out) {
  PageIndex first = pending.first_from(at_);
  if (first == size_) {
    first = pending.first_from(0);
    wrapped_ = true;
  }
  const PageIndex end = chunk > 0 ? std::min(size_, (first / chunk + 1) * chunk) : size_;
  const std::size_t taken = pending.take({first, end - first}, pages_max.value, out);
  const PageRun& last = out[taken - 1];
  at_ = last.is_mask() ? last.word() * 64 + 64 - static_cast<unsigned>(std::countl_zero(last.mask()))
                       : last.first() + last.count();
  return taken;
}

/// Half upwards from the bubble's upper end, half downwards from its lower one, and each goes round at memory's end.
std::size_t Walk::take_bubble(PageSet& pending, Pages pages_max, std::span<PageRun> out) {
  const std::uint64_t half = std::max<std::uint64_t>(pages_max.value / 2, 1);
  std::size_t taken = take_ascending(pending, {half}, 0, out.first((out.size() + 1) / 2));
  // Downwards a word at a time, the lower end first looked for in its own word.
  std::uint64_t left = pages_max.value > half ? pages_max.value - half : 0;
  const std::uint64_t words = (size_ + 63) / 64;
  for (std::uint64_t looked = 0; looked < words && left > 0 && taken < out.size() && !pending.empty(); ++looked) {
    if (low_ == 0) low_ = size_;
    const std::uint64_t word = (low_ - 1) / 64;
    const unsigned above = static_cast<unsigned>(low_ - word * 64);  // pages of the word below the lower end
    std::uint64_t mask = pending.word(word) & (above == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << above) - 1);
    low_ = word * 64;
    if (mask == 0) continue;
    while (popcount(mask) > left) mask &= mask - 1;  // the highest are the nearest
    if (popcount(mask) == left) low_ += static_cast<unsigned>(std::countr_zero(mask));
    out[taken++] = PageRun::of_word(word, mask);
    pending.remove_word(word, mask);
    left -= popcount(mask);
  }
  return taken;
}

std::size_t Walk::take_rotated(PageSet& pending, Pages pages_max, std::span<PageRun> out) {
  // Source: the permutation of tools/libxc/xc_linux_save.c, 2004: the index rotated left by ten bits.
  const std::uint64_t period = std::uint64_t{1} << bits_;
  std::size_t taken = 0;
  for (std::uint64_t looked = 0; looked < period && taken < out.size() && taken < pages_max.value; ++looked) {
    const std::uint64_t page = ((at_ >> (bits_ - 10)) | (at_ << 10)) & (period - 1);
    at_ = (at_ + 1) & (period - 1);
    if (page >= size_ || !pending.contains(page)) continue;
    out[taken++] = PageRun::of_word(page / 64, std::uint64_t{1} << (page % 64));
    pending.remove(page);
    if (pending.empty()) break;
  }
  return taken;
}

}  // namespace godwit::core
