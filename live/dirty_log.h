#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/ports.h"
#include "live/stream.h"
#include "live/write_tracker.h"

namespace godwit::live {

inline constexpr std::uint64_t kPageBytes =
    4096;  ///< What is tracked and sent. Larger pages of the system are refused.

/// Memory of this process, or of another, by address. Whole pages.
struct Span {
  std::uint64_t begin = 0;
  std::uint64_t pages = 0;
  AddressRange range() const { return {begin, begin + pages * kPageBytes}; }
  AddressRange range(PageRange part) const {
    return {begin + part.first * kPageBytes, begin + part.end() * kPageBytes};
  }
};

/// The ways to notice writes, best first.
enum class Tracking : std::uint8_t {
  kAsynchronous,  ///< userfaultfd write protection that the kernel lifts by itself, and PAGEMAP_SCAN: Linux 6.7.
  kProtection,    ///< mprotect, and a handler of SIGSEGV. Own data only: the kernel gets EFAULT where it would write.
};

/// In a few words, for people.
const char* describe(Tracking tracking);

/// The best way that this kernel offers; why not the better ones goes to `why`.
Tracking best_tracking(std::string& why);

/// The dirty log of a stretch of memory whose pages are private and anonymous. Pages that were never touched are not
/// written, nor are those that were only read.
class DirtyLog : public core::DirtyLog {
 public:
  virtual ~DirtyLog() = default;
  /// No longer tracks; until then it costs a fault to write.
  virtual void stop() = 0;
};

/// By WriteTracker. Allocates nothing, so that it can live in the memory that it watches. Where the kernel refuses
/// something (the process whose memory it is may be gone) what it found is incomplete: then `stream` fails, and the
/// migration with it. Without a stream that is a bug.
class AsynchronousLog final : public DirtyLog {
 public:
  AsynchronousLog(WriteTracker tracker, Span memory, Stream* stream = nullptr)
      : tracker_(std::move(tracker)), memory_(memory), stream_(stream) {}

  core::Await<core::Done> start() override;
  core::Await<core::Done> read(PageRange range, PageSet& into) override;
  core::Await<core::Done> clear(PageRange range, const PageSet& mask) override;
  core::Await<core::Done> read_and_clear(PageRange range, PageSet& into) override;
  core::Await<core::Done> peek(std::span<const PageRun> runs, PageSet& into) override;
  void stop() override;

 private:
  void add(PageSet& into, AddressRange found) const;
  void require(bool well);

  WriteTracker tracker_;
  Span memory_;
  Stream* stream_;
  bool watching_ = false;
};

/// By mprotect. Each stretch of its own protection costs the kernel a mapping, of which a process may have 65,530
/// (vm.max_map_count), so in large memory several pages share a mark: more is reported than was written, never less.
/// One at a time in a process.
class ProtectionLog final : public DirtyLog {
 public:
  explicit ProtectionLog(Span memory);
  ~ProtectionLog() override;

  core::Await<core::Done> start() override;
  core::Await<core::Done> read(PageRange range, PageSet& into) override;
  core::Await<core::Done> clear(PageRange range, const PageSet& mask) override;
  core::Await<core::Done> read_and_clear(PageRange range, PageSet& into) override;
  core::Await<core::Done> peek(std::span<const PageRun> runs, PageSet& into) override;
  void stop() override;

  /// What the handler does with a fault. False: not of this memory.
  bool faulted(std::uint64_t address);

 private:
  std::uint64_t granules(PageRange range, std::uint64_t& first) const;
  PageRange pages_of(std::uint64_t granule) const;
  void protect(std::uint64_t granule, bool writable) const;
  void lock();
  void unlock() { busy_.store(false, std::memory_order_release); }

  Span memory_;
  std::uint64_t granule_pages_ = 1;
  std::vector<std::atomic<bool>> marks_;  // one a granule
  std::atomic<bool> busy_ = false;
  std::atomic<bool> watching_ = false;
};

/// The log of this process' own `memory`, by `tracking`; or why there is none.
std::variant<std::unique_ptr<DirtyLog>, std::string> make_dirty_log(Tracking tracking, Span memory);

}  // namespace godwit::live
