#include "sim/real_wire.h"

namespace godwit::sim {

std::uint32_t RealWire::gather(core::Record& record) {
  payload_.clear();
  const PageBytes& memory = *c_.memory().bytes();
  for (const PageRun& run : record.runs) {
    if (run.is_zero()) continue;
    for_each_page(run, [&](PageIndex index) {
      const std::span<const std::byte> page =
          record.type == core::RecordType::kShadowPages ? c_.shadow.at(index) : memory.page(index);
      payload_.insert(payload_.end(), page.begin(), page.end());
    });
  }
  record.payload = payload_;
  return core::crc32c(0, payload_);
}

core::Arrival::Incoming RealWire::carry(const core::Record& record, bool damaged) {
  using Kind = core::Arrival::Incoming::Kind;
  wire_.resize(core::encoded_size(record));
  core::encode(record, wire_);
  if (damaged) wire_[wire_.size() / 2] ^= std::byte{1};
  runs_.resize(record.runs.size());
  const core::Decoded decoded = core::decode(wire_, c_.memory().size(), runs_);
  if (decoded.error != core::DecodeError::kNone) return {Kind::kCorrupt, {}};
  return {Kind::kRecord, decoded.record};
}

}  // namespace godwit::sim
