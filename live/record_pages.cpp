#include "live/record_pages.h"

#include <unistd.h>

#include <algorithm>

#include "base/check.h"

namespace godwit::live {

GuestPages::Page GuestPages::take() {
  if (free_.empty()) {
    users_.push_back(1);
    return static_cast<Page>(users_.size() - 1);
  }
  const Page page = free_.top();
  free_.pop();
  users_[page] = 1;
  return page;
}

void GuestPages::drop(Page page) {
  GODWIT_CHECK(users_[page] > 0);
  if (--users_[page] == 0) free_.push(page);
}

PageTable::Page& PageTable::entry(std::uint64_t virtual_page) {
  std::unique_ptr<Chunk>& chunk = chunks_[virtual_page / kChunkPages];
  if (!chunk) {
    chunk = std::make_unique<Chunk>();
    chunk->fill(kNone);
  }
  return (*chunk)[virtual_page % kChunkPages];
}

PageTable::Page PageTable::write_private(std::uint64_t virtual_page, GuestPages& guest) {
  Page& page = entry(virtual_page);
  if (page != kNone && guest.users(page) == 1) return page;
  const Page copy = guest.take();  // before the drop, as the kernel copies before it lets go
  if (page != kNone) guest.drop(page);
  return page = copy;
}

PageTable::Page PageTable::write_shared(std::uint64_t virtual_page, GuestPages& guest) {
  Page& page = entry(virtual_page);
  if (page == kNone) page = guest.take();
  return page;
}

bool PageTable::has(std::uint64_t virtual_page) const {
  const auto chunk = chunks_.find(virtual_page / kChunkPages);
  return chunk != chunks_.end() && (*chunk->second)[virtual_page % kChunkPages] != kNone;
}

PageTable PageTable::fork(GuestPages& guest) const {
  PageTable child;
  for (const auto& [index, chunk] : chunks_) {
    for (const Page page : *chunk)
      if (page != kNone) guest.share(page);
    child.chunks_.emplace(index, std::make_unique<Chunk>(*chunk));
  }
  return child;
}

void PageTable::keep_only(std::span<const AddressRange> mapped, GuestPages& guest) {
  static const auto page_size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::size_t at = 0;  // the first mapping that may hold the page in hand
  for (auto chunk = chunks_.begin(); chunk != chunks_.end();) {
    bool in_use = false;
    for (std::uint64_t i = 0; i < kChunkPages; ++i) {
      Page& page = (*chunk->second)[i];
      if (page == kNone) continue;
      const std::uint64_t address = (chunk->first * kChunkPages + i) * page_size;
      while (at < mapped.size() && mapped[at].end <= address) ++at;
      if (at < mapped.size() && mapped[at].begin <= address) {
        in_use = true;
        continue;
      }
      guest.drop(page);
      page = kNone;
    }
    chunk = in_use ? std::next(chunk) : chunks_.erase(chunk);
  }
}

}  // namespace godwit::live
