#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/page_run.h"
#include "base/units.h"

namespace godwit::core {

/// What a record of the migration stream says. The numbers are on the wire: never reuse one.
enum class RecordType : std::uint8_t {
  kHello = 1,        ///< Source: this much memory, these pages; may I? `value` is the memory in pages.
  kPages = 2,        ///< Source: the pages of `runs`, each as it was when it was read.
  kShadowPages = 3,  ///< Source: the pages of `runs`, as they were copied into the shadow.
  kDeviceState = 4,  ///< Source: device and CPU state; `value` is its size in bytes.
  kEnd = 5,          ///< Source: that was all; `value` is the hash of the stream.
  kCommit = 6,       ///< Source: I have fenced myself; run.
  kAbort = 7,        ///< Source: forget it.
  kReady = 8,        ///< Destination: all arrived and loaded; `value` is the hash of the stream.
  kRefused = 9,      ///< Destination: `value` is a Refusal.
  kRunning = 10,     ///< Destination: COMMIT has arrived and the guest runs here.
  kMissing = 11,     ///< Source: the pages of `runs` come after COMMIT only; whatever came of them before is stale.
  kAllSent = 12,     ///< Source: no page is missing any more; `value` is the hash of the stream.
};

/// Whether what a record names is in it.
constexpr bool carries_pages(RecordType type) { return type == RecordType::kPages || type == RecordType::kShadowPages; }

/// Why a destination refuses. On the wire: never reuse a number.
enum class Refusal : std::uint64_t { kNoMemory = 1, kWrongStream = 2 };

/// What pages cost on the wire under the framing of a preset.
struct Charge {
  Bytes normal_page{0};
  Bytes zero_page{0};
  Bytes fixed{0};               ///< Once a record.
  Bytes packet{0};              ///< Once for every packet that is begun.
  Pages packet_pages{1};        ///< Of a packet.
  Pages in_packet{0};           ///< Pages that the packet under way has from the record before.
  bool delta = false;           ///< Of normal pages only what has changed goes.
  bool zero_in_packet = false;  ///< Zero pages go in packets, too.

  /// The packets that `pages` more begin.
  Bytes packets(Pages pages) const {
    const auto begun = [this](std::uint64_t n) { return (n + packet_pages.value - 1) / packet_pages.value; };
    return packet * (begun(in_packet.value + pages.value) - begun(in_packet.value));
  }
};

/// One record of the stream. A value: `runs` and `payload` belong to whoever made it, until `send` has returned.
struct Record {
  RecordType type = RecordType::kPages;
  std::uint64_t sequence = 0;  ///< Rises by one from record to record.
  std::uint64_t value = 0;     ///< Means what `type` says.
  std::span<const PageRun> runs{};
  std::span<const std::byte> payload{};  ///< The bytes of the normal pages in order, where there are real bytes.
  std::uint32_t payload_crc = 0;         ///< Of a record that came in: crc32c over its contents, 0 where it has none.
  Charge charge{};
};

inline constexpr std::uint16_t kWireVersion = 1;
inline constexpr std::size_t kHeaderBytes = 40;
inline constexpr std::size_t kRunBytes = 17;
inline constexpr std::uint32_t kRunsMax = 1u << 20;
inline constexpr std::uint64_t kPayloadMax = 1ull << 32;

/// CRC-32C (Castagnoli), continued from `crc`; start with 0.
std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes);

/// The checksum of two stretches of bytes one after the other, from the checksum of each and the length of the second.
/// A host that has faster instructions for the contents than `crc32c` puts a record's checksum together with it.
std::uint32_t crc32c_joined(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes);

/// The bytes of a record's header and page runs, and of the checksum that closes it. The payload lies between the two.
constexpr std::size_t head_size(std::size_t runs) { return kHeaderBytes + runs * kRunBytes; }
inline constexpr std::size_t kTailBytes = sizeof(std::uint32_t);

/// Writes header and runs of `record`, for a payload of `payload_bytes`, whatever `record.payload` is. Requires room
/// for them. Returns the bytes written.
std::size_t encode_head(const Record& record, std::uint64_t payload_bytes, std::span<std::byte> out);

/// Writes the checksum that closes a record to the front of `out`, little-endian; and reads it there.
void encode_tail(std::uint32_t crc, std::span<std::byte> out);
std::uint32_t decode_tail(std::span<const std::byte> in);

/// The bytes that `encode` will write for `record`. Arithmetic only.
std::size_t encoded_size(const Record& record);

/// Writes `record` to `out`, little-endian, closed by a CRC-32C over all before it. Requires room for encoded_size.
/// Returns the bytes written.
std::size_t encode(const Record& record, std::span<std::byte> out);

enum class DecodeError : std::uint8_t {
  kNone,
  kTruncated,
  kMagic,
  kVersion,
  kType,
  kTooLarge,
  kRun,
  kChecksum,
  kReserved
};

/// Words for a DecodeError, for messages.
const char* describe(DecodeError error);

struct Decoded {
  DecodeError error = DecodeError::kNone;
  Record record{};         ///< `runs` lie in the space given, `payload` in the input.
  std::size_t length = 0;  ///< Bytes of the input used; where truncated, the least that a whole record needs.
};

/// Reads one record from the front of `in`. Checks every length before it believes it; a page run must lie under
/// `memory`, and under 2^62. `runs` is where the page runs go; a record with more of them is kTooLarge. What it takes is
/// what `encode` writes: encoding it again gives the same bytes.
Decoded decode(std::span<const std::byte> in, Pages memory, std::span<PageRun> runs);

struct DecodedHead {
  DecodeError error = DecodeError::kNone;
  Record record{};         ///< Without payload. `runs` lie in the space given.
  std::size_t length = 0;  ///< Bytes of the head; where truncated, the least that a whole head needs.
  std::uint64_t payload_bytes = 0;
};

/// As `decode`, but reads no further than the runs, and so cannot check the checksum: for a host that puts the payload
/// into its place as it comes.
DecodedHead decode_head(std::span<const std::byte> in, Pages memory, std::span<PageRun> runs);

/// A running hash over the records of a stream, the same at both ends when both saw the same records in order.
class StreamHash {
 public:
  /// `payload_crc` is crc32c over the payload, 0 where there is none: a source that sends straight from memory knows
  /// no more of it.
  void add(const Record& record, std::uint32_t payload_crc);
  std::uint64_t value() const { return state_; }

 private:
  void mix(std::uint64_t word);
  std::uint64_t state_ = 0x9e3779b97f4a7c15;
};

}  // namespace godwit::core
