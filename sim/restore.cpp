#include "sim/restore.h"

#include <algorithm>

#include "core/batch.h"
#include "core/destination.h"
#include "sim/guest_memory.h"
#include "sim/sender_set.h"
#include "sim/set_hash.h"

namespace godwit::sim {
namespace {

/// A file as the core's destination sees it: everything has arrived already, and only reading takes time.
class FileArrival final : public core::Arrival, public core::Observer {
 public:
  FileArrival(const RestoreOptions& options, std::span<const std::byte> stream)
      : options_(options),
        stream_(stream),
        size_{options.guest->memory.value / options.guest->page_size.value},
        page_size_(options.guest->page_size),
        arrived_(size_),
        runs_(std::min<std::size_t>(stream.size() / core::kRunBytes + 1, core::kRunsMax)) {
    if (options.guest->contents == Contents::kBytes) bytes_.emplace(size_, page_size_);
  }

  core::Await<Incoming> next() override {
    if (at_ == stream_.size() || !result_.trouble.empty()) return Incoming{};
    const core::Decoded decoded = core::decode(stream_.subspan(at_), size_, runs_);
    if (decoded.error != core::DecodeError::kNone) {
      complain(core::describe(decoded.error));
      return Incoming{Incoming::Kind::kCorrupt, {}};
    }
    if (bytes_ && decoded.record.payload.size() != payload_size(decoded.record)) {
      complain("a record has not as many bytes as its pages");
      return Incoming{Incoming::Kind::kCorrupt, {}};
    }
    for (const PageRun& run : decoded.record.runs) pages_ += run.count();
    if (pages_ > kPagesMost) {
      complain("its records hold the memory more often than those of any checkpoint");
      return Incoming{Incoming::Kind::kCorrupt, {}};
    }
    at_ += decoded.length;
    ++result_.records;
    return Incoming{Incoming::Kind::kRecord, decoded.record};
  }

  void reply(const core::Record& record) override {
    if (record.type == core::RecordType::kRefused) complain("its records do not belong together");
  }

  bool reserve(Pages size) override { return size == size_; }

  void apply(const core::Record& record) override {
    std::span<const std::byte> payload = record.payload;
    for (const PageRun& run : record.runs) {
      arrived_->add(run);
      (run.is_zero() ? result_.zero : result_.normal).value += run.count();
      if (bytes_) bytes_->place(run, payload);
    }
  }

  core::Await<core::Done> load_device_state(Bytes size) override {
    result_.device_state = size;
    result_.load_time = options_.host.device_load;
    return core::Done{};
  }

  core::Await<core::Done> inflate() override {
    result_.inflate_time = options_.host.inflate_table * static_cast<std::int64_t>(page_table_pages(size_).value);
    return core::Done{};
  }

  core::Await<core::Done> run() override {
    if (arrived_->count() != size_) complain("some of the memory is missing");
    if (at_ != stream_.size()) complain("something follows the end");
    result_.resume_time = options_.host.resume;
    return core::Done{};
  }

  void discard() override {}
  void enter(core::Phase) override {}
  void round(const core::RoundStats&) override {}

  RestoreResult result(core::Destination::Outcome outcome) {
    if (outcome != core::Destination::Outcome::kRunning) complain("it ends before its closing record");
    // Where pages have no bytes, the file of a real guest would have them all the same.
    const Bytes pages = bytes_ ? Bytes{0} : page_size_ * result_.normal.value;
    result_.read_time = wire_time(Bytes{stream_.size()} + pages + result_.device_state, options_.bandwidth);
    if (result_.trouble.empty()) go_on();
    return result_;
  }

 private:
  /// Taking a record takes time with the memory that its runs name, not with its bytes. The largest guest sends its
  /// memory so often in no checkpoint.
  static constexpr std::uint64_t kPagesMost = std::uint64_t{1} << 44;

  void complain(const char* what) {
    if (!result_.trouble.empty()) return;
    result_.trouble = what;
    result_.trouble_at = at_;
  }

  std::uint64_t payload_size(const core::Record& record) const {
    const core::Charge each{.normal_page = page_size_};
    return core::size_of(record.runs, each).bytes.value;
  }

  /// The guest works on from where it was.
  void go_on() {
    if (bytes_) result_.memory_crc = core::crc32c(0, bytes_->all());
    GuestMemory memory(*options_.guest, options_.seed, options_.guest_number + std::uint64_t{1});
    memory.start(options_.snapshot_at);
    memory.advance({0, size_.value}, later(options_.snapshot_at, options_.go_on));
    result_.written = memory.log().count();
    result_.written_hash = hash_of(memory.log());
  }

  const RestoreOptions& options_;
  std::span<const std::byte> stream_;
  Pages size_;
  Bytes page_size_;
  OwnedPageSet arrived_;
  std::optional<PageBytes> bytes_;
  std::vector<PageRun> runs_;
  std::size_t at_ = 0;
  std::uint64_t pages_ = 0;  // of all records so far
  RestoreResult result_;
};

}  // namespace

RestoreResult restore(const RestoreOptions& options, std::span<const std::byte> stream) {
  FileArrival arrival(options, stream);
  std::vector<std::byte> frames(4096);
  core::Destination destination(true, arrival, arrival, frames);
  const auto task = destination.run();
  GODWIT_CHECK(task.done());  // nothing in a file is waited for
  return arrival.result(task.value());
}

}  // namespace godwit::sim
