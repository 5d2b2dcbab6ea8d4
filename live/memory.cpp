#include "live/memory.h"

#include "live/checksum.h"

#include <sys/mman.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace godwit::live {

bool OwnPages::read(std::span<const PageRange> ranges, std::byte* to, std::uint32_t& crc) {
  for (const PageRange& range : ranges) {
    const AddressRange from = memory_.range(range);
    crc = copy_crc32c(crc, to, reinterpret_cast<const std::byte*>(from.begin), from.end - from.begin);
    to += from.end - from.begin;
  }
  return true;
}

bool ForeignPages::read(std::span<const PageRange> ranges, std::byte* to, std::uint32_t& crc) {
  constexpr std::size_t kAtOnce = 512;
  while (!ranges.empty()) {
    std::array<iovec, kAtOnce> from;
    const std::size_t count = std::min(kAtOnce, ranges.size());
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const AddressRange range = memory_.range(ranges[i]);
      from[i] = {.iov_base = reinterpret_cast<void*>(range.begin), .iov_len = range.end - range.begin};
      bytes += from[i].iov_len;
    }
    const iovec target{.iov_base = to, .iov_len = bytes};
    const ssize_t got = ::process_vm_readv(process_, &target, 1, from.data(), count, 0);
    if (got < 0 || static_cast<std::size_t>(got) != bytes) return false;
    crc = crc32c(crc, {to, bytes});
    to += bytes;
    ranges = ranges.subspan(count);
  }
  return true;
}

Shadow::Shadow(std::uint64_t pages) : pages_(pages) {
  void* space =
      ::mmap(nullptr, pages * kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (space != MAP_FAILED) begin_ = static_cast<std::byte*>(space);
}

Shadow::~Shadow() {
  if (begin_ != nullptr) ::munmap(begin_, pages_ * kPageBytes);
}

bool Shadow::read(std::span<const PageRange> ranges, std::byte* to, std::uint32_t& crc) {
  for (const PageRange& range : ranges) {
    crc = copy_crc32c(crc, to, page(range.first), range.count * kPageBytes);
    to += range.count * kPageBytes;
  }
  return true;
}

bool is_zero_page(const std::byte* page) {
  std::array<std::uint64_t, 8> words{};
  for (std::size_t at = 0; at < kPageBytes; at += sizeof words) {
    std::memcpy(words.data(), page + at, sizeof words);
    std::uint64_t any = 0;
    for (const std::uint64_t word : words) any |= word;
    if (any != 0) return false;
  }
  return true;
}

namespace {

/// The pages of `mask` for which `at(bit)` leads to a page of zeroes.
template <class At>
std::uint64_t zeroes_among(std::uint64_t mask, At&& at) {
  std::uint64_t found = 0;
  for (; mask != 0; mask &= mask - 1) {
    if (is_zero_page(at(static_cast<unsigned>(std::countr_zero(mask))))) found |= mask & ~(mask - 1);
  }
  return found;
}

/// Appends pages of one word to a list of runs; what is solid and follows on a solid run of its kind joins it.
void append(std::span<PageRun> out, std::size_t& used, std::uint64_t word, std::uint64_t mask, bool zero) {
  if (mask == 0) return;
  const auto first = static_cast<unsigned>(std::countr_zero(mask));
  const auto count = static_cast<unsigned>(std::popcount(mask));
  PageRun run = PageRun::of_word(word, mask);
  if (std::countr_one(mask >> first) == static_cast<int>(count)) {
    run = PageRun::solid(word * 64 + first, count);
    if (used > 0) {
      const PageRun& last = out[used - 1];
      if (!last.is_mask() && last.is_zero() == zero && last.first() + last.count() == run.first()) {
        run = PageRun::solid(last.first(), last.count() + count);
        --used;
      }
    }
  }
  out[used++] = zero ? run.as_zero() : run;
}

}  // namespace

std::uint64_t OwnPages::zero_pages(std::uint64_t word, std::uint64_t mask) {
  const auto* begin = reinterpret_cast<const std::byte*>(memory_.begin) + word * 64 * kPageBytes;
  return zeroes_among(mask, [=](unsigned bit) { return begin + bit * kPageBytes; });
}

std::uint64_t Shadow::zero_pages(std::uint64_t word, std::uint64_t mask) {
  return zeroes_among(mask, [&](unsigned bit) { return page(word * 64 + bit); });
}

std::uint64_t ForeignPages::zero_pages(std::uint64_t word, std::uint64_t mask) {
  const auto first = static_cast<unsigned>(std::countr_zero(mask));
  const auto last = 63 - static_cast<unsigned>(std::countl_zero(mask));
  const PageRange range{word * 64 + first, last - first + 1};
  std::uint32_t unused = 0;
  if (!read({&range, 1}, word_.data(), unused)) return 0;
  return zeroes_among(mask, [&](unsigned bit) { return word_.data() + (bit - first) * kPageBytes; });
}

std::size_t Memory::classify(PageRun& head, std::span<PageRun> out) {
  std::size_t used = 0;
  while (head.count() > 0 && used + 2 <= out.size()) {
    PageRun part = head;
    const std::uint64_t here = part.is_mask() ? part.count() : 64 - part.first() % 64;
    head = part.count() > here ? part.split_after(here) : PageRun{};
    for_each_word(part, [&](std::uint64_t word, std::uint64_t mask) {
      const std::uint64_t zeroes = pages_.zero_pages(word, mask);
      append(out, used, word, mask & ~zeroes, false);
      append(out, used, word, zeroes, true);
    });
  }
  return used;
}

core::Await<core::Done> Memory::copy_to_shadow(PageSet&) { return core::Done{}; }

}  // namespace godwit::live
