#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/units.h"

namespace godwit::live {

/// Closes what it holds.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd();

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// Bytes begin ... end - 1 of an address space. Whole pages.
struct AddressRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  friend constexpr bool operator==(const AddressRange&, const AddressRange&) = default;
};

/// Private pages become the process's own when it writes them, so reading is never taken for writing; where a file
/// lies behind, the kernel must look at each page to tell, which makes scans slower. Shared pages exist before:
/// watch() has to protect each one, mapped or not.
enum class Backing : std::uint8_t { kAnonymous, kPrivateFile, kShared };

/// Knows which pages of one address space were written since it last asked.
///
/// The kernel write-protects pages by userfaultfd in its asynchronous mode, lifts the protection by itself
/// at the first write, and tells and re-protects in one step (PAGEMAP_SCAN): no write is lost between the
/// two, and nobody has to stop. Linux 6.7 or later.
class WriteTracker {
 public:
  /// Why this kernel cannot track writes, or nothing where it can. Tries it on a page of its own.
  static std::optional<std::string> unsupported();

  /// Tracks the calling process.
  static std::optional<WriteTracker> of_self(std::string& error);
  /// Tracks another. Requires that process `pid` itself made `userfaultfd`, and leave to trace it.
  static std::optional<WriteTracker> of_process(pid_t pid, UniqueFd userfaultfd, std::string& error);

  /// Begins to track `range`. Of shared pages, all count as unwritten from here on, and those that the process has
  /// already touched are added to `touched` if it is given; of private ones, those that the process already has as
  /// its own are reported by the next collect(). False (with errno) where the kernel refuses.
  bool watch(AddressRange range, Backing backing, std::vector<AddressRange>* touched = nullptr);
  /// Stops tracking `range`.
  void unwatch(AddressRange range);

  /// Adds to `into` the pages of `range` written since they were last collected, ascending, and begins anew for
  /// them. False if `range` holds mapped pages that are not watched: what was found before them is in `into`, what
  /// lies behind keeps its marks.
  bool collect(AddressRange range, Backing backing, std::vector<AddressRange>& into);
  /// As collect(), but leaves the marks.
  bool peek(AddressRange range, Backing backing, std::vector<AddressRange>& into) const;
  /// As the two above, but calls `visit(AddressRange)` for each range found, and allocates nothing.
  template <class Visit>
  bool collect_each(AddressRange range, Backing backing, Visit visit) {
    return scan(range, backing, true, {&visit, &call<Visit>});
  }
  template <class Visit>
  bool peek_each(AddressRange range, Backing backing, Visit visit) const {
    return scan(range, backing, false, {&visit, &call<Visit>});
  }
  /// Forgets the marks of the pages of `range`. A write after the call marks anew.
  bool clear(AddressRange range);

  /// True if `range` holds a page that a private mapping of a file has made the process's own.
  bool has_own_pages(AddressRange range) const;

 private:
  WriteTracker(UniqueFd userfaultfd, UniqueFd pagemap);
  static std::optional<WriteTracker> make(UniqueFd userfaultfd, const std::string& pagemap, std::string& error);

  struct Sink {
    void* visit;
    void (*take)(void* visit, AddressRange found);
  };
  template <class Visit>
  static void call(void* visit, AddressRange found) {
    (*static_cast<Visit*>(visit))(found);
  }
  bool scan(AddressRange range, Backing backing, bool protect, Sink sink) const;

  UniqueFd userfaultfd_;
  UniqueFd pagemap_;
};

/// How a process must call userfaultfd(2) for its writes to be tracked.
long userfaultfd_flags();

}  // namespace godwit::live
