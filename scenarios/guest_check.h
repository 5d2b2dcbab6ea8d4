#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "scenarios/issues.h"
#include "sim/options.h"
#include "workloads/trace.h"

namespace godwit::scenarios {

/// Checks that the parts of each guest fit each other, and that all guests together are no more than a run can hold.
/// Reads the recordings that workloads name, each once.
class GuestChecker {
 public:
  struct Limit {
    std::uint64_t most;
    const char* what;
  };

  /// Both must outlive it. The paths of recordings are relative to `base_dir`.
  GuestChecker(const std::filesystem::path& base_dir, Issues& issues) : base_dir_(base_dir), issues_(issues) {}

  /// `pointer` is where the guest stands in the document, and `copies` how many are like it. Gives its workload the
  /// recordings.
  void check(sim::GuestOptions& guest, std::uint64_t copies, const std::string& pointer);

 private:
  using Recording = workloads::TraceResult<std::shared_ptr<const workloads::Trace>>;

  bool check_memory(const std::string& pointer);
  void add(std::uint64_t& total, std::uint64_t more, const Limit& limit, const std::string& pointer);
  bool check_classes(const std::string& pointer);
  bool check_place(Bytes at, Bytes size, const std::string& pointer);
  bool check_page_multiple(Bytes size, const std::string& pointer);
  void check_workload(workloads::Options& workload, PageRange room, const std::string& pointer);
  bool check_range(const workloads::Options& workload, PageRange room, const std::string& pointer);
  void check_phases(workloads::Options& workload, PageRange room, const std::string& pointer);
  void check_hot(const workloads::Options& workload, PageRange range, const std::string& pointer);
  void check_zipf(PageRange range, const std::string& pointer);
  void check_curve(workloads::Options& workload, PageRange range, const std::string& pointer);
  void check_recording(workloads::Options& workload, PageRange range, const std::string& pointer);
  const Recording& recording(const std::filesystem::path& path);
  std::string shown_pages(std::uint64_t pages) const;

  const std::filesystem::path& base_dir_;
  Issues& issues_;
  std::map<std::filesystem::path, Recording> recordings_;
  // Of all guests so far.
  std::uint64_t pages_ = 0, zipf_pages_ = 0, real_bytes_ = 0, vcpus_ = 0, entries_ = 0;
  // Of the guest that is being checked.
  sim::GuestOptions* guest_ = nullptr;
  std::uint64_t copies_ = 1;
  std::size_t parts_ = 0;
};

}  // namespace godwit::scenarios
