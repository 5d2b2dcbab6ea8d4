#include "live/arrival.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "live/checksum.h"
#include "live/clock.h"
#include "live/memory.h"

namespace godwit::live {

using core::DecodeError;
using core::Record;

namespace {

// What is read with one call and then put into the checksum, while it is in the cache still.
constexpr std::size_t kReadPiece = 128 * 1024;

}  // namespace

Arrival::Arrival(Stream& stream, Lodging& lodging, Bytes memory_max)
    : stream_(stream),
      lodging_(lodging),
      memory_max_(memory_max),
      head_(core::head_size(kRunsAtOnce)),
      runs_(kRunsAtOnce) {}

core::Await<Arrival::Incoming> Arrival::next() {
  const Incoming corrupt{.kind = Incoming::Kind::kCorrupt};
  const Incoming broken{.kind = Incoming::Kind::kBroken};
  if (lost_) return drain(), broken;
  const std::span<std::byte> head(head_);
  if (!stream_.read(head.first(core::kHeaderBytes))) return broken;
  core::DecodedHead decoded = core::decode_head(head.first(core::kHeaderBytes), {pages_}, runs_);
  if (decoded.error == DecodeError::kTruncated) {  // it has runs
    if (!stream_.read(head.subspan(core::kHeaderBytes, decoded.length - core::kHeaderBytes))) return broken;
    decoded = core::decode_head(head.first(decoded.length), {pages_}, runs_);
  }
  if (decoded.error != DecodeError::kNone) return lost_ = true, corrupt;

  Record record = decoded.record;
  // No post-copy here: pages that are announced to come later are refused.
  if (!core::carries_pages(record.type) && !record.runs.empty()) return lost_ = true, corrupt;
  std::uint64_t normal = 0;
  for (const PageRun& run : record.runs) {
    if (run.count() > pages_) return lost_ = true, corrupt;
    normal += run.is_zero() ? 0 : run.count();
  }
  if (normal > core::kPayloadMax / kPageBytes || decoded.payload_bytes != normal * kPageBytes) {
    return lost_ = true, corrupt;
  }
  std::array<std::byte, core::kTailBytes> tail;
  if (!read_pages(record, record.payload_crc) || !stream_.read(tail)) return broken;
  received_ += {decoded.length + decoded.payload_bytes + tail.size()};
  const std::uint32_t crc =
      core::crc32c_joined(crc32c(0, head.first(decoded.length)), record.payload_crc, decoded.payload_bytes);
  if (crc != core::decode_tail(tail)) return corrupt;
  return Incoming{.kind = Incoming::Kind::kRecord, .record = record};
}

bool Arrival::read_pages(const Record& record, std::uint32_t& crc) {
  std::array<iovec, 64> parts;
  std::array<std::span<std::byte>, 64> places;
  std::size_t count = 0, bytes = 0;
  const auto read_gathered = [&] {
    for (std::size_t i = 0; i < count; ++i) parts[i] = {.iov_base = places[i].data(), .iov_len = places[i].size()};
    if (!stream_.read(std::span(parts).first(count))) return false;
    for (std::size_t i = 0; i < count; ++i) crc = crc32c(crc, places[i]);
    count = bytes = 0;
    return true;
  };
  for (const PageRun& run : record.runs) {
    if (run.is_zero()) continue;
    bool well = true;
    for_each_range(run, [&](PageRange range) {
      std::span<std::byte> left(begin_ + range.first * kPageBytes, range.count * kPageBytes);
      while (well && !left.empty()) {
        const std::size_t here = std::min(left.size(), kReadPiece - bytes);
        places[count++] = left.first(here);
        left = left.subspan(here);
        bytes += here;
        if (bytes == kReadPiece || count == places.size()) well = read_gathered();
      }
    });
    if (!well) return false;
  }
  return count == 0 || read_gathered();
}

/// Reads past what comes, so that the refusal reaches a source that is still sending, but not for ever.
void Arrival::drain() {
  const Nanos until = monotonic_now() + stream_.stall_max();
  while (monotonic_now() < until && stream_.read(std::span(head_))) {
  }
}

void Arrival::reply(const Record& record) {
  std::array<std::byte, core::kHeaderBytes + core::kTailBytes> bytes;
  const std::size_t length = core::encode(record, bytes);
  stream_.write(std::span<const std::byte>(bytes).first(length));
}

bool Arrival::prepare(Pages size) {
  if (size.value == 0 || size.value > memory_max_.value / kPageBytes) return false;
  begin_ = lodging_.reserve(size);
  pages_ = begin_ == nullptr ? 0 : size.value;
  return begin_ != nullptr;
}

bool Arrival::reserve(Pages size) {
  if (std::exchange(greeted_, true)) return false;
  return begin_ != nullptr ? size.value == pages_ : prepare(size);
}

/// The contents are in place already; zero pages carry none.
void Arrival::apply(const Record& record) {
  for (const PageRun& run : record.runs) {
    if (!run.is_zero()) continue;
    for_each_range(
        run, [&](PageRange range) { std::memset(begin_ + range.first * kPageBytes, 0, range.count * kPageBytes); });
  }
}

core::Await<core::Done> Arrival::load_device_state(Bytes) {
  lodging_.arrived();
  return core::Done{};
}

core::Await<core::Done> Arrival::run() {
  if (lodging_.run()) reply({.type = core::RecordType::kRunning});
  return core::Done{};
}

void Arrival::discard() {
  if (begin_ != nullptr) lodging_.discard();
  begin_ = nullptr;
  pages_ = 0;
}

}  // namespace godwit::live
