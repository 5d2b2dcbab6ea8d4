#pragma once

#include <span>

#include "core/ports.h"
#include "live/memory.h"
#include "live/stream.h"

namespace godwit::live {

/// The way to the destination over a stream socket. Pages are copied to a buffer before they are sent: a page that is
/// written on its way to the socket would not match the checksum that travels with it. Allocates nothing.
class Link final : public core::Link {
 public:
  struct Space {
    std::span<std::byte> buffer;  ///< Whole pages, at least one; larger ones make fewer writes.
    std::span<std::byte> head;    ///< Room for core::head_size of the longest batch.
    std::span<PageRun> cut;       ///< As many as the longest batch.
  };

  Link(Stream& stream, PageReader& memory, PageReader& shadow, const Space& space)
      : stream_(stream), memory_(memory), shadow_(shadow), space_(space) {}

  /// The pages of a buffer of `buffer` bytes that are used at `rate` (0: no limit).
  static std::uint64_t pages_at_once(std::size_t buffer, BitsPerSecond rate);

  core::Await<core::Sent> send(const core::Record& record, const core::SendLimit& limit) override;
  core::Await<core::Message> receive() override;

  /// All bytes that have gone out, heads and checksums included.
  Bytes sent() const { return sent_; }
  /// When COMMIT had gone out; 0: it has not.
  Nanos committed() const { return committed_; }
  /// What the destination refused with; 0: nothing.
  std::uint64_t refusal() const { return refusal_; }

 private:
  bool hear(bool wait);
  bool write_pages(const core::Record& record, std::size_t head, BitsPerSecond rate, std::uint32_t& payload_crc);
  bool write_parts(std::span<const std::byte> head, std::size_t bytes, std::span<const std::byte> tail,
                   BitsPerSecond rate);
  void pace(std::size_t bytes, BitsPerSecond rate);
  std::span<const PageRun> within(std::span<const PageRun> runs, const core::SendLimit& limit, core::SendStop& stop);

  Stream& stream_;
  PageReader& memory_;
  PageReader& shadow_;
  Space space_;
  Bytes sent_{0};
  Nanos gone_at_{0};        // when what was given to the socket has left, at the rate in force
  BitsPerSecond speed_{0};  // of the last record of pages
  std::byte answer_[core::kHeaderBytes + core::kTailBytes]{};
  std::size_t answer_bytes_ = 0;
  core::Message heard_;
  Nanos committed_{0};
  bool running_ = false;  // the destination says so
  std::uint64_t refusal_ = 0;
};

}  // namespace godwit::live
