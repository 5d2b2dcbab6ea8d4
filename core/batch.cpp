#include "core/batch.h"

#include <algorithm>
#include <array>
#include <bit>

namespace godwit::core {
namespace {

constexpr std::uint64_t kRowsMost = 1024;  // of a column that is looked at as a whole: of 4 GiB

}  // namespace

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
  std::uint64_t pages = 0, zero = 0;
  for (const PageRun& run : runs) {
    const std::uint64_t count = run.count();
    pages += count;
    zero += run.is_zero() ? count : 0;
  }
  BatchSize size{.pages = {pages}, .zero = {zero}};
  size.bytes = charge.normal_page * (pages - zero) + charge.zero_page * zero;
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
    std::uint64_t pages = popcount(mask);
    for (; pages > left; --pages) mask &= mask - 1;  // the highest are the nearest
    if (pages == left) low_ += static_cast<unsigned>(std::countr_zero(mask));
    out[taken++] = PageRun::of_word(word, mask);
    pending.remove_word(word, mask);
    left -= pages;
  }
  return taken;
}

// Source of the order: the permutation of tools/libxc/xc_linux_save.c, 2004, the index rotated left by ten bits. It goes
// down 1,024 columns, one after the other: the pages whose numbers end with the same ten bits. Columns that all fit into
// what is taken are taken together, a word's pages at once: within one batch, which is picked at one instant.
std::size_t Walk::take_rotated(PageSet& pending, Pages pages_max, std::span<PageRun> out) {
  const unsigned row_bits = bits_ - 10;
  const std::uint64_t rows = std::uint64_t{1} << row_bits, period = std::uint64_t{1} << bits_;
  std::uint64_t left = pages_max.value;
  std::size_t taken = 0;
  const std::uint64_t end = std::min(rows * 16, (size_ + 63) / 64);
  for (std::uint64_t looked = 0; looked < period && left > 0 && taken < out.size() && !pending.empty();) {
    const std::uint64_t column = at_ >> row_bits, row = at_ & (rows - 1);
    const bool whole = row == 0 && rows <= std::min(kRowsMost, out.size() - taken);
    const std::uint64_t columns = whole ? columns_within(pending, column, left) : 0;
    const std::uint64_t mask = bits_between(column % 64, column % 64 + std::max<std::uint64_t>(columns, 1));
    std::uint64_t word = row * 16 + column / 64;
    taken += pending.take_strided(word, end, 16, mask, left, out.subspan(taken));
    // Rows at the end that memory does not have are passed with the last that it has.
    const std::uint64_t passed = columns > 0 ? columns << row_bits : (word < end ? word / 16 : rows) - row;
    looked += passed;
    at_ = (at_ + passed) & (period - 1);
  }
  return taken;
}

/// How many columns from `column` on, in the same words, have no more than `most` pages together.
std::uint64_t Walk::columns_within(const PageSet& pending, std::uint64_t column, std::uint64_t most) const {
  // The columns are counted side by side: bit c of planes[i] is bit i of the number of pages in column c. The four rows that
  // a block has are added up before the planes: a carry beyond the first few planes then is rare.
  std::array<std::uint64_t, 11> planes{};
  static_assert(kRowsMost < std::uint64_t{1} << 11);
  PageSet::Reader words(pending);
  for (std::uint64_t block = 0; block < pending.block_count(); ++block) {
    const std::uint64_t* word = words.block(block) + column / 64;
    const std::uint64_t a = word[0], b = word[16], c = word[32], d = word[48];
    const std::uint64_t abc = a ^ b ^ c, abc_carry = (a & b) | (c & (a ^ b));
    const std::uint64_t ones = abc ^ d, ones_carry = abc & d;
    const std::uint64_t twos = abc_carry ^ ones_carry, fours = abc_carry & ones_carry;
    std::uint64_t carry = planes[0] & ones;
    planes[0] ^= ones;
    const std::uint64_t half = planes[1] ^ twos;
    const std::uint64_t next = (planes[1] & twos) | (half & carry);
    planes[1] = half ^ carry;
    carry = (planes[2] & fours) | ((planes[2] ^ fours) & next);
    planes[2] ^= fours ^ next;
    for (std::size_t i = 3; carry != 0; ++i) {
      const std::uint64_t both = planes[i] & carry;
      planes[i] ^= carry;
      carry = both;
    }
  }
  std::uint64_t pages = 0;
  for (std::uint64_t c = column % 64; c < 64; ++c) {
    for (std::size_t i = 0; i < planes.size(); ++i) pages += (planes[i] >> c & 1) << i;
    if (pages > most) return c - column % 64;
  }
  return 64 - column % 64;
}

}  // namespace godwit::core
