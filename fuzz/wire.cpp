#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "core/wire.h"
#include "fuzz/target.h"

// What the decoder takes lies in the memory and is what the encoder writes, byte for byte. An input is the number of
// pages of the memory (8 bytes) and a stream of records. A stream made up at random has no right checksum, so the input
// is decoded twice: as it is, and with its checksums mended.
namespace {

using namespace godwit;
using namespace godwit::core;

template <class T>
T get(std::span<const std::byte> from, std::size_t at) {
  T value;
  std::memcpy(&value, &from[at], sizeof value);
  return value;
}

void mend_checksums(std::span<std::byte> stream) {
  while (stream.size() > kHeaderBytes) {
    const std::size_t room = stream.size() - kHeaderBytes - sizeof(std::uint32_t);
    const std::uint64_t runs = get<std::uint32_t>(stream, 24), payload = get<std::uint64_t>(stream, 32);
    if (stream.size() < kHeaderBytes + sizeof(std::uint32_t) || runs > room / kRunBytes) return;
    if (payload > room - runs * kRunBytes) return;
    const std::size_t body = kHeaderBytes + runs * kRunBytes + payload;
    const std::uint32_t crc = crc32c(0, stream.first(body));
    std::memcpy(&stream[body], &crc, sizeof crc);
    stream = stream.subspan(body + sizeof crc);
  }
}

void decode_all(std::span<const std::byte> stream, Pages memory) {
  static std::vector<PageRun> runs(1024);
  while (true) {
    const Decoded decoded = decode(stream, memory, runs);
    if (decoded.error != DecodeError::kNone) return;
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
  const Pages memory{get<std::uint64_t>(input, 0)};
  const std::span<std::byte> stream = std::span(input).subspan(sizeof(std::uint64_t));
  decode_all(stream, memory);
  mend_checksums(stream);
  decode_all(stream, memory);
  return 0;
}
