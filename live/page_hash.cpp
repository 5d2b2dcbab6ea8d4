#include "live/page_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace godwit::live {

std::uint64_t page_hash(const std::byte* page) { return XXH3_64bits(page, kPageBytes); }

void page_hashes(Span memory, std::span<std::uint64_t> out) {
  const auto* page = reinterpret_cast<const std::byte*>(memory.begin);
  for (std::uint64_t i = 0; i < memory.pages; ++i, page += kPageBytes) out[i] = page_hash(page);
}

}  // namespace godwit::live
