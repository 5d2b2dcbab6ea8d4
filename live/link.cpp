#include "live/link.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/batch.h"
#include "live/checksum.h"
#include "live/clock.h"

namespace godwit::live {

using core::Message;
using core::Record;
using core::RecordType;
using core::SendStop;
using core::Sent;

namespace {

/// The pages of records that are no zero pages.
std::uint64_t normal_pages(std::span<const PageRun> runs) {
  std::uint64_t pages = 0;
  for (const PageRun& run : runs) pages += run.is_zero() ? 0 : run.count();
  return pages;
}

// Under a rate limit, what goes out at once is worth about half a millisecond, so that the link is loaded evenly.
constexpr Nanos kPacePiece{500'000};
// Who sleeps wakes a little late. So much of it is made up for; what was longer the link has stood idle.
constexpr Nanos kCredit{2'000'000};

}  // namespace

std::uint64_t Link::pages_at_once(std::size_t buffer, BitsPerSecond rate) {
  const std::uint64_t room = buffer / kPageBytes;
  if (rate.value == 0) return room;
  return std::clamp<std::uint64_t>(carried(rate, kPacePiece).value / kPageBytes, 1, room);
}

core::Await<Sent> Link::send(const Record& record, const core::SendLimit& limit) {
  const bool open = hear(false);
  if (heard_.kind == Message::Kind::kRefused && record.type != RecordType::kAbort)
    return Sent{.stop = SendStop::kRefused};
  if (!open) return Sent{.stop = SendStop::kBroken};

  Sent sent;
  Record going = record;
  going.runs = within(record.runs, limit, sent.stop);
  const std::uint64_t payload = normal_pages(going.runs) * kPageBytes;
  const std::size_t head = core::encode_head(going, payload, space_.head);
  const Nanos began = monotonic_now();
  const Bytes before = sent_;
  bool well = write_pages(going, head, limit.rate, sent.payload_crc);
  if (well && limit.rate.value > 0) sleep_until(gone_at_);
  sent.bytes = sent_ - before;
  sent.pages = core::size_of(going.runs, {}).pages;
  if (const Nanos took = monotonic_now() - began; payload > 0 && took > Nanos{0}) speed_ = rate_of(sent.bytes, took);
  if (record.type == RecordType::kCommit) committed_ = monotonic_now();
  while (well && record.type == RecordType::kCommit && !running_) well = hear(true);
  if (!well) sent.stop = SendStop::kBroken;
  return sent;
}

/// The runs of a record as far as they go by the limit's instant. The record's head names its pages before they are
/// sent, so how far that is must be foreseen: from the speed of the record before.
std::span<const PageRun> Link::within(std::span<const PageRun> runs, const core::SendLimit& limit, SendStop& stop) {
  if (limit.not_after == kNever || runs.empty()) return runs;
  const Nanos left = std::max(limit.not_after - monotonic_now(), Nanos{0});
  const BitsPerSecond speed = limit.rate.value > 0 ? limit.rate : speed_;
  const std::uint64_t pages = carried(speed, left).value / kPageBytes;
  const std::uint64_t granule = limit.granule.value;
  const Pages wanted{std::max<std::uint64_t>(1, (pages + granule - 1) / granule) * granule};
  if (core::size_of(runs, {}).pages <= wanted) return runs;
  GODWIT_CHECK(runs.size() <= space_.cut.size());
  std::copy(runs.begin(), runs.end(), space_.cut.begin());
  PageRun rest;
  stop = SendStop::kLimit;
  return space_.cut.first(core::keep_first(space_.cut.first(runs.size()), wanted, rest));
}

/// Sends the head, which is `head` bytes of space_.head, the contents of the pages, and the checksum over both.
bool Link::write_pages(const Record& record, std::size_t head, BitsPerSecond rate, std::uint32_t& payload_crc) {
  PageReader& from = record.type == RecordType::kShadowPages ? shadow_ : memory_;
  const std::uint64_t room = pages_at_once(space_.buffer.size(), rate);
  const std::uint32_t head_crc = crc32c(0, space_.head.first(head));
  std::span<const std::byte> head_left = space_.head.first(head);

  std::array<PageRange, 64> ranges;  // to be gathered with one call
  std::size_t count = 0, pages = 0;
  std::uint64_t payload = 0;
  const auto gather = [&] {
    payload += pages * kPageBytes;
    if (from.read(std::span(ranges).first(count), space_.buffer.data(), payload_crc)) return true;
    stream_.fail(Trouble::kMemory);
    return false;
  };
  for (const PageRun& run : record.runs) {
    if (run.is_zero()) continue;
    bool well = true;
    for_each_range(run, [&](PageRange left) {
      while (well && left.count > 0) {
        if (pages == room || count == ranges.size()) {
          well = gather() && write_parts(std::exchange(head_left, {}), pages * kPageBytes, {}, rate);
          count = pages = 0;
        }
        const PageRange here{left.first, std::min<std::uint64_t>(left.count, room - pages)};
        ranges[count++] = here;
        pages += here.count;
        left = {here.end(), left.count - here.count};
      }
    });
    if (!well) return false;
  }
  if (!gather()) return false;
  std::array<std::byte, core::kTailBytes> tail;
  core::encode_tail(core::crc32c_joined(head_crc, payload_crc, payload), tail);
  return write_parts(head_left, pages * kPageBytes, tail, rate);
}

/// Writes a record's head, the first `bytes` of the buffer, and its tail, as far as each is due.
bool Link::write_parts(std::span<const std::byte> head, std::size_t bytes, std::span<const std::byte> tail,
                       BitsPerSecond rate) {
  if (rate.value > 0) sleep_until(gone_at_);
  const auto part = [](std::span<const std::byte> what) {
    return iovec{.iov_base = const_cast<std::byte*>(what.data()), .iov_len = what.size()};
  };
  std::array<iovec, 3> parts{part(head), part(space_.buffer.first(bytes)), part(tail)};
  const std::size_t all = head.size() + bytes + tail.size();
  if (!stream_.write(parts)) return false;
  sent_ += {all};
  pace(all, rate);
  return true;
}

void Link::pace(std::size_t bytes, BitsPerSecond rate) {
  if (rate.value == 0) return;
  gone_at_ = std::max(gone_at_, monotonic_now() - kCredit) + wire_time({bytes}, rate);
}

/// Takes in what the destination has said so far; with `wait`, at least one message. False: nothing can be heard.
bool Link::hear(bool wait) {
  while (true) {
    const std::span<std::byte> rest = std::span(answer_).subspan(answer_bytes_);
    if (wait) {
      if (!stream_.read(rest)) return false;
      answer_bytes_ = sizeof answer_;
    } else {
      answer_bytes_ += stream_.read_some(rest);
    }
    if (answer_bytes_ < sizeof answer_) return stream_.trouble() == Trouble::kNone;
    answer_bytes_ = 0;
    const core::Decoded decoded = core::decode(answer_, {0}, {});
    if (decoded.error != core::DecodeError::kNone) return stream_.fail(Trouble::kClosed), false;
    if (decoded.record.type == RecordType::kReady) heard_ = {Message::Kind::kReady, decoded.record.value};
    if (decoded.record.type == RecordType::kRefused) {
      heard_ = {Message::Kind::kRefused, decoded.record.value};
      refusal_ = decoded.record.value;
    }
    if (decoded.record.type == RecordType::kRunning) running_ = true;
    if (wait) return true;
  }
}

core::Await<Message> Link::receive() {
  while (heard_.kind == Message::Kind::kNone) {
    if (!hear(true)) return Message{Message::Kind::kBroken, 0};
  }
  const Message message = heard_;
  heard_ = {};
  return message;
}

}  // namespace godwit::live
