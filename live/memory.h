#pragma once

#include <sys/types.h>

#include <span>
#include <vector>

#include "core/ports.h"
#include "live/dirty_log.h"

namespace godwit::live {

/// Where the contents of pages come from.
class PageReader {
 public:
  /// Copies the pages of `ranges` to `to`, one after the other, and goes on with the checksum `crc` over the copy. False:
  /// they are gone.
  virtual bool read(std::span<const PageRange> ranges, std::byte* to, std::uint32_t& crc) = 0;
  /// Those pages of `mask` in the 64-page word `word` that are all zero; none where they are gone.
  virtual std::uint64_t zero_pages(std::uint64_t word, std::uint64_t mask) = 0;

 protected:
  ~PageReader() = default;
};

/// Memory of this process.
class OwnPages final : public PageReader {
 public:
  explicit OwnPages(Span memory) : memory_(memory) {}
  bool read(std::span<const PageRange> ranges, std::byte* to, std::uint32_t& crc) override;
  std::uint64_t zero_pages(std::uint64_t word, std::uint64_t mask) override;

 private:
  Span memory_;
};

/// Memory of another process, as a hypervisor sees that of its guest. Requires leave to trace it.
class ForeignPages final : public PageReader {
 public:
  ForeignPages(pid_t process, Span memory) : process_(process), memory_(memory), word_(64 * kPageBytes) {}
  bool read(std::span<const PageRange> ranges, std::byte* to, std::uint32_t& crc) override;
  std::uint64_t zero_pages(std::uint64_t word, std::uint64_t mask) override;

 private:
  pid_t process_;
  Span memory_;
  std::vector<std::byte> word_;  // 64 pages, to be looked at
};

/// Room for a copy of any pages of a memory of `pages`: address space, which costs memory only where it is used.
class Shadow final : public PageReader {
 public:
  explicit Shadow(std::uint64_t pages);
  ~Shadow();
  Shadow(const Shadow&) = delete;
  Shadow& operator=(const Shadow&) = delete;

  bool valid() const { return begin_ != nullptr; }
  std::byte* page(PageIndex index) { return begin_ + index * kPageBytes; }
  const std::byte* page(PageIndex index) const { return begin_ + index * kPageBytes; }
  bool read(std::span<const PageRange> ranges, std::byte* to, std::uint32_t& crc) override;
  std::uint64_t zero_pages(std::uint64_t word, std::uint64_t mask) override;

 private:
  std::byte* begin_ = nullptr;
  std::uint64_t pages_;
};

/// The guest's memory at the source, whoever sends it.
class Memory : public core::Memory {
 public:
  Memory(PageReader& pages, std::uint64_t count) : pages_(pages), count_(count) {}

  Pages size() const override { return {count_}; }
  Bytes page_size() const override { return {kPageBytes}; }
  std::size_t classify(PageRun& head, std::span<PageRun> out) override;
  /// A sender outside the memory has no use for a shadow.
  core::Await<core::Done> copy_to_shadow(PageSet& pages) override;
  Pages sender_pages() const override { return {0}; }

 private:
  PageReader& pages_;
  std::uint64_t count_;
};

/// True if all of the page at `page` is zero.
bool is_zero_page(const std::byte* page);

/// Calls `visit(PageRange)` for the stretches of neighbouring pages in `run`, ascending.
template <class Visit>
void for_each_range(const PageRun& run, Visit&& visit) {
  if (!run.is_mask()) return visit(PageRange{run.first(), run.count()});
  for (std::uint64_t mask = run.mask(); mask != 0;) {
    const auto first = static_cast<unsigned>(std::countr_zero(mask));
    const auto length = static_cast<unsigned>(std::countr_one(mask >> first));
    visit(PageRange{run.word() * 64 + first, length});
    mask = first + length == 64 ? 0 : mask & (~std::uint64_t{0} << (first + length));
  }
}

}  // namespace godwit::live
