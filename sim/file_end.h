#pragma once

#include <optional>
#include <vector>

#include "core/wire.h"
#include "sim/context.h"

namespace godwit::sim {

/// What is at the other end where a checkpoint goes to a file: it keeps the records as they are encoded, and answers as
/// a destination would.
class FileEnd {
 public:
  explicit FileEnd(MigrationContext& context) : c_(context) {}

  /// Takes the next record. Returns what is to be answered, if anything.
  std::optional<core::Record> take(const core::Record& record, bool damaged);
  /// COMMIT is in: the file is whole.
  bool whole() const { return whole_; }
  std::vector<std::byte> take_bytes() { return std::move(bytes_); }

 private:
  std::optional<core::Record> refuse();

  MigrationContext& c_;
  std::vector<std::byte> bytes_;
  std::vector<PageRun> runs_;
  core::StreamHash hash_;
  bool refused_ = false;
  bool whole_ = false;
};

}  // namespace godwit::sim
