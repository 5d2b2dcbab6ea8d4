#include "scenarios/guest_check.h"

#include <fmt/format.h>

#include <bit>
#include <system_error>
#include <utility>

#include "scenarios/quantity.h"
#include "sim/guest_memory.h"
#include "workloads/workload.h"

namespace godwit::scenarios {
namespace {

using workloads::Kind;
using workloads::Options;

constexpr Bytes kBytesMost{64 << 20};     // of a guest with real bytes
constexpr std::size_t kPartsMost = 1000;  // of one guest's workload
constexpr Nanos kPeriodMost = std::chrono::hours(10'000);

// What all guests together may hold, so that no scenario takes memory without end. Page sets take about 100 bytes for
// 4096 pages that are all alike, and half a byte for each page where they are not; zipf keeps 8 bytes for 64 pages.
using Limit = GuestChecker::Limit;
constexpr Limit kPages{std::uint64_t{1} << 36, "pages"};  // 256 TiB in pages of 4 KiB
constexpr Limit kZipfPages{std::uint64_t{1} << 32, "pages under zipf"};
constexpr Limit kRealBytes{std::uint64_t{1} << 30, "real bytes"};
constexpr Limit kVcpus{std::uint64_t{1} << 30, "virtual CPUs"};  // their shares of a core still add up in 64 bits
constexpr Limit kEntries{1'000'000, "workloads and page classes"};

std::string shown(Bytes size) { return format_quantity(Dimension::kBytes, size.value); }

}  // namespace

void GuestChecker::check(sim::GuestOptions& guest, std::uint64_t copies, const std::string& pointer) {
  guest_ = &guest;
  copies_ = copies;
  parts_ = 0;
  if (!check_memory(pointer)) return;
  add(pages_, guest.memory.value / guest.page_size.value, kPages, pointer + "/memory");
  add(vcpus_, guest.vcpus, kVcpus, pointer + "/vcpus");
  if (guest.contents == sim::Contents::kBytes) add(real_bytes_, guest.memory.value, kRealBytes, pointer + "/contents");
  if (!check_classes(pointer + "/pages")) return;
  check_workload(guest.workload, sim::touchable(guest), pointer + "/workload");
  add(entries_, parts_ + guest.pages.size(), kEntries, pointer);
  if (guest.workload.demand == workloads::Demand::kBusy && guest.workload.cpu_per_write.count() == 0)
    issues_.at_pointer(pointer + "/workload", "demand busy needs cpu_per_write, the CPU time that a write takes");
  if (guest.workload.demand == workloads::Demand::kPaced && guest.workload.cpu_per_write.count() != 0)
    issues_.at_pointer(pointer + "/workload/cpu_per_write", "only demand busy has this; a paced guest has cpu_demand");
}

bool GuestChecker::check_memory(const std::string& pointer) {
  const std::uint64_t page = guest_->page_size.value;
  if (!std::has_single_bit(page)) {
    issues_.at_pointer(pointer + "/page_size", "expected a power of two, got " + shown(guest_->page_size));
    return false;
  }
  if (guest_->contents == sim::Contents::kBytes && guest_->memory > kBytesMost)
    issues_.at_pointer(pointer + "/contents",
                       fmt::format("bytes needs a guest of at most {}, this one has {}; versions has no such bound",
                                   shown(kBytesMost), shown(guest_->memory)));
  if (guest_->memory.value % page == 0) return true;
  issues_.at_pointer(pointer + "/memory", fmt::format("expected a multiple of the page size {}, got {}",
                                                      shown(guest_->page_size), shown(guest_->memory)));
  return false;
}

/// Adds `more` of each copy of the guest to `total`. Says so where that makes it too much, the first time.
void GuestChecker::add(std::uint64_t& total, std::uint64_t more, const Limit& limit, const std::string& pointer) {
  const bool fitted = total <= limit.most;
  total += more * copies_;
  if (fitted && total > limit.most)
    issues_.at_pointer(
        pointer, fmt::format("with this there are {} {} in all; expected at most {}", total, limit.what, limit.most));
}

bool GuestChecker::check_classes(const std::string& pointer) {
  const std::size_t before = issues_.size();
  Share sum = 0, unwritten = 0;
  for (std::size_t i = 0; i < guest_->pages.size(); ++i) {
    const sim::PageClassOptions& each = guest_->pages[i];
    sum += each.share;
    if (each.kind != sim::PageKind::kPageCache) unwritten += each.share;
    if (each.at)
      check_place(*each.at, {mul_div(guest_->memory.value, each.share, kWhole)}, fmt::format("{}/{}/at", pointer, i));
  }
  if (sum > kWhole)
    issues_.at_pointer(pointer,
                       fmt::format("the shares sum to {}, more than 100 %", format_quantity(Dimension::kShare, sum)));
  else if (unwritten == kWhole && guest_->workload.kind != Kind::kIdle)
    issues_.at_pointer(pointer, "all memory is zero or free, so the workload has nothing to write to");
  return issues_.size() == before;
}

bool GuestChecker::check_place(Bytes at, Bytes size, const std::string& pointer) {
  if (!check_page_multiple(at, pointer)) return false;
  if (at <= guest_->memory && size <= guest_->memory - at) return true;
  issues_.at_pointer(pointer, fmt::format("{} from {} on go beyond the guest's memory of {}", shown(size), shown(at),
                                          shown(guest_->memory)));
  return false;
}

bool GuestChecker::check_page_multiple(Bytes size, const std::string& pointer) {
  if (size.value % guest_->page_size.value == 0) return true;
  issues_.at_pointer(
      pointer, fmt::format("expected a multiple of the page size {}, got {}", shown(guest_->page_size), shown(size)));
  return false;
}

std::string GuestChecker::shown_pages(std::uint64_t pages) const { return shown(guest_->page_size * pages); }

/// `room` is where a workload without a place of its own writes.
void GuestChecker::check_workload(Options& workload, PageRange room, const std::string& pointer) {
  if (++parts_ == kPartsMost + 1)
    issues_.at_pointer(pointer, fmt::format("expected at most {} workloads within one", kPartsMost));
  if (workload.kind == Kind::kPhased || workload.kind == Kind::kMix) return check_phases(workload, room, pointer);
  if (workload.kind == Kind::kIdle || !check_range(workload, room, pointer)) return;
  const PageRange range = workloads::range_of(workload, room, guest_->page_size);
  if (workload.kind == Kind::kHotSet) check_hot(workload, range, pointer + "/hot_memory");
  if (workload.kind == Kind::kZipf) check_zipf(range, pointer);
  if (workload.kind == Kind::kRecorded) check_recording(workload, range, pointer + "/file");
  if (workload.kind == Kind::kDirtyCurve) check_curve(workload, range, pointer + "/points");
}

/// Whether the place of its own that the workload has, if any, is in the guest's memory.
bool GuestChecker::check_range(const Options& workload, PageRange room, const std::string& pointer) {
  if (workload.memory && !check_page_multiple(*workload.memory, pointer + "/memory")) return false;
  if (workload.at && workload.memory) return check_place(*workload.at, *workload.memory, pointer + "/at");
  const Bytes first = guest_->page_size * room.first, end = guest_->page_size * room.end();
  if (workload.memory && *workload.memory > end - first) {
    issues_.at_pointer(
        pointer + "/memory",
        fmt::format("expected at most {}, the longest stretch of the guest's {} that is neither zero nor free, got {}",
                    shown(end - first), shown(guest_->memory), shown(*workload.memory)));
    return false;
  }
  if (!workload.at) return true;
  if (!check_page_multiple(*workload.at, pointer + "/at")) return false;
  if (*workload.at < end) return true;
  issues_.at_pointer(pointer + "/at",
                     fmt::format("expected less than {}, where the memory that is neither zero nor free ends, got {}",
                                 shown(end), shown(*workload.at)));
  return false;
}

void GuestChecker::check_phases(Options& workload, PageRange room, const std::string& pointer) {
  Nanos period{0};
  for (std::size_t i = 0; i < workload.phases.size(); ++i) {
    period = later(period, workload.phases[i].lasts);
    check_workload(workload.phases[i].workload, room, fmt::format("{}/phases/{}/workload", pointer, i));
  }
  if (period > kPeriodMost) issues_.at_pointer(pointer + "/phases", "expected phases of at most 10000 h in all");
  for (std::size_t i = 0; i < workload.parts.size(); ++i)
    check_workload(workload.parts[i], room, fmt::format("{}/parts/{}", pointer, i));
}

void GuestChecker::check_hot(const Options& workload, PageRange range, const std::string& pointer) {
  if (!check_page_multiple(workload.hot_memory, pointer)) return;
  if (workload.hot_memory > guest_->page_size * range.count)
    issues_.at_pointer(pointer, fmt::format("expected at most the workload's memory of {}, got {}",
                                            shown_pages(range.count), shown(workload.hot_memory)));
}

void GuestChecker::check_zipf(PageRange range, const std::string& pointer) {
  const std::uint64_t pages = workloads::whole_words(range).count;
  if (pages == 0)
    issues_.at_pointer(pointer, fmt::format("zipf needs a whole group of 64 pages, {}; its memory is {} from {} on",
                                            shown_pages(64), shown_pages(range.count), shown_pages(range.first)));
  add(zipf_pages_, pages, kZipfPages, pointer);
}

void GuestChecker::check_curve(Options& workload, PageRange range, const std::string& pointer) {
  const std::vector<workloads::CurvePoint>& points = workload.points;
  for (std::size_t i = 1; i < points.size(); ++i) {
    if (points[i].after > points[i - 1].after && points[i].pages >= points[i - 1].pages) continue;
    issues_.at_pointer(fmt::format("{}/{}", pointer, i), "expected a later time than before, and no fewer pages");
    return;
  }
  auto fit = std::make_shared<workloads::CurveFit>(workloads::fit_curve(points, {range.count}));
  if (fit->pages().value > range.count) {
    issues_.at_pointer(pointer,
                       fmt::format("this takes {} pages, but there are only {}", fit->pages().value, range.count));
    return;
  }
  workload.curve = std::move(fit);
}

void GuestChecker::check_recording(Options& workload, PageRange range, const std::string& pointer) {
  const std::filesystem::path path = (base_dir_ / workload.file).lexically_normal();
  std::error_code ignored;
  const bool cut_off = workload.file.find('\0') != std::string::npos;  // the system would see the part before it alone
  if (cut_off || !std::filesystem::is_regular_file(path, ignored)) {
    issues_.at_pointer(pointer, fmt::format("there is no file {}; the path is relative to the scenario's own folder",
                                            shortened(path.string(), 300)));
    return;
  }
  workload.file = path.string();
  const Recording& read = recording(path);
  if (!read) {
    issues_.at_pointer(
        pointer, fmt::format("{} is no trace: {} (at byte {})", path.string(), read.error().what, read.error().offset));
    return;
  }
  const workloads::Trace& trace = *read.value();
  if (trace.page_size != guest_->page_size.value)
    issues_.at_pointer(pointer, fmt::format("the trace has pages of {}, the guest of {}", shown({trace.page_size}),
                                            shown(guest_->page_size)));
  else if (trace.page_count > range.count)
    issues_.at_pointer(pointer, fmt::format("the trace needs {} of memory, but there are only {}",
                                            shown_pages(trace.page_count), shown_pages(range.count)));
  workload.trace = read.value();
}

const GuestChecker::Recording& GuestChecker::recording(const std::filesystem::path& path) {
  if (const auto known = recordings_.find(path); known != recordings_.end()) return known->second;
  auto read = workloads::read_trace(path);
  Recording kept =
      read ? Recording(std::make_shared<const workloads::Trace>(std::move(read.value()))) : Recording(read.error());
  return recordings_.emplace(path, std::move(kept)).first->second;
}

}  // namespace godwit::scenarios
