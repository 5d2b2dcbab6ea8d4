#include "sim/page_bytes.h"

#include <algorithm>
#include <cstring>

#include "models/prng.h"

namespace godwit::sim {

void PageBytes::fill(const PageSet& zero, std::uint64_t seed, std::uint64_t consumer) {
  for (PageIndex index = 0; index < zero.size().value; ++index) {
    if (zero.contains(index)) continue;
    models::Stream noise(seed, consumer, index, UINT64_MAX);  // no draw of writes begins at that instant
    const std::span<std::byte> bytes = page(index);
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
      const std::uint64_t word = noise.next();
      std::memcpy(&bytes[at], &word, sizeof word);
    }
    bytes[0] |= std::byte{1};
  }
}

/// The first word counts writes; the one whose turn it is takes a function of the count.
void PageBytes::write(const PageRun& run) {
  for_each_page(run, [this](PageIndex index) {
    const std::span<std::byte> bytes = page(index);
    std::uint64_t count = 0;
    std::memcpy(&count, bytes.data(), sizeof count);
    count = count + 1 == 0 ? 1 : count + 1;
    const std::uint64_t mixed = count * 0x9e3779b97f4a7c15;
    const std::size_t slots = bytes.size() / sizeof count - 1;
    std::memcpy(bytes.data(), &count, sizeof count);
    std::memcpy(&bytes[(1 + count % slots) * sizeof count], &mixed, sizeof mixed);
  });
}

void PageBytes::place(const PageRun& run, std::span<const std::byte>& payload) {
  for_each_page(run, [&](PageIndex index) {
    const std::span<std::byte> to = page(index);
    if (run.is_zero()) {
      std::ranges::fill(to, std::byte{0});
      return;
    }
    std::ranges::copy(payload.first(to.size()), to.begin());
    payload = payload.subspan(to.size());
  });
}

bool PageBytes::is_zero(PageIndex index) const {
  return std::ranges::all_of(page(index), [](std::byte b) { return b == std::byte{0}; });
}

bool PageBytes::equals_but_for(const PageBytes& other, const PageSet& some) const {
  if (bytes_.size() != other.bytes_.size() || page_size_ != other.page_size_) return false;
  if (some.empty()) return bytes_ == other.bytes_;
  for (PageIndex page = 0; page < some.size().value; ++page)
    if (!some.contains(page) && !std::ranges::equal(this->page(page), other.page(page))) return false;
  return true;
}

}  // namespace godwit::sim
