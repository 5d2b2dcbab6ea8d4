#include "live/dirty_log.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace godwit::live {

using core::Await;
using core::Done;

const char* describe(Tracking tracking) {
  switch (tracking) {
    case Tracking::kAsynchronous: return "userfaultfd write-protect, asynchronous, with PAGEMAP_SCAN";
    case Tracking::kProtection: return "mprotect with SIGSEGV";
  }
  return "unknown";
}

Tracking best_tracking(std::string& why) {
  const auto trouble = WriteTracker::unsupported();
  why = trouble.value_or("");
  return trouble ? Tracking::kProtection : Tracking::kAsynchronous;
}

std::variant<std::unique_ptr<DirtyLog>, std::string> make_dirty_log(Tracking tracking, Span memory) {
  if (tracking == Tracking::kProtection) return std::make_unique<ProtectionLog>(memory);
  std::string error;
  auto tracker = WriteTracker::of_self(error);
  if (!tracker) return error;
  return std::make_unique<AsynchronousLog>(std::move(*tracker), memory);
}

// ---------------------------------------------------------------- asynchronous

void AsynchronousLog::add(PageSet& into, AddressRange found) const {
  into.add(PageRange{(found.begin - memory_.begin) / kPageBytes, (found.end - found.begin) / kPageBytes});
}

void AsynchronousLog::require(bool well) {
  if (well) return;
  GODWIT_CHECK(stream_ != nullptr);
  stream_->fail(Trouble::kMemory);
}

Await<Done> AsynchronousLog::start() {
  if (!watching_) watching_ = tracker_.watch(memory_.range(), Backing::kAnonymous);
  require(watching_ && tracker_.clear(memory_.range()));
  return Done{};
}

Await<Done> AsynchronousLog::read(PageRange range, PageSet& into) {
  require(tracker_.peek_each(memory_.range(range), Backing::kAnonymous, [&](AddressRange found) { add(into, found); }));
  return Done{};
}

Await<Done> AsynchronousLog::clear(PageRange range, const PageSet& mask) {
  PageRange solid{range.first, 0};  // what is protected with one call
  const auto flush = [&] {
    if (solid.count > 0) require(tracker_.clear(memory_.range(solid)));
  };
  mask.for_each_run(range, [&](const PageRun& run) {
    for_each_word(run, [&](std::uint64_t word, std::uint64_t bits) {
      for (; bits != 0; bits &= bits - 1) {
        const PageIndex page = word * 64 + static_cast<unsigned>(std::countr_zero(bits));
        if (solid.count == 0 || solid.end() != page) {
          flush();
          solid = {page, 0};
        }
        ++solid.count;
      }
    });
  });
  flush();
  return Done{};
}

Await<Done> AsynchronousLog::read_and_clear(PageRange range, PageSet& into) {
  require(
      tracker_.collect_each(memory_.range(range), Backing::kAnonymous, [&](AddressRange found) { add(into, found); }));
  return Done{};
}

Await<Done> AsynchronousLog::peek(std::span<const PageRun> runs, PageSet& into) {
  for (const PageRun& run : runs) {
    // A mask is looked at from its first to its last page; what lies between and is not in it is left out again.
    const PageIndex last = run.is_mask() ? run.word() * 64 + 63 - static_cast<unsigned>(std::countl_zero(run.mask()))
                                         : run.first() + run.count() - 1;
    const PageRange range{run.first(), last - run.first() + 1};
    require(tracker_.peek_each(memory_.range(range), Backing::kAnonymous, [&](AddressRange found) {
      if (!run.is_mask()) return add(into, found);
      const PageRange pages{(found.begin - memory_.begin) / kPageBytes, (found.end - found.begin) / kPageBytes};
      for_each_word(PageRun::solid(pages.first, pages.count),
                    [&](std::uint64_t word, std::uint64_t bits) { into.add_word(word, bits & run.mask()); });
    }));
  }
  return Done{};
}

void AsynchronousLog::stop() {
  if (watching_) tracker_.unwatch(memory_.range());
  watching_ = false;
}

// ---------------------------------------------------------------- by protection

namespace {

constexpr std::uint64_t kMarksMax = 16384;  // so that no more than half of all mappings are of ours

std::atomic<ProtectionLog*> g_log{nullptr};
struct sigaction g_before {};

void on_fault(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  ProtectionLog* log = g_log.load(std::memory_order_acquire);
  const bool ours = log != nullptr && log->faulted(reinterpret_cast<std::uintptr_t>(info->si_addr));
  errno = error;
  if (ours) return;
  if ((g_before.sa_flags & SA_SIGINFO) != 0 && g_before.sa_sigaction != nullptr) {
    g_before.sa_sigaction(signal, info, context);
    return;
  }
  ::signal(signal, SIG_DFL);  // the instruction faults once more, and then it ends as it would have
}

}  // namespace

ProtectionLog::ProtectionLog(Span memory)
    : memory_(memory),
      granule_pages_((memory.pages + kMarksMax - 1) / kMarksMax),
      marks_((memory.pages + granule_pages_ - 1) / granule_pages_) {}

// A thread that faulted just before the end of the watch looks for its log still, so handler and log stay to the last.
ProtectionLog::~ProtectionLog() {
  stop();
  if (g_log.load() != this) return;
  ::sigaction(SIGSEGV, &g_before, nullptr);
  g_log.store(nullptr, std::memory_order_release);
}

Await<Done> ProtectionLog::start() {
  GODWIT_CHECK(g_log.load() == nullptr);
  for (std::atomic<bool>& mark : marks_) mark.store(false);
  watching_ = true;
  g_log.store(this, std::memory_order_release);
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO;
  ::sigfillset(&action.sa_mask);  // nobody is frozen with the lock in hand
  GODWIT_CHECK(::sigaction(SIGSEGV, &action, &g_before) == 0);
  GODWIT_CHECK(::mprotect(reinterpret_cast<void*>(memory_.begin), memory_.pages * kPageBytes, PROT_READ) == 0);
  return Done{};
}

void ProtectionLog::stop() {
  if (!watching_.exchange(false)) return;
  GODWIT_CHECK(::mprotect(reinterpret_cast<void*>(memory_.begin), memory_.pages * kPageBytes, PROT_READ | PROT_WRITE) ==
               0);
}

void ProtectionLog::lock() {
  while (busy_.exchange(true, std::memory_order_acquire)) {
  }
}

PageRange ProtectionLog::pages_of(std::uint64_t granule) const {
  return intersect({granule * granule_pages_, granule_pages_}, {0, memory_.pages});
}

void ProtectionLog::protect(std::uint64_t granule, bool writable) const {
  const AddressRange range = memory_.range(pages_of(granule));
  const int what = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  GODWIT_CHECK(::mprotect(reinterpret_cast<void*>(range.begin), range.end - range.begin, what) == 0);
}

bool ProtectionLog::faulted(std::uint64_t address) {
  const AddressRange range = memory_.range();
  if (address < range.begin || address >= range.end) return false;
  const std::uint64_t granule = (address - range.begin) / kPageBytes / granule_pages_;
  if (!watching_.load()) return true;  // it is writable by now
  lock();
  marks_[granule].store(true, std::memory_order_relaxed);
  protect(granule, true);
  unlock();
  return true;
}

/// The marks that concern `range`: how many from `first` on.
std::uint64_t ProtectionLog::granules(PageRange range, std::uint64_t& first) const {
  if (range.count == 0) return 0;
  first = range.first / granule_pages_;
  return (range.end() - 1) / granule_pages_ - first + 1;
}

Await<Done> ProtectionLog::read(PageRange range, PageSet& into) {
  std::uint64_t first = 0;
  const std::uint64_t count = granules(range, first);
  for (std::uint64_t g = first; g < first + count; ++g) {
    if (marks_[g].load(std::memory_order_acquire)) into.add(intersect(pages_of(g), range));
  }
  return Done{};
}

// A mark that several pages share goes only when all of them are asked for: the others would be forgotten.
Await<Done> ProtectionLog::clear(PageRange range, const PageSet& mask) {
  std::uint64_t first = 0;
  const std::uint64_t count = granules(range, first);
  for (std::uint64_t g = first; g < first + count; ++g) {
    const PageRange pages = pages_of(g);
    if (!marks_[g].load(std::memory_order_acquire) || intersect(pages, range) != pages) continue;
    if (mask.count_in(pages) != pages.count) continue;
    lock();
    marks_[g].store(false, std::memory_order_relaxed);
    protect(g, false);
    unlock();
  }
  return Done{};
}

Await<Done> ProtectionLog::read_and_clear(PageRange range, PageSet& into) {
  std::uint64_t first = 0;
  const std::uint64_t count = granules(range, first);
  for (std::uint64_t g = first; g < first + count; ++g) {
    if (!marks_[g].load(std::memory_order_acquire)) continue;
    const PageRange pages = pages_of(g);
    into.add(intersect(pages, range));
    if (intersect(pages, range) != pages) continue;
    lock();
    marks_[g].store(false, std::memory_order_relaxed);
    protect(g, false);
    unlock();
  }
  return Done{};
}

Await<Done> ProtectionLog::peek(std::span<const PageRun> runs, PageSet& into) {
  for (const PageRun& run : runs) {
    for_each_word(run, [&](std::uint64_t word, std::uint64_t bits) {
      std::uint64_t marked = 0;
      for (; bits != 0; bits &= bits - 1) {
        const PageIndex page = word * 64 + static_cast<unsigned>(std::countr_zero(bits));
        if (marks_[page / granule_pages_].load(std::memory_order_acquire)) marked |= bits & ~(bits - 1);
      }
      into.add_word(word, marked);
    });
  }
  return Done{};
}

}  // namespace godwit::live
