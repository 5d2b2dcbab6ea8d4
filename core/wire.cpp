#include "core/wire.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace godwit::core {
namespace {

constexpr std::uint32_t kMagic = 0x54574447;  // "GDWT"

/// Table k gives what a byte contributes that has k more bytes after it: eight bytes a step.
/// Source: Kounavis and Berry, "Novel table lookup-based algorithms for high-performance CRC generation", 2008.
constexpr std::array<std::array<std::uint32_t, 256>, 8> crc_tables() {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int k = 0; k < 8; ++k) c = (c & 1) != 0 ? 0x82f63b78u ^ (c >> 1) : c >> 1;
    tables[0][i] = c;
  }
  for (std::uint32_t i = 0; i < 256; ++i) {
    for (std::size_t k = 1; k < 8; ++k) tables[k][i] = tables[k - 1][i] >> 8 ^ tables[0][tables[k - 1][i] & 0xff];
  }
  return tables;
}
constexpr auto kCrcTables = crc_tables();

/// Writes and reads whole little-endian numbers at a place that moves on.
class Cursor {
 public:
  explicit Cursor(std::byte* at) : at_(at) {}
  template <class T>
  void put(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
      *at_++ = static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * i));
  }
  std::byte* at() const { return at_; }
  void skip(std::size_t n) { at_ += n; }

 private:
  std::byte* at_;
};

template <class T>
T get(const std::byte* at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value |= static_cast<std::uint64_t>(at[i]) << (8 * i);
  return static_cast<T>(value);
}

constexpr Pages kMemoryMost{std::uint64_t{1} << 62};  // a PageRun has no room for more
constexpr std::uint8_t kMaskKind = 1;
constexpr std::uint8_t kZeroKind = 2;

/// One run from its 17 bytes; count() == 0 where they make no sense.
PageRun decode_run(const std::byte* at, Pages memory) {
  const auto kind = get<std::uint8_t>(at);
  const auto place = get<std::uint64_t>(at + 1);
  const auto what = get<std::uint64_t>(at + 9);
  if (kind > (kMaskKind | kZeroKind) || what == 0) return {};
  memory = std::min(memory, kMemoryMost);
  PageRun run;
  if ((kind & kMaskKind) != 0) {
    if (place > memory.value / 64) return {};
    const auto highest = place * 64 + 63 - static_cast<unsigned>(std::countl_zero(what));
    if (highest >= memory.value) return {};
    run = PageRun::of_word(place, what);
  } else {
    if (place >= memory.value || what > memory.value - place) return {};
    run = PageRun::solid(place, what);
  }
  return (kind & kZeroKind) != 0 ? run.as_zero() : run;
}

}  // namespace

std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes) {
  crc = ~crc;
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    const std::uint64_t word = get<std::uint64_t>(bytes.data()) ^ crc;
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k) crc ^= kCrcTables[7 - k][word >> (8 * k) & 0xff];
  }
  for (const std::byte b : bytes) crc = kCrcTables[0][(crc ^ static_cast<std::uint32_t>(b)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

std::size_t encoded_size(const Record& record) {
  return kHeaderBytes + record.runs.size() * kRunBytes + record.payload.size() + sizeof(std::uint32_t);
}

std::size_t encode(const Record& record, std::span<std::byte> out) {
  GODWIT_CHECK(out.size() >= encoded_size(record));
  GODWIT_CHECK(record.runs.size() <= kRunsMax && record.payload.size() <= kPayloadMax);
  Cursor to(out.data());
  to.put(kMagic);
  to.put(kWireVersion);
  to.put(static_cast<std::uint8_t>(record.type));
  to.put(std::uint8_t{0});
  to.put(record.sequence);
  to.put(record.value);
  to.put(static_cast<std::uint32_t>(record.runs.size()));
  to.put(std::uint32_t{0});
  to.put(static_cast<std::uint64_t>(record.payload.size()));
  for (const PageRun& run : record.runs) {
    to.put(static_cast<std::uint8_t>((run.is_mask() ? kMaskKind : 0) | (run.is_zero() ? kZeroKind : 0)));
    to.put(run.is_mask() ? run.word() : run.first());
    to.put(run.is_mask() ? run.mask() : run.count());
  }
  if (!record.payload.empty()) std::memcpy(to.at(), record.payload.data(), record.payload.size());
  to.skip(record.payload.size());
  const auto length = static_cast<std::size_t>(to.at() - out.data());
  to.put(crc32c(0, out.first(length)));
  return length + sizeof(std::uint32_t);
}

const char* describe(DecodeError error) {
  switch (error) {
    case DecodeError::kNone: return "no error";
    case DecodeError::kTruncated: return "the record is cut short";
    case DecodeError::kMagic: return "this is not a Godwit stream";
    case DecodeError::kVersion: return "the stream is of another version";
    case DecodeError::kType: return "unknown type of record";
    case DecodeError::kTooLarge: return "the record is larger than any that Godwit writes";
    case DecodeError::kRun: return "a page outside the memory";
    case DecodeError::kChecksum: return "the checksum does not match";
    case DecodeError::kReserved: return "bytes that must be zero are not";
  }
  return "unknown error";
}

Decoded decode(std::span<const std::byte> in, Pages memory, std::span<PageRun> runs) {
  const auto fail = [](DecodeError error, std::size_t length = 0) { return Decoded{.error = error, .length = length}; };
  if (in.size() < kHeaderBytes) return fail(DecodeError::kTruncated, kHeaderBytes);
  const std::byte* at = in.data();
  if (get<std::uint32_t>(at) != kMagic) return fail(DecodeError::kMagic);
  if (get<std::uint16_t>(at + 4) != kWireVersion) return fail(DecodeError::kVersion);
  const auto type = get<std::uint8_t>(at + 6);
  if (type < static_cast<std::uint8_t>(RecordType::kHello) || type > static_cast<std::uint8_t>(RecordType::kRefused)) {
    return fail(DecodeError::kType);
  }
  const auto run_count = get<std::uint32_t>(at + 24);
  const auto payload = get<std::uint64_t>(at + 32);
  if (run_count > kRunsMax || run_count > runs.size() || payload > kPayloadMax) return fail(DecodeError::kTooLarge);
  const std::size_t body = kHeaderBytes + run_count * kRunBytes + static_cast<std::size_t>(payload);
  const std::size_t length = body + sizeof(std::uint32_t);
  if (in.size() < length) return fail(DecodeError::kTruncated, length);
  if (crc32c(0, in.first(body)) != get<std::uint32_t>(at + body)) return fail(DecodeError::kChecksum);
  if (get<std::uint8_t>(at + 7) != 0 || get<std::uint32_t>(at + 28) != 0) return fail(DecodeError::kReserved);
  for (std::uint32_t i = 0; i < run_count; ++i) {
    runs[i] = decode_run(at + kHeaderBytes + i * kRunBytes, memory);
    if (runs[i].count() == 0) return fail(DecodeError::kRun);
  }
  return {
      .record = {.type = static_cast<RecordType>(type),
                 .sequence = get<std::uint64_t>(at + 8),
                 .value = get<std::uint64_t>(at + 16),
                 .runs = runs.first(run_count),
                 .payload = in.subspan(body - static_cast<std::size_t>(payload), static_cast<std::size_t>(payload))},
      .length = length};
}

void StreamHash::mix(std::uint64_t word) {
  // One round of a multiply-fold mix: the two halves of a 128-bit product, as in wyhash (public domain design).
  const u128 product = static_cast<u128>(state_ ^ word) * 0xa0761d6478bd642full;
  state_ = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64) ^ (word << 1 | 1);
}

void StreamHash::add(const Record& record, std::uint32_t payload_crc) {
  mix(static_cast<std::uint64_t>(record.type) << 56 ^ record.sequence);
  mix(record.value);
  for (const PageRun& run : record.runs) {
    mix((run.is_mask() ? run.word() : run.first()) << 2 | (run.is_mask() ? 1u : 0u) | (run.is_zero() ? 2u : 0u));
    mix(run.is_mask() ? run.mask() : run.count());
  }
  mix(payload_crc);
}

}  // namespace godwit::core
