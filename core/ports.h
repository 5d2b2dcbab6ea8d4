#pragma once

#include <cstdint>
#include <span>

#include "base/page_run.h"
#include "base/page_set.h"
#include "base/units.h"
#include "core/task.h"
#include "core/wire.h"

/// What the core asks of the world. A host implements these: the simulator with models, a real system with its memory
/// and its sockets. Everything is inline, so that the core needs no run-time type information from them. A call that
/// takes time returns when it is over; after any wait, assume that the guest has written.
namespace godwit::core {

/// Who writes which page. Billed to whoever tracks. No call loses a write: what is written after a clear is marked anew.
class DirtyLog {
 public:
  /// Begins to track, with nothing marked.
  virtual Await<Done> start() = 0;
  /// Adds every marked page of `range` to `into`, and leaves the marks.
  virtual Await<Done> read(PageRange range, PageSet& into) = 0;
  /// Forgets the marks of those pages of `range` that are in `mask`, and of no others.
  virtual Await<Done> clear(PageRange range, const PageSet& mask) = 0;
  /// Adds every marked page of `range` to `into` and forgets just those marks, as one step.
  virtual Await<Done> read_and_clear(PageRange range, PageSet& into) = 0;
  /// Adds those pages of `runs` that are marked to `into`, and leaves the marks.
  virtual Await<Done> peek(std::span<const PageRun> runs, PageSet& into) = 0;

 protected:
  ~DirtyLog() = default;
};

/// How the guest comes to tell of pages that nobody in it uses.
enum class FreeBy : std::uint8_t {
  kScan,     ///< It looks at all its memory.
  kBalloon,  ///< It gives them to its balloon, one by one.
  kDrop,     ///< It gives up its clean copies of what a disk has: it tells of those alone, which are free from then on.
  kHints,    ///< It tells of them as time goes on, from the first one on,
  kMoreHints,  ///< and then of what has come since it was asked last.
};

/// The guest's memory at the source.
class Memory {
 public:
  virtual Pages size() const = 0;
  virtual Bytes page_size() const = 0;
  /// Takes pages from the front of `head` and writes them to `out` in order, runs of zero pages marked so. Stops when
  /// `head` is used up (its count is then 0) or `out` is full. Returns the runs written. Billed with the send.
  virtual std::size_t classify(PageRun& head, std::span<PageRun> out) = 0;
  /// Adds pages that nobody in the guest uses to `into`: what is in them matters to nobody until they are written.
  virtual Await<Done> free_pages(FreeBy by, PageSet& into) {
    static_cast<void>(by);
    static_cast<void>(into);
    return Done{};
  }
  /// Those pages of `mask`, in the 64-page word `word`, whose contents are not what was sent of them last.
  virtual std::uint64_t changed(std::uint64_t word, std::uint64_t mask) {
    static_cast<void>(word);
    return mask;
  }
  /// What it takes to say what has changed in a page since it was sent, on average; a page's size where nobody knows.
  virtual Bytes delta_size() const { return page_size(); }
  /// Copies `pages` aside, from where kShadowPages records are read from then on. What has been written since the log
  /// was read for `pages` (where the sender runs in this memory, the reading itself writes) it copies too, and adds.
  virtual Await<Done> copy_to_shadow(PageSet& pages) = 0;
  /// The pages that the migration path itself dirties by sending, as long as it sends. 0 where the sender is outside.
  virtual Pages sender_pages() const = 0;

 protected:
  ~Memory() = default;
};

struct SendLimit {
  BitsPerSecond rate{0};     ///< At most this fast; 0: as fast as it goes.
  Nanos not_after = kNever;  ///< Stop at the first multiple of `granule` pages that is sent at or after this instant.
  Pages granule{1};
};

enum class SendStop : std::uint8_t {
  kDone,
  kLimit,    ///< SendLimit, or a command that waits: ask for it.
  kUrgent,   ///< The destination's guest waits for a page: ask for it.
  kRefused,  ///< The destination has said that it will not have this guest.
  kBroken,   ///< The way to the destination is gone for good.
};

struct Sent {
  Pages pages{0};                 ///< How many pages of the record went, from its front.
  Bytes bytes{0};                 ///< What they cost on the wire.
  std::uint32_t payload_crc = 0;  ///< crc32c over the contents that went; 0 where a link carries none.
  SendStop stop = SendStop::kDone;
};

inline constexpr PageIndex kNoPage = UINT64_MAX;

/// What the destination said, or that nothing can be heard any more.
struct Message {
  enum class Kind : std::uint8_t { kNone, kReady, kRefused, kBroken } kind = Kind::kNone;
  std::uint64_t value = 0;  ///< kReady: the hash of the stream. kRefused: a Refusal.
};

/// The way to the destination.
class Link {
 public:
  /// Sends `record` after all that was sent before; its pages in order, each as it is when it is read. Returns when
  /// the last byte has left; the record's spans are free again. A host whose way can
  /// lose a COMMIT unnoticed waits for the destination's RUNNING too, and says kBroken where it does not come.
  virtual Await<Sent> send(const Record& record, const SendLimit& limit) = 0;
  /// Waits for the next message of the destination.
  virtual Await<Message> receive() = 0;
  /// The page that the destination's guest has waited for longest, each told once; kNoPage: it waits for none.
  virtual PageIndex next_request() { return kNoPage; }
  /// After the connection broke: waits until there is one again, and adds what the destination has not got to
  /// `lacking`. False: there will be none.
  virtual Await<bool> reconnect(PageSet& lacking) {
    (void)lacking;
    return false;
  }

 protected:
  ~Link() = default;
};

/// The machine at the source.
class Guest {
 public:
  virtual Await<Done> pause() = 0;   ///< Stops every virtual CPU.
  virtual Await<Done> freeze() = 0;  ///< Stops all threads of the guest but the migration path.
  virtual Await<Done> resume() = 0;  ///< Undoes pause or freeze.
  /// From now on keeps every virtual CPU from running for `share` of the time; 0: no longer. A host that cannot, does
  /// nothing.
  virtual void throttle(Share share) { static_cast<void>(share); }
  /// From now on keeps every virtual CPU from dirtying more than `rate`, measured over each `period`; 0: no longer. A
  /// host that cannot, does nothing.
  virtual void limit_dirtying(BitsPerSecond rate, Nanos period) {
    static_cast<void>(rate);
    static_cast<void>(period);
  }
  /// From here on this guest never runs again at the source, whatever happens.
  virtual void fence() = 0;
  virtual Bytes device_state() const = 0;

 protected:
  ~Guest() = default;
};

enum class Command : std::uint8_t {
  kNone,
  kCancel,
  kFinish,    ///< The rounds end here: the guest is stopped, and the rest sent.
  kPostCopy,  ///< The same by post-copy, where the plan has it. Not heard otherwise.
};

/// Time, and what the operator wants.
class Control {
 public:
  virtual Nanos now() const = 0;
  virtual Await<Done> sleep_until(Nanos instant) = 0;
  /// The command that has come since the last poll.
  virtual Command poll() = 0;
  /// The downtime limit now, where the plan says `planned`.
  virtual Nanos downtime_max(Nanos planned) const { return planned; }

 protected:
  ~Control() = default;
};

/// Stretches of a migration, each lasting until the next is entered. From kStop on the guest is down.
enum class Phase : std::uint8_t {
  kSetup,
  kPreCopy,
  kStop,
  kHarvest,
  kCopy,
  kShadow,
  kDeviceState,
  kInflate,
  kCommit,
  kResume,
  kRunning,
  kPostCopy,  ///< The guest runs at the destination, and the rest of its memory follows.
  kFailed
};

struct RoundStats {
  std::uint32_t index = 0;  ///< From 1.
  Nanos began{0};
  Nanos took{0};  ///< Sending, without the read of the log that follows.
  Pages sent{0};  ///< Zero pages included.
  Pages zero{0};
  Pages skipped{0};
  Pages free{0};  ///< Left out, since nobody in the guest uses them.
  Bytes bytes{0};
  Pages new_dirty{0};           ///< Read from the log and not pending already.
  Pages pending_after{0};       ///< After that read.
  BitsPerSecond rate_limit{0};  ///< Nominal; 0: none.
  bool stopped = false;         ///< The guest was stopped: the final pass.
  bool post_copy = false;       ///< The guest ran at the destination.
};

/// Is told what happens, and keeps it or not: the core itself keeps no growing list.
class Observer {
 public:
  virtual void enter(Phase phase) = 0;
  virtual void round(const RoundStats& round) = 0;

 protected:
  ~Observer() = default;
};

/// The machine and the stream at the destination.
class Arrival {
 public:
  struct Incoming {
    enum class Kind : std::uint8_t {
      kRecord,
      kCorrupt,  ///< What came is no record, or its checksum does not match.
      kBroken,
    } kind = Kind::kBroken;
    Record record{};
  };
  /// Waits for the next record; its spans live until the next call.
  virtual Await<Incoming> next() = 0;
  /// Answers the source; a broken link swallows it.
  virtual void reply(const Record& record) = 0;
  /// Sets memory for `size` aside. False: refused.
  virtual bool reserve(Pages size) = 0;
  /// Puts the pages of `record` in place. Billed with the transfer.
  virtual void apply(const Record& record) = 0;
  /// The pages of `record` come only when the guest runs: until one has, whoever touches it has to wait for it.
  virtual void miss(const Record& record) { (void)record; }
  /// Gives up the connection if there is one still, and waits until there is one again. False: there will be none.
  virtual Await<bool> reconnect() { return false; }
  virtual Await<Done> load_device_state(Bytes size) = 0;
  /// Remaps the arrived page tables to the frames they landed in: what a guest that moved itself does for itself.
  virtual Await<Done> inflate() = 0;
  virtual Await<Done> run() = 0;  ///< Starts the guest here.
  virtual void discard() = 0;     ///< Drops whatever arrived.

 protected:
  ~Arrival() = default;
};

}  // namespace godwit::core
