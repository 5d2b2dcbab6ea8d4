#include "sim/file_end.h"

namespace godwit::sim {

std::optional<core::Record> FileEnd::take(const core::Record& record, bool damaged) {
  if (refused_) return std::nullopt;
  const std::size_t at = bytes_.size();
  bytes_.resize(at + core::encoded_size(record));
  const std::span<std::byte> kept = std::span(bytes_).subspan(at);
  core::encode(record, kept);
  if (damaged) kept[kept.size() / 2] ^= std::byte{1};
  // What was written is read back, as whoever starts from the file will read it.
  runs_.resize(record.runs.size());
  const core::Decoded decoded = core::decode(kept, c_.memory().size(), runs_);
  if (decoded.error != core::DecodeError::kNone) return refuse();
  const core::Record& read = decoded.record;
  if (read.type == core::RecordType::kCommit) {
    whole_ = true;
    return std::nullopt;
  }
  if (read.type == core::RecordType::kEnd) {
    if (read.value != hash_.value()) return refuse();
    return core::Record{.type = core::RecordType::kReady, .value = hash_.value()};
  }
  hash_.add(read, read.payload_crc);
  c_.arrive(read);
  return std::nullopt;
}

std::optional<core::Record> FileEnd::refuse() {
  refused_ = true;
  const auto why = static_cast<std::uint64_t>(core::Refusal::kWrongStream);
  return core::Record{.type = core::RecordType::kRefused, .value = why};
}

}  // namespace godwit::sim
