#pragma once

#include <cstdint>

#include "base/units.h"

namespace godwit::core {

/// When a round ends and the dirty log is read again.
enum class RoundRule : std::uint8_t {
  kAllSent,         ///< When nothing is pending.
  kBelowThreshold,  ///< As soon as what is known to be pending is under bandwidth x downtime limit (QEMU).
};

/// Whose bandwidth the downtime estimate believes.
enum class Estimate : std::uint8_t {
  kLastRound,   ///< Bytes and time of the last round.
  kLastWindow,  ///< Bytes and time of the last closed window of `window` (QEMU).
};

/// When a page that was reported dirty is protected again.
enum class ClearRule : std::uint8_t {
  kAtRead,    ///< With the read (Xen, Cloud Hypervisor, QEMU under TCG, a guest's own page tables).
  kPerChunk,  ///< Just before the first page of its chunk is sent, and only the pages that were reported (KVM).
};

/// What is done with a page that has been written again before its turn.
enum class SkipRule : std::uint8_t {
  kNone,  ///< It is sent all the same.
  kPeek,  ///< Before each batch the log is peeked at, and such a page waits for the next round (Clark et al. 2005, 5.4).
};

/// What becomes of pages that nobody in the guest uses, whatever is in them. One that is written later is sent like others.
enum class FreePages : std::uint8_t {
  kSent,     ///< The guest is not asked.
  kSkipped,  ///< They are known at the start of each round, and leave what is pending (a guest that moves itself).
  /// After each read of the log the guest tells of them, as time goes on; what it tells leaves what is pending, which is in
  /// vain where it has been sent by then. Not with post-copy. Source: QEMU, hw/virtio/virtio-balloon.c, migration/ram.c.
  kHinted,
  /// Before the live rounds the guest gives them to its balloon, page by page, and they belong to nobody (Clark et al. 2005,
  /// 5.5). One that is written later has come back from the balloon.
  kBallooned,
};

/// What becomes of clean copies of what a disk has.
enum class PageCache : std::uint8_t {
  kSent,
  /// Before the live rounds the guest gives them up, and reads again what it needs of them where it goes (Clark et al. 2005,
  /// 5.5). From then on they are free pages, also where the migration fails.
  kDropped,
};

enum class PageOrder : std::uint8_t {
  kAscending,
  kRotated,  ///< Index bits rotated by ten, to mix hot and cold regions (Xen 2004).
  kBubble,  ///< From the last page that was asked for, alternately upwards and downwards (Hines and Gopalan, VEE 2009).
};

/// How fast the source lets itself send.
enum class RateLaw : std::uint8_t {
  kUnlimited,
  kFixed,     ///< At most `rate_max`, evenly.
  kWindowed,  ///< At most `rate_max` over each window, in one burst (QEMU).
  /// From `rate_start`; after a round that dirtied faster, that rate + `rate_step`, at most `rate_max`. What was allowed and
  /// not sent, because something else held the sender up, is sent later without limit (Clark).
  kAdaptive,
};

/// How memory is handed over once the rounds have ended.
enum class Switch : std::uint8_t {
  kStopAndCopy,     ///< Somebody outside pauses the guest and sends the rest.
  kPostCopy,        ///< Somebody outside pauses the guest; it runs at the destination, and the rest follows it there.
  kSelfCheckpoint,  ///< The guest freezes all but the migration path, scans, shadows what that path dirties, sends.
};

/// The conditions under which the live rounds end. Any one of those that are set suffices; 0 means not set.
struct StopRules {
  bool budget = true;               ///< The rest fits `downtime_max` at the estimated bandwidth.
  Nanos downtime_max{300'000'000};  ///< The operator's downtime limit.
  /// What the budget believes of the link, from when an estimate would be known on; 0: the estimate (QEMU's
  /// avail-switchover-bandwidth).
  BitsPerSecond bandwidth{0};
  std::uint32_t rounds_max = 0;  ///< After this many live rounds.
  std::uint32_t factor_max = 0;  ///< When more than this many times the memory has been sent.
  Pages pages_below{0};          ///< When the round had fewer pages to send, or fewer are pending, than this.
  Pages grown_by{0};             ///< When the round sent at least so many more than the one before (CRIU's drivers).
  bool no_gain_at_max_rate = false;  ///< A round sent more than the one before, at the highest rate (Clark).
  Nanos timeout{0};                  ///< When the rounds have taken this long.
  bool sender_floor = false;  ///< No more is pending than what the sender itself dirties, with `sender_slack` on top.
  Pages sender_slack{0};
};

/// When post-copy is asked for, with kPostCopy and kBelowThreshold: whichever comes first. It begins at the next look at the
/// limits; a migration whose rest fits its budget before that ends by stop-and-copy. 0: not for that reason. With neither,
/// post-copy is what follows the rounds in any case. Source: QEMU, migration/migration.c.
struct PostCopyRules {
  std::uint32_t after_rounds = 0;  ///< That many live rounds have ended, and their end has become known.
  Nanos after{0};                  ///< The migration has lasted so long.
  /// A page that is asked for goes by a connection of its own, past what the host has taken over for the other.
  bool preempt = false;

  bool on_request() const { return after_rounds > 0 || after > Nanos{0}; }
};

/// Slowing the guest down while its writes outrun the sending. Source: QEMU's auto-converge, migration/ram.c.
struct ThrottleRules {
  bool on = false;
  Share trigger = kWhole / 2;     ///< Of the bytes sent in a period: more than that dirtied makes it a bad one.
  Share initial = kWhole / 5;     ///< After two bad periods the guest is kept from running for this share of the time,
  Share increment = kWhole / 10;  ///< and after each two more for so much more,
  Share max = kWhole / 100 * 99;  ///< up to this.
  bool tailslow = false;          ///< Not more than what seems to be needed.
  Nanos period{1'000'000'000};    ///< The least length of a period, which ends with a read of the log.
  Nanos read_every{5'000'000'000};  ///< The log is read when no round has ended from one such tick to the next.
};

/// What is done after two bad periods of ThrottleRules instead of throttling: whichever virtual CPU dirties faster sleeps
/// whenever its dirty ring is full. Source: QEMU's dirty limit, migration/ram.c and system/dirtylimit.c.
struct DirtyLimit {
  bool on = false;
  BitsPerSecond rate{8 << 20};  ///< What each virtual CPU may dirty: 1 MiB/s.
  Nanos period{1'000'000'000};  ///< How long it is measured before its sleep is adjusted.
};

/// The bytes that frame a page; the names follow QEMU's stream.
struct Framing {
  Bytes page_header{0};   ///< Beside the contents of a normal page.
  Bytes zero_page{0};     ///< All of a page that is zero, where zero pages are detected.
  Bytes record_fixed{0};  ///< Once per record of pages; with slices once per slice.
  Bytes missing_run{0};   ///< For each stretch of pages that a post-copy announces as missing.
  Bytes delta_header{0};  ///< With deltas: beside what has changed in a page.
  Bytes packet{0};        ///< With channels: once per packet, in place of page_header.
  Pages packet_pages{1};  ///< With channels: the pages of a packet.
  Bytes flush{0};         ///< With channels: on the main connection, whenever all channels wait for each other.
};

/// A migration algorithm as a choice of mechanisms. Every conventional hypervisor is one of these, filled from data.
struct Plan {
  bool live = true;  ///< False: no rounds, the guest is stopped at once.
  RoundRule round_rule = RoundRule::kAllSent;
  StopRules stop;
  bool abort_if_unconverged = false;  ///< On rounds_max, factor_max or timeout: give up rather than stop the guest.
  Estimate estimate = Estimate::kLastRound;
  ClearRule clear = ClearRule::kAtRead;
  Pages clear_chunk{262144};  ///< Pages that are cleared together, with kPerChunk. At least 64, a multiple of 64.
  SkipRule skip = SkipRule::kNone;
  FreePages free_pages = FreePages::kSent;
  PageCache page_cache = PageCache::kSent;
  PageOrder order = PageOrder::kAscending;
  /// With kBelowThreshold: the log is read where just the threshold is pending, too (QEMU 11), not only below (QEMU 10).
  bool read_at_threshold = false;
  bool read_at_start = false;  ///< The log is read once before the first page is sent, too (QEMU).
  Pages batch{0};              ///< Most pages in one record; 0: as many as fit.

  RateLaw rate = RateLaw::kUnlimited;
  BitsPerSecond rate_max{0};
  BitsPerSecond rate_start{0};
  BitsPerSecond rate_step{0};
  /// The true rate of a limiter whose clock runs in whole units: nominal x this / 2^32 (Clark's token bucket: 1.048576).
  Share rate_scale = kWhole;
  BitsPerSecond postcopy_rate_max{0};  ///< Of what is sent unasked after the switch of a post-copy; 0: no limit.
  ThrottleRules throttle;
  DirtyLimit dirty_limit;         ///< With a log that is a dirty ring.
  bool limit_stop_phase = false;  ///< The rate law holds while the guest is stopped, too.
  Nanos window{100'000'000};      ///< Length of a bandwidth window.
  Nanos slice{0};                 ///< Longest time between two looks at the limits; 0: none.
  Pages slice_granule{1};         ///< The time is looked at every so many pages.
  Pages window_granule{1};        ///< The window's bytes are counted in lumps of so many pages.

  bool detect_zero = false;
  /// Pages go in packets over so many further connections, each with a thread of its own at both ends, which wait for
  /// each other once per scan of the memory (QEMU's multifd); 0: over the main one.
  std::uint32_t channels = 0;
  /// A page that is sent again goes as what has changed in it since, if it is among those that the source remembers from the
  /// first whole scan on (QEMU's XBZRLE).
  bool deltas = false;
  Bytes delta_cache{1 << 26};   ///< How much it remembers: pages in number a power of two.
  bool zero_in_packets = true;  ///< With channels: a zero page takes a place in a packet, and nothing else.
  Framing framing;

  Switch switch_over = Switch::kStopAndCopy;
  PostCopyRules postcopy;
  bool goes_on = false;            ///< After a self-checkpoint the guest goes on here: it is copied, not moved.
  Bytes shadow_max{UINT64_MAX};    ///< Room for the shadow.
  std::uint32_t shadow_tries = 3;  ///< Freezes before the migration fails with kShadowFull. At least 1.
};

}  // namespace godwit::core
