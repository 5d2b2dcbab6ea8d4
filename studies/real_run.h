#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "scenarios/issues.h"

/// Real migrations as studies/data/README.md describes them, one JSON object a line.
namespace godwit::studies {

/// How a migration ended and what it moved. The names in documents are those of the records' `result`.
struct Outcome {
  bool completed = false;  ///< Within the cap.
  std::optional<double> total_time_ms, stop_to_resume_ms;
  std::uint64_t transferred_bytes = 0;
  std::uint64_t normal_pages = 0, duplicate_pages = 0;
  std::uint64_t dirty_sync_count = 0;
  std::uint64_t throttle_max_percent = 0;
};

/// What the recorded guest wrote.
struct RealGuest {
  enum class Pattern : std::uint8_t { kUniform, kSequential, kHot, kZipf };
  std::uint64_t ram_mib = 0;
  std::uint64_t touched_mib = 0;
  std::uint64_t written_mib = 0;  ///< Of those touched.
  std::uint64_t write_rate = 0;   ///< Per second, as it was before the migration.
  Pattern pattern = Pattern::kUniform;
  std::uint64_t hot_mib = 0, hot_permille = 0;
  std::uint64_t exponent_thousandths = 0;
  std::uint64_t bytes_per_write = 0;
  bool spins = false;        ///< It writes as fast as it gets CPU.
  bool filled_zero = false;  ///< What it touched was full of zeroes.
  bool writes_zero = false;  ///< And what it writes are zeroes.
};

struct RealLink {
  enum class Kind : std::uint8_t { kUnix, kTcp, kRelay };
  Kind kind = Kind::kUnix;
  std::uint64_t bytes_per_s = 0, delay_us = 0;  ///< Of a relay.
};

/// What QEMU was told.
struct RealMigration {
  std::uint64_t max_bandwidth = 0;  ///< Bytes per second; 0: unlimited.
  std::uint64_t downtime_limit_ms = 0;
  std::uint64_t cap_ms = 0;               ///< Cancelled after that.
  std::vector<std::string> capabilities;  ///< As all the following, by QEMU's names.
  std::vector<std::pair<std::string, std::string>> parameters;
  std::optional<std::uint64_t> postcopy_after_ms, postcopy_after_pass;

  bool has(std::string_view capability) const;
};

struct RealRun {
  std::string cell, group;
  std::uint64_t rep = 0;
  bool kvm = false;  ///< The accelerator; else TCG.
  RealGuest guest;
  RealLink link;
  RealMigration migration;
  Outcome measured;
};

/// The records in `text`, or all that is wrong with them. `file` is what issues call it; empty lines are passed over.
std::variant<std::vector<RealRun>, std::vector<scenarios::Issue>> read_real_runs(std::string_view text,
                                                                                 const std::string& file);

}  // namespace godwit::studies
