#pragma once

#include <vector>

#include "core/ports.h"
#include "sim/context.h"

namespace godwit::sim {

/// What happens to a record on a wire that carries real bytes: it is encoded, perhaps damaged, and decoded.
class RealWire {
 public:
  explicit RealWire(MigrationContext& context) : c_(context) {}

  /// Reads the contents of the normal pages of `record`, from the guest's memory or the shadow, into its payload, which
  /// lives until the next call. Returns crc32c over it.
  std::uint32_t gather(core::Record& record);
  /// Carries `record` over. What arrives lives until the next call.
  core::Arrival::Incoming carry(const core::Record& record, bool damaged);

 private:
  MigrationContext& c_;
  std::vector<std::byte> payload_, wire_;
  std::vector<PageRun> runs_;
};

}  // namespace godwit::sim
