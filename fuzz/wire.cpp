#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "core/wire.h"
#include "fuzz/records.h"
#include "fuzz/target.h"

// What the decoder takes lies in the memory and is what the encoder writes, byte for byte. An input is the number of
// pages of the memory (8 bytes) and a stream of records. A stream made up at random has no right checksum, so the input
// is decoded twice: as it is, and with its checksums mended.
namespace {

using namespace godwit;
using namespace godwit::core;

void mend_all(std::span<std::byte> stream) {
  while (const std::size_t size = fuzz::record_size(stream)) {
    fuzz::mend(stream.first(size));
    stream = stream.subspan(size);
  }
}

void decode_all(std::span<const std::byte> stream, Pages memory) {
  static std::vector<PageRun> runs(1024);
  while (true) {
    const DecodedHead head = decode_head(stream, memory, runs);
    const Decoded decoded = decode(stream, memory, runs);
    if (decoded.error != DecodeError::kNone) return;
    GODWIT_CHECK(head.error == DecodeError::kNone && head.length == head_size(decoded.record.runs.size()));
    GODWIT_CHECK(head.payload_bytes == decoded.record.payload.size());
    GODWIT_CHECK(decoded.length <= stream.size() && decoded.length == encoded_size(decoded.record));
    for (const PageRun& run : decoded.record.runs) {
      GODWIT_CHECK(run.count() > 0);
      const PageIndex last = run.is_mask() ? run.word() * 64 + 63 - static_cast<unsigned>(std::countl_zero(run.mask()))
                                           : run.first() + (run.count() - 1);
      GODWIT_CHECK(run.first() <= last && last < memory.value);
    }
    std::vector<std::byte> again(decoded.length);
    GODWIT_CHECK(encode(decoded.record, again) == decoded.length);
    GODWIT_CHECK(std::ranges::equal(again, stream.first(decoded.length)));
    stream = stream.subspan(decoded.length);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < sizeof(std::uint64_t)) return 0;
  std::vector<std::byte> input(size);
  std::memcpy(input.data(), data, size);
  const Pages memory{fuzz::get<std::uint64_t>(input, 0)};
  const std::span<std::byte> stream = std::span(input).subspan(sizeof(std::uint64_t));
  decode_all(stream, memory);
  mend_all(stream);
  decode_all(stream, memory);
  return 0;
}
