#pragma once

#include <span>
#include <vector>

#include "core/ports.h"
#include "live/dirty_log.h"
#include "live/stream.h"

namespace godwit::live {

/// Where an arriving guest is put, and what becomes of it.
class Lodging {
 public:
  virtual ~Lodging() = default;
  /// Sets memory aside, so that none can be lacking later. Its address, or null: there is not enough.
  virtual std::byte* reserve(Pages size) = 0;
  /// All has arrived; nothing runs yet.
  virtual void arrived() = 0;
  /// Starts the guest. False: what has arrived cannot be one. Then the source hears nothing, and is in doubt.
  virtual bool run() = 0;
  /// Gives everything back.
  virtual void discard() = 0;
};

/// The destination's end of a stream. Contents go straight from the socket to their place: nobody looks at them before
/// all have come, and if one record is not sound everything is discarded. What the stream says about lengths is
/// checked against what there is before anything is read for it.
class Arrival final : public core::Arrival {
 public:
  /// A guest of more than `memory_max` is refused.
  Arrival(Stream& stream, Lodging& lodging, Bytes memory_max);

  /// Sets memory aside before the stream begins. False: there is not enough.
  bool prepare(Pages size);

  core::Await<Incoming> next() override;
  void reply(const core::Record& record) override;
  bool reserve(Pages size) override;
  void apply(const core::Record& record) override;
  core::Await<core::Done> load_device_state(Bytes size) override;
  core::Await<core::Done> inflate() override { return core::Done{}; }
  core::Await<core::Done> run() override;
  void discard() override;

  Span memory() const { return {reinterpret_cast<std::uintptr_t>(begin_), pages_}; }
  Bytes received() const { return received_; }

 private:
  bool read_pages(const core::Record& record, std::uint32_t& crc);
  void drain();

  Stream& stream_;
  Lodging& lodging_;
  Bytes memory_max_;
  std::byte* begin_ = nullptr;
  std::uint64_t pages_ = 0;
  std::vector<std::byte> head_;
  std::vector<PageRun> runs_;
  Bytes received_{0};
  bool greeted_ = false;
  bool lost_ = false;  // there is no telling any more where the next record begins
};

/// Most runs that a record may have here.
inline constexpr std::size_t kRunsAtOnce = 4096;

}  // namespace godwit::live
