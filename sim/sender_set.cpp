#include "sim/sender_set.h"

#include <algorithm>
#include <stdexcept>

namespace godwit::sim {
namespace {

constexpr std::uint64_t kTablePages = 512;  // that one page of page tables maps

}  // namespace

SenderSet::SenderSet(const SenderOptions& options, GuestMemory& memory, const std::string& guest, Bytes in_flight_max)
    : derived_(options.derived) {
  if (!derived_) return;
  const std::uint64_t page_size = memory.page_size().value;
  const std::uint64_t pages = memory.size().value;
  const auto pages_of = [&](std::uint64_t bytes) { return (bytes + page_size - 1) / page_size; };
  const PageRange room = memory.touchable();
  PageIndex next = room.first;
  const auto place = [&](std::uint64_t count) {
    const PageRange range{next, count};
    next += count;
    return range;
  };
  rings_ = place(pages_of(options.rings_and_stack.value));
  bitmap_ = place(pages_of((pages + 7) / 8));
  buffers_ = place(pages_of(in_flight_max.value));
  if (options.tracking_bits_are_state) tables_ = place(page_table_pages(memory.size()).value);
  if (next > room.end()) {
    throw std::runtime_error("guest " + guest + ": its memory does not hold what its own sending dirties (" +
                             std::to_string(next - room.first) + " pages)");
  }
}

Pages SenderSet::pages() const { return Pages{rings_.count} + in_flight_ + Pages{bitmap_.count} + tables_written_; }

void SenderSet::protected_all(GuestMemory& memory) {
  memory.dirty(bitmap_);
  tables_written_ = {tables_.count};
  memory.dirty(tables_);
}

void SenderSet::protect(const PageSet& pages, PageRange range) {
  tables_touched_.clear();
  if (shadowed_ || tables_.count == 0) return;
  pages.for_each_run(range, [&](const PageRun& run) {
    const PageIndex end = run.is_mask() ? run.word() * 64 + 1 : run.first() + run.count();
    for (std::uint64_t i = run.first() / kTablePages; i * kTablePages < end && i < tables_.count; ++i) {
      if (tables_touched_.empty() || tables_touched_.back() != i) tables_touched_.push_back(i);
    }
  });
}

void SenderSet::protected_those(GuestMemory& memory) {
  if (!derived_ || shadowed_) return;
  tables_written_ = {tables_touched_.size()};
  for (const PageIndex table : tables_touched_) memory.dirty({tables_.first + table, 1});
  memory.dirty(bitmap_);
}

void SenderSet::sent(GuestMemory& memory, MigrationResult& result) {
  if (!derived_) return;
  const PageRange buffers{buffers_.first, std::min(in_flight_.value, buffers_.count)};
  if (shadowed_) {
    memory.scribble(rings_);
    memory.scribble(buffers);
    return;
  }
  memory.dirty(rings_);
  memory.dirty(buffers);
  auto& figures = result.self_dirtied;
  figures.in_flight = std::max(figures.in_flight, in_flight_);
  figures.rings_and_stack = {rings_.count};
  figures.bitmap = {bitmap_.count};
  figures.page_tables = std::max(figures.page_tables, tables_written_);
}

}  // namespace godwit::sim
