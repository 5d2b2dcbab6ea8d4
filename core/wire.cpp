#include "core/wire.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace godwit::core {
namespace {

constexpr std::uint32_t kMagic = 0x54574447;  // "GDWT"

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // Castagnoli's, with the coefficient of x^0 in the highest bit

/// Table k gives what a byte contributes that has k more bytes after it: eight bytes a step.
/// Source: Kounavis and Berry, "Novel table lookup-based algorithms for high-performance CRC generation", 2008.
constexpr std::array<std::array<std::uint32_t, 256>, 8> crc_tables() {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int k = 0; k < 8; ++k) c = (c & 1) != 0 ? kPolynomial ^ (c >> 1) : c >> 1;
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

namespace {

constexpr std::uint32_t kOne = 1u << 31;  // a polynomial's coefficient of x^i is bit 31 - i

constexpr std::uint32_t multiply(std::uint32_t a, std::uint32_t b) {
  std::uint32_t product = 0;
  for (std::uint32_t coefficient = kOne; coefficient != 0; coefficient >>= 1) {
    if ((a & coefficient) != 0) product ^= b;
    b = (b & 1) != 0 ? b >> 1 ^ kPolynomial : b >> 1;
  }
  return product;
}

}  // namespace

// Bytes that follow multiply what came before by x^8 each, modulo the polynomial; the two inversions cancel out.
std::uint32_t crc32c_joined(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes) {
  std::uint32_t power = kOne >> 8;
  std::uint32_t shift = kOne;
  for (std::uint64_t n = second_bytes; n != 0; n >>= 1) {
    if ((n & 1) != 0) shift = multiply(shift, power);
    power = multiply(power, power);
  }
  return multiply(shift, first) ^ second;
}

std::size_t encode_head(const Record& record, std::uint64_t payload_bytes, std::span<std::byte> out) {
  GODWIT_CHECK(out.size() >= head_size(record.runs.size()));
  GODWIT_CHECK(record.runs.size() <= kRunsMax && payload_bytes <= kPayloadMax);
  Cursor to(out.data());
  to.put(kMagic);
  to.put(kWireVersion);
  to.put(static_cast<std::uint8_t>(record.type));
  to.put(std::uint8_t{0});
  to.put(record.sequence);
  to.put(record.value);
  to.put(static_cast<std::uint32_t>(record.runs.size()));
  to.put(std::uint32_t{0});
  to.put(payload_bytes);
  for (const PageRun& run : record.runs) {
    to.put(static_cast<std::uint8_t>((run.is_mask() ? kMaskKind : 0) | (run.is_zero() ? kZeroKind : 0)));
    to.put(run.is_mask() ? run.word() : run.first());
    to.put(run.is_mask() ? run.mask() : run.count());
  }
  return static_cast<std::size_t>(to.at() - out.data());
}

void encode_tail(std::uint32_t crc, std::span<std::byte> out) {
  GODWIT_CHECK(out.size() >= kTailBytes);
  Cursor(out.data()).put(crc);
}

std::uint32_t decode_tail(std::span<const std::byte> in) {
  GODWIT_CHECK(in.size() >= kTailBytes);
  return get<std::uint32_t>(in.data());
}

std::size_t encoded_size(const Record& record) {
  return head_size(record.runs.size()) + record.payload.size() + kTailBytes;
}

std::size_t encode(const Record& record, std::span<std::byte> out) {
  GODWIT_CHECK(out.size() >= encoded_size(record));
  const std::size_t head = encode_head(record, record.payload.size(), out);
  if (!record.payload.empty()) std::memcpy(out.data() + head, record.payload.data(), record.payload.size());
  const std::size_t length = head + record.payload.size();
  encode_tail(crc32c(0, out.first(length)), out.subspan(length));
  return length + kTailBytes;
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

DecodedHead decode_head(std::span<const std::byte> in, Pages memory, std::span<PageRun> runs) {
  const auto fail = [](DecodeError error, std::size_t length = 0) {
    return DecodedHead{.error = error, .length = length};
  };
  if (in.size() < kHeaderBytes) return fail(DecodeError::kTruncated, kHeaderBytes);
  const std::byte* at = in.data();
  if (get<std::uint32_t>(at) != kMagic) return fail(DecodeError::kMagic);
  if (get<std::uint16_t>(at + 4) != kWireVersion) return fail(DecodeError::kVersion);
  const auto type = get<std::uint8_t>(at + 6);
  if (type < static_cast<std::uint8_t>(RecordType::kHello) || type > static_cast<std::uint8_t>(RecordType::kAllSent)) {
    return fail(DecodeError::kType);
  }
  const auto run_count = get<std::uint32_t>(at + 24);
  const auto payload = get<std::uint64_t>(at + 32);
  if (run_count > kRunsMax || run_count > runs.size() || payload > kPayloadMax) return fail(DecodeError::kTooLarge);
  const std::size_t length = head_size(run_count);
  if (in.size() < length) return fail(DecodeError::kTruncated, length);
  if (get<std::uint8_t>(at + 7) != 0 || get<std::uint32_t>(at + 28) != 0) return fail(DecodeError::kReserved);
  for (std::uint32_t i = 0; i < run_count; ++i) {
    runs[i] = decode_run(at + head_size(i), memory);
    if (runs[i].count() == 0) return fail(DecodeError::kRun);
  }
  return {.record = {.type = static_cast<RecordType>(type),
                     .sequence = get<std::uint64_t>(at + 8),
                     .value = get<std::uint64_t>(at + 16),
                     .runs = runs.first(run_count)},
          .length = length,
          .payload_bytes = payload};
}

Decoded decode(std::span<const std::byte> in, Pages memory, std::span<PageRun> runs) {
  const DecodedHead head = decode_head(in, memory, runs);
  if (head.error != DecodeError::kNone) return {.error = head.error, .length = head.length};
  const auto payload_bytes = static_cast<std::size_t>(head.payload_bytes);
  const std::size_t body = head.length + payload_bytes;
  if (in.size() < body + kTailBytes) return {.error = DecodeError::kTruncated, .length = body + kTailBytes};
  Record record = head.record;
  record.payload = in.subspan(head.length, payload_bytes);
  record.payload_crc = crc32c(0, record.payload);
  const std::uint32_t crc = crc32c_joined(crc32c(0, in.first(head.length)), record.payload_crc, payload_bytes);
  if (crc != decode_tail(in.subspan(body))) return {.error = DecodeError::kChecksum};
  return {.record = record, .length = body + kTailBytes};
}

namespace {

/// The two halves of a 128-bit product, folded: the mixing step of wyhash (public domain design).
constexpr std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  const u128 product = static_cast<u128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

void StreamHash::mix(std::uint64_t word) { state_ = fold(state_ ^ word, 0xa0761d6478bd642full) ^ (word << 1 | 1); }

/// Four runs at a time, each into a lane of its own, so that no product waits for the one before it.
void StreamHash::add(const Record& record, std::uint32_t payload_crc) {
  mix(static_cast<std::uint64_t>(record.type) << 56 ^ record.sequence);
  mix(record.value);
  mix(record.runs.size());
  std::uint64_t lanes[4] = {state_, state_ ^ 0xe7037ed1a0b428dbull, state_ ^ 0x8ebc6af09c88c6e3ull,
                            state_ ^ 0x589965cc75374cc3ull};
  const auto with = [](std::uint64_t lane, const PageRun& run) {
    return fold(lane ^ run.where(), run.what() ^ 0x1d8e4e27c47d124full);
  };
  std::size_t i = 0;
  for (; i + 4 <= record.runs.size(); i += 4)
    for (unsigned k = 0; k < 4; ++k) lanes[k] = with(lanes[k], record.runs[i + k]);
  for (; i < record.runs.size(); ++i) lanes[i % 4] = with(lanes[i % 4], record.runs[i]);
  for (const std::uint64_t lane : lanes) mix(lane);
  mix(payload_crc);
}

}  // namespace godwit::core
