#include "scenarios/checkpoint.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "fuzz/records.h"
#include "fuzz/target.h"
#include "sim/restore.h"

// A checkpoint is refused with words, or its guest starts with all of its memory. An input is a file. Its lengths, its
// checksums and the hash in its END record are mended first, since bytes made up at random have none that are right.
namespace {

using namespace godwit;

// Of docs/checkpoints.md.
constexpr std::size_t kHeader = scenarios::kCheckpointHeaderBytes, kManifestSize = 12, kRecordsSize = 16,
                      kChecksum = 24;
constexpr Pages kSmall{1 << 14};  // larger guests would take the fuzzer's time

/// Makes checksums right, and the hash that the source says at the end.
void mend_records(std::span<std::byte> stream) {
  std::vector<PageRun> runs(1024);
  core::StreamHash hash;
  while (const std::size_t size = fuzz::record_size(stream)) {
    const std::span<std::byte> record = stream.first(size);
    if (fuzz::get<std::uint8_t>(record, 6) == static_cast<std::uint8_t>(core::RecordType::kEnd))
      fuzz::set(record, 16, hash.value());
    fuzz::mend(record);
    const core::Decoded decoded = core::decode(record, {UINT64_MAX}, runs);
    if (decoded.error == core::DecodeError::kNone) hash.add(decoded.record, decoded.record.payload_crc);
    stream = stream.subspan(size);
  }
}

void mend(std::span<std::byte> file) {
  if (file.size() < kHeader) return;
  const std::size_t room = file.size() - kHeader;
  const std::size_t manifest = std::min<std::size_t>(fuzz::get<std::uint32_t>(file, kManifestSize), room);
  fuzz::set(file, kManifestSize, static_cast<std::uint32_t>(manifest));
  fuzz::set(file, kRecordsSize, std::uint64_t{room - manifest});
  const std::uint32_t header = core::crc32c(0, file.first(kChecksum));
  fuzz::set(file, kChecksum, core::crc32c(header, file.subspan(kHeader, manifest)));
  mend_records(file.subspan(kHeader + manifest));
}

void restore(const scenarios::Checkpoint& checkpoint) {
  const sim::GuestOptions& guest = checkpoint.guest();
  const Pages memory{guest.memory.value / guest.page_size.value};
  if (memory > kSmall) return;
  const sim::RestoreOptions options{.guest = &guest,
                                    .guest_number = checkpoint.made_in().guest,
                                    .seed = checkpoint.scenario.options.seed,
                                    .snapshot_at = checkpoint.snapshot_at,
                                    .go_on = std::chrono::seconds(1)};
  const sim::RestoreResult result = sim::restore(options, checkpoint.records);
  GODWIT_CHECK(result.trouble_at <= checkpoint.records.size());
  if (!result.trouble.empty()) return;
  GODWIT_CHECK(result.normal + result.zero >= memory);
  GODWIT_CHECK(result.written <= memory);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> file(size);
  if (size > 0) std::memcpy(file.data(), data, size);
  mend(file);
  const auto read = scenarios::read_checkpoint(file);
  if (const auto* trouble = std::get_if<std::string>(&read)) {
    GODWIT_CHECK(!trouble->empty());
    return 0;
  }
  restore(std::get<scenarios::Checkpoint>(read));
  return 0;
}
