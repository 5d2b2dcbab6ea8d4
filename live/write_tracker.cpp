#include "live/write_tracker.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

// Headers older than the kernel lack what follows: values from the kernel's include/uapi.
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef UFFD_FEATURE_WP_HUGETLBFS_SHMEM
#define UFFD_FEATURE_WP_HUGETLBFS_SHMEM (1 << 12)
#endif
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif
#ifndef PAGEMAP_SCAN
#define PAGE_IS_WPALLOWED (1 << 0)
#define PAGE_IS_WRITTEN (1 << 1)
#define PAGE_IS_FILE (1 << 2)
#define PAGE_IS_PRESENT (1 << 3)
#define PAGE_IS_SWAPPED (1 << 4)
#define PAGE_IS_PFNZERO (1 << 5)
#define PM_SCAN_WP_MATCHING (1 << 0)
#define PM_SCAN_CHECK_WPASYNC (1 << 1)
struct page_region {
  __u64 start;
  __u64 end;
  __u64 categories;
};
struct pm_scan_arg {
  __u64 size;
  __u64 flags;
  __u64 start;
  __u64 end;
  __u64 walk_end;
  __u64 vec;
  __u64 vec_len;
  __u64 max_pages;
  __u64 category_inverted;
  __u64 category_mask;
  __u64 category_anyof_mask;
  __u64 return_mask;
};
#define PAGEMAP_SCAN _IOWR('f', 16, struct pm_scan_arg)
#endif

namespace godwit::live {
namespace {

constexpr std::uint64_t kFeatures = UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED |
                                    UFFD_FEATURE_WP_HUGETLBFS_SHMEM | UFFD_FEATURE_PAGEFAULT_FLAG_WP;

/// What makes a page written, by the kernel's categories. The kernel calls any page without write protection
/// written, so what was only read has to be told apart: pages of the file behind a private mapping, and the one
/// page of zeros. Asking for more than PAGE_IS_WRITTEN also avoids the kernel's short cut, which reports pages
/// that were never touched.
pm_scan_arg written(AddressRange range, Backing backing) {
  pm_scan_arg arg{};
  arg.size = sizeof(arg);
  arg.start = range.begin;
  arg.end = range.end;
  arg.category_mask = PAGE_IS_WRITTEN;
  arg.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED;
  arg.return_mask = PAGE_IS_WRITTEN;
  if (backing == Backing::kAnonymous) arg.category_inverted = PAGE_IS_PFNZERO;
  if (backing == Backing::kPrivateFile) arg.category_inverted = PAGE_IS_FILE | PAGE_IS_PFNZERO;
  arg.category_mask |= arg.category_inverted;
  return arg;
}

std::string failure(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

void append(std::vector<AddressRange>& ranges, std::uint64_t begin, std::uint64_t end) {
  if (!ranges.empty() && ranges.back().end == begin)
    ranges.back().end = end;
  else
    ranges.push_back({begin, end});
}

}  // namespace

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) ::close(fd_);
}

// Asynchronous protection is lifted for faults of the kernel too, so the mode that needs no privilege is enough.
long userfaultfd_flags() { return O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY; }

WriteTracker::WriteTracker(UniqueFd userfaultfd, UniqueFd pagemap)
    : userfaultfd_(std::move(userfaultfd)), pagemap_(std::move(pagemap)) {}

std::optional<WriteTracker> WriteTracker::make(UniqueFd userfaultfd, const std::string& pagemap, std::string& error) {
  uffdio_api api{};
  api.api = UFFD_API;
  api.features = kFeatures;
  if (::ioctl(userfaultfd.get(), UFFDIO_API, &api) != 0) {
    error = failure("asynchronous write protection (userfaultfd, Linux 6.7 or later)");
    return std::nullopt;
  }
  UniqueFd file(::open(pagemap.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    error = failure(pagemap.c_str());
    return std::nullopt;
  }
  return WriteTracker(std::move(userfaultfd), std::move(file));
}

std::optional<WriteTracker> WriteTracker::of_self(std::string& error) {
  UniqueFd fd(static_cast<int>(::syscall(SYS_userfaultfd, userfaultfd_flags())));
  if (!fd.valid()) {
    error = failure("userfaultfd");
    return std::nullopt;
  }
  return make(std::move(fd), "/proc/self/pagemap", error);
}

std::optional<WriteTracker> WriteTracker::of_process(pid_t pid, UniqueFd userfaultfd, std::string& error) {
  return make(std::move(userfaultfd), "/proc/" + std::to_string(pid) + "/pagemap", error);
}

std::optional<std::string> WriteTracker::unsupported() {
  std::string error;
  auto tracker = of_self(error);
  if (!tracker) return error;
  const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* page = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return failure("mmap");
  *static_cast<volatile char*>(page) = 1;
  const auto begin = reinterpret_cast<std::uintptr_t>(page);
  std::vector<AddressRange> found;
  const bool watched = tracker->watch({begin, begin + size}, Backing::kAnonymous);
  const bool worked = watched && tracker->collect({begin, begin + size}, Backing::kAnonymous, found);
  if (!worked) error = failure("PAGEMAP_SCAN (Linux 6.7 or later)");
  ::munmap(page, size);
  if (!worked) return error;
  if (found.size() != 1) return "PAGEMAP_SCAN does not report a page that was written";
  return std::nullopt;
}

bool WriteTracker::watch(AddressRange range, Backing backing, std::vector<AddressRange>* touched) {
  uffdio_register request{};
  request.range = {.start = range.begin, .len = range.end - range.begin};
  request.mode = UFFDIO_REGISTER_MODE_WP;
  if (::ioctl(userfaultfd_.get(), UFFDIO_REGISTER, &request) != 0) return false;
  if (backing != Backing::kShared) return true;
  if (touched != nullptr) collect(range, backing, *touched);
  return clear(range);
}

void WriteTracker::unwatch(AddressRange range) {
  uffdio_range request{.start = range.begin, .len = range.end - range.begin};
  ::ioctl(userfaultfd_.get(), UFFDIO_UNREGISTER, &request);
}

bool WriteTracker::clear(AddressRange range) {
  uffdio_writeprotect request{};
  request.range = {.start = range.begin, .len = range.end - range.begin};
  request.mode = UFFDIO_WRITEPROTECT_MODE_WP;
  int result = 0;
  do result = ::ioctl(userfaultfd_.get(), UFFDIO_WRITEPROTECT, &request);
  while (result != 0 && errno == EAGAIN);
  return result == 0;
}

bool WriteTracker::collect(AddressRange range, Backing backing, std::vector<AddressRange>& into) {
  return collect_each(range, backing, [&into](AddressRange found) { append(into, found.begin, found.end); });
}

bool WriteTracker::peek(AddressRange range, Backing backing, std::vector<AddressRange>& into) const {
  return peek_each(range, backing, [&into](AddressRange found) { append(into, found.begin, found.end); });
}

bool WriteTracker::scan(AddressRange range, Backing backing, bool protect, Sink sink) const {
  std::array<page_region, 512> regions{};
  pm_scan_arg arg = written(range, backing);
  arg.flags = PM_SCAN_CHECK_WPASYNC | (protect ? PM_SCAN_WP_MATCHING : 0);
  arg.vec = reinterpret_cast<std::uintptr_t>(regions.data());
  arg.vec_len = regions.size();
  while (arg.start < range.end) {
    // When it meets an unwatched page, the kernel fails without saying how much it found and protected before.
    // What it did write shows where the array is no longer zero.
    arg.walk_end = 0;
    const int result = ::ioctl(pagemap_.get(), PAGEMAP_SCAN, &arg);
    for (page_region& region : regions) {
      if (region.end == 0) break;
      sink.take(sink.visit, {region.start, region.end});
      region = {};
    }
    if (result < 0) return false;
    arg.start = arg.walk_end;
  }
  return true;
}

bool WriteTracker::has_own_pages(AddressRange range) const {
  page_region region{};
  pm_scan_arg arg = written(range, Backing::kPrivateFile);
  arg.category_mask = arg.category_inverted = PAGE_IS_FILE | PAGE_IS_PFNZERO;
  arg.return_mask = PAGE_IS_PRESENT;
  arg.vec = reinterpret_cast<std::uintptr_t>(&region);
  arg.vec_len = 1;
  arg.max_pages = 1;
  return ::ioctl(pagemap_.get(), PAGEMAP_SCAN, &arg) > 0;
}

}  // namespace godwit::live
