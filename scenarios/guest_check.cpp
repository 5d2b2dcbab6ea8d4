#include "scenarios/guest_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <system_error>

#include "scenarios/quantity.h"
#include "workloads/trace.h"

namespace godwit::scenarios {
namespace {

using workloads::Kind;
using workloads::Options;

std::string shown(Bytes size) { return format_quantity(Dimension::kBytes, size.value); }

class GuestChecker {
 public:
  GuestChecker(sim::GuestOptions& guest, const std::filesystem::path& base_dir, Issues& issues)
      : guest_(guest), base_dir_(base_dir), issues_(issues) {}

  void run(const std::string& pointer) {
    if (!check_memory(pointer)) return;
    check_classes(pointer + "/pages");
    check_workload(guest_.workload, pointer + "/workload");
    if (guest_.workload.demand == workloads::Demand::kBusy && guest_.workload.cpu_per_write.count() == 0)
      issues_.at_pointer(pointer + "/workload", "demand busy needs cpu_per_write, the CPU time that a write takes");
    if (guest_.workload.demand == workloads::Demand::kPaced && guest_.workload.cpu_per_write.count() != 0)
      issues_.at_pointer(pointer + "/workload/cpu_per_write",
                         "only demand busy has this; a paced guest has cpu_demand");
  }

 private:
  bool check_memory(const std::string& pointer) {
    const std::uint64_t page = guest_.page_size.value;
    if (!std::has_single_bit(page)) {
      issues_.at_pointer(pointer + "/page_size", "expected a power of two, got " + shown(guest_.page_size));
      return false;
    }
    constexpr Bytes kBytesMax{64 << 20};
    if (guest_.contents == sim::Contents::kBytes && guest_.memory > kBytesMax)
      issues_.at_pointer(pointer + "/contents",
                         fmt::format("bytes needs a guest of at most {}, this one has {}; versions has no such bound",
                                     shown(kBytesMax), shown(guest_.memory)));
    if (guest_.memory.value % page == 0) return true;
    issues_.at_pointer(pointer + "/memory", fmt::format("expected a multiple of the page size {}, got {}",
                                                        shown(guest_.page_size), shown(guest_.memory)));
    return false;
  }

  void check_classes(const std::string& pointer) {
    Share sum = 0, unwritten = 0;
    for (std::size_t i = 0; i < guest_.pages.size(); ++i) {
      const sim::PageClassOptions& each = guest_.pages[i];
      sum += each.share;
      if (each.kind != sim::PageKind::kPageCache) unwritten += each.share;
      if (each.at)
        check_place(*each.at, {mul_div(guest_.memory.value, each.share, kWhole)}, fmt::format("{}/{}/at", pointer, i));
    }
    if (sum > kWhole)
      issues_.at_pointer(pointer,
                         fmt::format("the shares sum to {}, more than 100 %", format_quantity(Dimension::kShare, sum)));
    else if (unwritten == kWhole && guest_.workload.kind != Kind::kIdle)
      issues_.at_pointer(pointer, "all memory is zero or free, so the workload has nothing to write to");
  }

  void check_place(Bytes at, Bytes size, const std::string& pointer) {
    check_page_multiple(at, pointer);
    if (at.value > guest_.memory.value || size.value > guest_.memory.value - at.value)
      issues_.at_pointer(pointer, fmt::format("{} from {} on go beyond the guest's memory of {}", shown(size),
                                              shown(at), shown(guest_.memory)));
  }

  void check_page_multiple(Bytes size, const std::string& pointer) {
    if (size.value % guest_.page_size.value != 0)
      issues_.at_pointer(pointer, fmt::format("expected a multiple of the page size {}, got {}",
                                              shown(guest_.page_size), shown(size)));
  }

  void check_workload(Options& workload, const std::string& pointer) {
    if (workload.memory) check_page_multiple(*workload.memory, pointer + "/memory");
    if (workload.memory && *workload.memory > guest_.memory)
      issues_.at_pointer(pointer + "/memory", fmt::format("expected at most the guest's memory of {}, got {}",
                                                          shown(guest_.memory), shown(*workload.memory)));
    else if (workload.at)
      check_place(*workload.at, workload.memory.value_or(guest_.page_size), pointer + "/at");
    if (workload.kind == Kind::kHotSet) check_hot(workload, pointer + "/hot_memory");
    if (workload.kind == Kind::kRecorded) check_recording(workload, pointer + "/file");
    for (std::size_t i = 0; i < workload.phases.size(); ++i)
      check_workload(workload.phases[i].workload, fmt::format("{}/phases/{}/workload", pointer, i));
    for (std::size_t i = 0; i < workload.parts.size(); ++i)
      check_workload(workload.parts[i], fmt::format("{}/parts/{}", pointer, i));
  }

  /// What is neither zero nor free.
  Bytes written_memory() const {
    Share unwritten = 0;
    for (const sim::PageClassOptions& each : guest_.pages)
      if (each.kind != sim::PageKind::kPageCache) unwritten += each.share;
    return {guest_.memory.value - mul_div(guest_.memory.value, std::min(unwritten, kWhole), kWhole)};
  }

  void check_hot(const Options& workload, const std::string& pointer) {
    check_page_multiple(workload.hot_memory, pointer);
    const Bytes memory = workload.memory.value_or(guest_.memory);
    if (workload.hot_memory > memory)
      issues_.at_pointer(pointer, fmt::format("expected at most the workload's memory of {}, got {}", shown(memory),
                                              shown(workload.hot_memory)));
  }

  void check_recording(Options& workload, const std::string& pointer) {
    const std::filesystem::path path = (base_dir_ / workload.file).lexically_normal();
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) {
      issues_.at_pointer(pointer, fmt::format("there is no file {}; the path is relative to the scenario's own folder",
                                              path.string()));
      return;
    }
    workload.file = path.string();
    const auto reader = workloads::TraceReader::open(path);
    if (!reader) {
      issues_.at_pointer(pointer, fmt::format("{} is no trace: {} (at byte {})", path.string(), reader.error().what,
                                              reader.error().offset));
      return;
    }
    const workloads::TraceHeader& header = reader->header();
    const Bytes needed{header.page_count * header.page_size};
    if (header.page_size != guest_.page_size.value)
      issues_.at_pointer(pointer, fmt::format("the trace has pages of {}, the guest of {}", shown({header.page_size}),
                                              shown(guest_.page_size)));
    else if (const Bytes room = workload.memory.value_or(written_memory()); needed > room)
      issues_.at_pointer(
          pointer, fmt::format("the trace needs {} of memory, but there are only {}", shown(needed), shown(room)));
  }

  sim::GuestOptions& guest_;
  const std::filesystem::path& base_dir_;
  Issues& issues_;
};

}  // namespace

void check_guest(sim::GuestOptions& guest, const std::string& pointer, const std::filesystem::path& base_dir,
                 Issues& issues) {
  GuestChecker(guest, base_dir, issues).run(pointer);
}

}  // namespace godwit::scenarios
