#pragma once

#include <span>

#include "base/page_set.h"
#include "core/batch.h"
#include "core/decide.h"
#include "core/delta_cache.h"
#include "core/plan.h"
#include "core/ports.h"
#include "core/task.h"

namespace godwit::core {

/// How a migration ended, as the source knows it.
enum class Outcome : std::uint8_t {
  kCompleted,  ///< COMMIT went out over a working link: the guest is the destination's.
  kCancelled,  ///< By the operator. As all that follow up to kNoConvergence: the guest goes on at the source.
  kLinkBroken,
  kRefused,        ///< The destination had no room, or did not receive what was sent.
  kShadowFull,     ///< What the sending dirties did not fit the shadow, every time it was tried.
  kNoConvergence,  ///< The rules gave up before the rest was small enough.
  kInDoubt,        ///< The link broke around COMMIT: nobody runs until somebody looks.
  kStranded,       ///< The link broke for good after COMMIT of a post-copy: the rest of the memory is here.
};

/// All memory that a source needs. It lends it, and allocates nothing once it runs. The sets are empty and as large as
/// the guest.
struct SourceSpace {
  std::span<std::byte> frames;  ///< For coroutines: 8 KiB suffice.
  std::span<PageRun> picked;    ///< A batch as it is picked, at least 64.
  std::span<PageRun> batch;     ///< The batch as it is sent, at least 64; larger ones make fewer records.
  PageSet pending;
  PageSet reported;  ///< Reported by the log and not cleared yet; used with ClearRule::kPerChunk.
  PageSet aside;     ///< Peeked pages while rounds run, then the shadow.
  std::span<DeltaCache::Slot> delta_cache{};  ///< For as many pages as Plan::delta_cache holds, with Plan::deltas.
};

struct SourcePorts {
  DirtyLog& log;
  Memory& memory;
  Link& link;
  Guest& guest;
  Control& control;
  Observer& observer;
};

/// The sending side of a migration: pre-copy rounds, then stop-and-copy or the self-checkpoint, then the commit.
/// Sources: Clark et al., NSDI 2005; Hansen and Jul, SIGOPS EW 2004; Hansen's thesis; for RoundRule::kBelowThreshold
/// QEMU's migration/migration.c.
class Source {
 public:
  Source(const Plan& plan, const SourcePorts& ports, const SourceSpace& space);

  /// Runs the whole migration. Call once; the Source must outlive the task.
  Task<Outcome> run();

  FrameStack& frames() { return frames_; }

 private:
  // The protocol, in the order in which it happens.
  Task<Done> pre_copy();
  Task<Done> stop_and_copy();
  Task<Done> self_checkpoint();
  Task<Done> freeze_and_scan();
  Task<Done> thaw();
  Task<Done> another_round();
  Task<Done> send_shadow();
  Task<Done> announce_missing();
  Task<Done> hand_over();
  Task<Done> push();
  Task<Done> roll_back();

  // One round.
  Task<Done> send_round();
  Task<Done> send_windowed();
  Task<Done> send_slice();
  Task<Done> send_batch(Pages pages_max, Bytes bytes_max, Nanos not_after);
  Task<Done> send_deltas(Bytes bytes_max, Nanos not_after);
  Task<Done> send_runs(std::size_t runs, Charge charge, Bytes bytes_max, Nanos not_after);
  Task<std::size_t> pick(Pages pages_max);
  Task<Done> clear_chunks(std::size_t runs);
  Task<Done> send_requested(PageIndex page);
  Task<Done> send_record(Record record, SendLimit limit);
  Task<Done> harvest(bool keep_log);
  Task<Done> leave_out_free_pages(FreeBy by);

  void heed_commands();
  void begin_round(bool stopped);
  void end_round();
  Decision decision();
  void learn_bandwidth(Bytes sent, Nanos took);
  void close_window();
  bool below_threshold() const;
  void sync_channels();
  bool read_is_due();
  bool postcopy_is_due() const;
  bool ends_by_postcopy() const;
  void regulate_guest();
  void slow_guest_down();
  void put_back(PageSet& into, std::span<const PageRun> runs, const PageRun& before);
  std::size_t classify(std::size_t picked);
  std::size_t drop_peeked(std::size_t picked);
  std::size_t split_deltas(std::size_t runs);
  bool remembers() const;
  void remember(const Record& sent);
  void give_back_deltas();
  Charge delta_charge() const;
  BitsPerSecond rate_limit() const;
  BitsPerSecond rate_for(const Record& record) const;
  void use_allowance(Bytes sent);
  Charge charge() const;
  Bytes counted_page() const;
  bool rounds_cut_short() const { return postcopy_asked_ || finish_asked_; }
  bool failed() const { return outcome_ != Outcome::kCompleted; }
  void fail(Outcome outcome) {
    if (!failed()) outcome_ = outcome;
  }

  Plan plan_;  // its own: the operator may change the downtime limit
  Nanos downtime_planned_;
  DirtyLog& log_;
  Memory& memory_;
  Link& link_;
  Guest& guest_;
  Control& control_;
  Observer& observer_;
  FrameStack frames_;
  std::span<PageRun> picked_;
  std::span<PageRun> batch_;
  PageSet pending_;
  PageSet reported_;
  PageSet aside_;
  Walk walk_;
  DeltaCache cache_;

  Outcome outcome_ = Outcome::kCompleted;
  StreamHash hash_;
  std::uint64_t sequence_ = 0;
  RoundStats round_;
  Pages sent_before_{0};           // by the round before
  Bytes total_sent_{0};            // memory bytes over all rounds
  BitsPerSecond bandwidth_{0};     // as the plan estimates it
  BitsPerSecond rate_{0};          // nominal limit in force; 0: none
  Nanos allowance_used_until_{0};  // with kAdaptive: when all that was sent would have gone at the limits in force
  Nanos rounds_began_{0};
  Nanos postcopy_from_{kNever};  // by PostCopyRules::after
  bool postcopy_asked_ = false;  // by either of the rules, or by a command
  bool finish_asked_ = false;
  struct {
    Share share = 0;  // in force
    bool dirtying_limited = false;
    std::uint32_t bad_periods = 0;
    Nanos began{0};                   // of the period
    Bytes dirtied{0};                 // in the period
    Bytes sent{0};                    // in the period
    Nanos tick{0};                    // the next
    std::uint32_t round_at_tick = 0;  // the round that was under way at the last
  } throttle_;
  Nanos window_began_{0};
  Bytes window_bytes_{0};
  Bytes window_budget_{UINT64_MAX};
  bool framed_ = false;       // a record of this slice went already
  bool scanned_ = false;      // all memory, once
  bool hints_begin_ = true;   // the log has been read: what is free is told again
  Pages in_packet_{0};        // pages of the packet under way
  Bytes sync_bytes_{0};       // of channels that waited for each other, not sent yet
  bool stopped_ = false;      // the guest does not run here
  bool handed_over_ = false;  // it runs at the destination
};

}  // namespace godwit::core
