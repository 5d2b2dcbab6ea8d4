#pragma once

#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "live/clock.h"
#include "live/dirty_log.h"
#include "live/freezer.h"

namespace godwit::test {

using live::kPageBytes;

/// Private anonymous memory of some pages.
class Region {
 public:
  explicit Region(std::uint64_t pages) : pages_(pages) {
    void* space = ::mmap(nullptr, pages * kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (space == MAP_FAILED) throw std::bad_alloc();
    ::madvise(space, pages * kPageBytes, MADV_NOHUGEPAGE);
    begin_ = static_cast<std::byte*>(space);
  }
  ~Region() { ::munmap(begin_, pages_ * kPageBytes); }
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  std::byte* page(PageIndex index) { return begin_ + index * kPageBytes; }
  std::uint64_t pages() const { return pages_; }
  live::Span span() const { return {reinterpret_cast<std::uintptr_t>(begin_), pages_}; }
  std::span<std::byte> bytes() { return {begin_, pages_ * kPageBytes}; }
  void write(PageIndex index, std::uint8_t value) {
    reinterpret_cast<std::atomic<std::uint8_t>*>(page(index))->store(value, std::memory_order_relaxed);
  }

 private:
  std::byte* begin_ = nullptr;
  std::uint64_t pages_;
};

/// Threads that write a region: `rate` pages a second each, of them `hot_percent` to its first `hot` pages. They take
/// part in `freezer`.
class Writers {
 public:
  Writers(Region& region, live::Freezer& freezer, unsigned threads, std::uint64_t rate, std::uint64_t hot,
          unsigned hot_percent, std::uint64_t seed) {
    for (unsigned i = 0; i < threads; ++i) {
      threads_.emplace_back([=, this, &region, &freezer] {
        freezer.join();
        work(region, rate, hot, hot_percent, seed * 100 + i);
        freezer.leave();
      });
    }
  }
  ~Writers() { end(); }
  void end() {
    over_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  std::uint64_t writes() const { return writes_; }

 private:
  void work(Region& region, std::uint64_t rate, std::uint64_t hot, unsigned hot_percent, std::uint64_t state) {
    const auto draw = [&state](std::uint64_t below) {
      state += 0x9e3779b97f4a7c15;
      std::uint64_t z = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      return (z ^ (z >> 31)) % below;
    };
    Nanos next = live::monotonic_now();
    while (!over_) {
      for (std::uint64_t n = 0; n < rate / 1000 + 1 && !over_; ++n) {
        const PageIndex page = draw(100) < hot_percent ? draw(hot) : draw(region.pages());
        std::byte* at = region.page(page) + draw(kPageBytes / 8) * 8;
        reinterpret_cast<std::atomic<std::uint64_t>*>(at)->store(state, std::memory_order_relaxed);
        ++writes_;
      }
      next = std::max(next + Nanos{1'000'000}, live::monotonic_now() - Nanos{50'000'000});
      live::sleep_until(next);
    }
  }

  std::atomic<bool> over_ = false;
  std::atomic<std::uint64_t> writes_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace godwit::test
