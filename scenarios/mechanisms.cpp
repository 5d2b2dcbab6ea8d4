#include "scenarios/strategy.h"

#include "scenarios/profile.h"

namespace godwit::scenarios {
namespace {

using core::Plan;
using sim::StrategyOptions;
using Owner = StrategyOptions;

constexpr std::uint32_t kMany = 1'000'000;

/// An amount of memory, or "unlimited" for the largest there is.
Codec<Bytes> bytes_or_unlimited() {
  Codec<Bytes> codec = bytes({"0 B", "16 TiB"});
  codec.read = [inner = codec.read](const Node& node, Bytes& value, Issues& issues) {
    if (node.is(Node::Type::kString) && node.text == "unlimited") return value = {UINT64_MAX}, true;
    return inner(node, value, issues);
  };
  codec.write = [inner = codec.write](Bytes value) {
    return value.value == UINT64_MAX ? Json("unlimited") : inner(value);
  };
  codec.schema = [inner = codec.schema] { return Json{{"anyOf", {Json{{"const", "unlimited"}}, inner()}}}; };
  codec.kind += ", or unlimited";
  return codec;
}

Codec<std::string> payer() {
  return choice<std::string>({{"hypervisor", "hypervisor", "The process or kernel that runs the guest."},
                              {"management", "management", "A management machine beside the guest (Xen's domain 0)."},
                              {"guest", "guest", "The guest itself, on its own virtual CPUs."}});
}

/// The cap of the sender: a rate, or none, which is a rate law of its own.
void add_rate_max(Table<Owner>& table) {
  const Codec<BitsPerSecond> inner = rate({"1 kbit/s", "10 Tbit/s"});
  auto& field = table.add("rate_max", inner.kind + ", or unlimited",
                          "Most that the source lets itself send. Given to an unlimited sender it makes an even cap.");
  field.required = false;
  field.schema = [=] { return Json{{"anyOf", {Json{{"const", "unlimited"}}, inner.schema()}}}; };
  field.read = [=](const Node& node, Owner& owner, Issues& issues) {
    Plan& plan = owner.plan;
    if (node.is(Node::Type::kString) && node.text == "unlimited") {
      plan.rate = core::RateLaw::kUnlimited;
      return plan.rate_max = {0}, true;
    }
    if (!inner.read(node, plan.rate_max, issues)) return false;
    if (plan.rate == core::RateLaw::kUnlimited) plan.rate = core::RateLaw::kFixed;
    return true;
  };
  field.write = [=](const Owner& owner) -> std::optional<Json> {
    const Plan& plan = owner.plan;
    return plan.rate == core::RateLaw::kUnlimited ? Json("unlimited") : inner.write(plan.rate_max);
  };
}

void add_rounds(Table<Owner>& table) {
  table
      .field(
          "live", [](Owner& o) -> bool& { return o.plan.live; }, flag(),
          "False: no rounds, the guest is stopped at once.")
      .optional();
  table
      .field(
          "round_rule", [](Owner& o) -> core::RoundRule& { return o.plan.round_rule; },
          choice<core::RoundRule>(
              {{"all_sent", core::RoundRule::kAllSent, "When nothing is pending."},
               {"below_threshold", core::RoundRule::kBelowThreshold,
                "As soon as what is known to be pending is under bandwidth x downtime limit (QEMU)."}}),
          "When a round ends and the dirty log is read again.")
      .optional();
  table
      .field(
          "estimate", [](Owner& o) -> core::Estimate& { return o.plan.estimate; },
          choice<core::Estimate>(
              {{"last_round", core::Estimate::kLastRound, "Bytes and time of the last round."},
               {"last_window", core::Estimate::kLastWindow, "Bytes and time of the last closed window (QEMU)."}}),
          "Whose bandwidth the downtime estimate believes.")
      .optional();
  table
      .field(
          "clear", [](Owner& o) -> core::ClearRule& { return o.plan.clear; },
          choice<core::ClearRule>(
              {{"at_read", core::ClearRule::kAtRead, "With the read of the log."},
               {"per_chunk", core::ClearRule::kPerChunk, "Just before the first page of its chunk is sent (KVM)."}}),
          "When a page that was reported dirty is protected again.")
      .optional();
  table
      .field(
          "clear_chunk", [](Owner& o) -> Pages& { return o.plan.clear_chunk; }, pages({"64 pages", "4294967296 pages"}),
          "Pages that are cleared together, with clear per_chunk. A multiple of 64.")
      .optional();
  table
      .field(
          "free_pages", [](Owner& o) -> core::FreePages& { return o.plan.free_pages; },
          choice<core::FreePages>(
              {{"sent", core::FreePages::kSent, "They are sent as others are."},
               {"skipped", core::FreePages::kSkipped,
                "The guest knows them, and leaves them out at the start of each round."},
               {"hinted", core::FreePages::kHinted,
                "After each read of the log the guest tells of free blocks of 4 MiB, one after another; what is told "
                "before it is sent is left out. Not with post-copy."},
               {"ballooned", core::FreePages::kBallooned,
                "The guest gives them to its balloon, page by page, before the live rounds begin."}}),
          "What becomes of pages that nobody in the guest uses. One that is written later is sent like others.")
      .optional();
  table
      .field(
          "page_cache", [](Owner& o) -> core::PageCache& { return o.plan.page_cache; },
          choice<core::PageCache>(
              {{"sent", core::PageCache::kSent, "They are sent as others are."},
               {"dropped", core::PageCache::kDropped,
                "The guest gives them up before the live rounds begin, and reads them again where it goes."}}),
          "What becomes of clean copies of what a disk has.")
      .optional();
  table
      .field(
          "skip", [](Owner& o) -> core::SkipRule& { return o.plan.skip; },
          choice<core::SkipRule>(
              {{"none", core::SkipRule::kNone, "It is sent all the same."},
               {"peek", core::SkipRule::kPeek,
                "The log is peeked at before each batch, and such a page waits for the next round."}}),
          "What is done with a page that was written again before its turn.")
      .optional();
  table
      .field(
          "order", [](Owner& o) -> core::PageOrder& { return o.plan.order; },
          choice<core::PageOrder>({{"ascending", core::PageOrder::kAscending, "By page number."},
                                   {"rotated", core::PageOrder::kRotated,
                                    "Index bits rotated by ten, to mix hot and cold regions (Xen 2004)."},
                                   {"bubble", core::PageOrder::kBubble,
                                    "From the last page that was asked for, alternately upwards and downwards (Hines "
                                    "and Gopalan, VEE 2009)."}}),
          "In which order a round sends pages.")
      .optional();
  table
      .field(
          "read_at_threshold", [](Owner& o) -> bool& { return o.plan.read_at_threshold; }, flag(),
          "With round_rule below_threshold: the log is read where just the threshold is pending, too (QEMU 11).")
      .optional();
  table
      .field(
          "counts_final_read", [](Owner& o) -> bool& { return o.counts_final_read; }, flag(),
          "The result's dirty_sync_count has the read of the log after the stop, too (QEMU 10; QEMU 11 has not).")
      .optional();
  table
      .field(
          "read_at_start", [](Owner& o) -> bool& { return o.plan.read_at_start; }, flag(),
          "The log is read once before the first page is sent, too (QEMU).")
      .optional();
  table
      .field(
          "batch", [](Owner& o) -> Pages& { return o.plan.batch; }, pages({"0 pages", "1048576 pages"}),
          "Most pages in one record; 0: as many as fit.")
      .optional();
}

void add_stop(Table<Owner>& table) {
  table
      .field(
          "budget", [](Owner& o) -> bool& { return o.plan.stop.budget; }, flag(),
          "The rounds end when the rest fits downtime_max at the estimated bandwidth.")
      .optional();
  table
      .field(
          "downtime_max", [](Owner& o) -> Nanos& { return o.plan.stop.downtime_max; }, time({"0 s", "1 h"}),
          "The operator's downtime limit.")
      .optional();
  table
      .field(
          "switchover_bandwidth", [](Owner& o) -> BitsPerSecond& { return o.plan.stop.bandwidth; },
          rate({"0 bit/s", "10 Tbit/s"}),
          "What the budget believes in place of the estimated bandwidth; 0: the estimate.")
      .optional();
  table
      .field(
          "rounds_max", [](Owner& o) -> std::uint32_t& { return o.plan.stop.rounds_max; }, count(0, kMany),
          "The rounds end after this many; 0: no such bound.")
      .optional();
  table
      .field(
          "factor_max", [](Owner& o) -> std::uint32_t& { return o.plan.stop.factor_max; }, count(0, kMany),
          "The rounds end when more than this many times the memory has been sent; 0: no such bound.")
      .optional();
  table
      .field(
          "pages_below", [](Owner& o) -> Pages& { return o.plan.stop.pages_below; },
          pages({"0 pages", "4294967296 pages"}),
          "The rounds end when one had fewer pages to send, or fewer are pending, than this; 0: no such bound.")
      .optional();
  table
      .field(
          "grown_by", [](Owner& o) -> Pages& { return o.plan.stop.grown_by; }, pages({"0 pages", "4294967296 pages"}),
          "The rounds end when one sent at least so many pages more than the one before (CRIU's drivers); 0: no such "
          "bound.")
      .optional();
  table
      .field(
          "no_gain_at_max_rate", [](Owner& o) -> bool& { return o.plan.stop.no_gain_at_max_rate; }, flag(),
          "The rounds end when one at the highest rate sent more than the one before (Clark).")
      .optional();
  table
      .field(
          "timeout", [](Owner& o) -> Nanos& { return o.plan.stop.timeout; }, time({"0 s", "10000 h"}),
          "The rounds end when they have taken this long; 0 s: no such bound.")
      .optional();
  table
      .field(
          "sender_floor", [](Owner& o) -> bool& { return o.plan.stop.sender_floor; }, flag(),
          "The rounds end when no more is pending than what the sender itself dirties and sender_slack.")
      .optional();
  table
      .field(
          "sender_slack", [](Owner& o) -> Pages& { return o.plan.stop.sender_slack; },
          pages({"0 pages", "4294967296 pages"}), "What sender_floor allows on top.")
      .optional();
  table
      .field(
          "abort_if_unconverged", [](Owner& o) -> bool& { return o.plan.abort_if_unconverged; }, flag(),
          "On rounds_max, factor_max or timeout: give up rather than stop the guest.")
      .optional();
}

void add_rate(Table<Owner>& table) {
  table
      .field(
          "rate", [](Owner& o) -> core::RateLaw& { return o.plan.rate; },
          choice<core::RateLaw>(
              {{"unlimited", core::RateLaw::kUnlimited, "As fast as link and CPUs allow."},
               {"fixed", core::RateLaw::kFixed, "At most rate_max, evenly."},
               {"windowed", core::RateLaw::kWindowed, "At most rate_max over each window, in one burst (QEMU)."},
               {"adaptive", core::RateLaw::kAdaptive,
                "From rate_start; after a round that dirtied faster, that rate and rate_step more."}}),
          "How fast the source lets itself send.")
      .optional();
  add_rate_max(table);
  table
      .field(
          "rate_start", [](Owner& o) -> BitsPerSecond& { return o.plan.rate_start; }, rate({"0 bit/s", "10 Tbit/s"}),
          "Rate of the first round, with rate adaptive.")
      .optional();
  table
      .field(
          "rate_step", [](Owner& o) -> BitsPerSecond& { return o.plan.rate_step; }, rate({"0 bit/s", "10 Tbit/s"}),
          "What is added to the dirty rate of the last round, with rate adaptive.")
      .optional();
  table
      .field(
          "rate_scale", [](Owner& o) -> Share& { return o.plan.rate_scale; }, share({"1 %", "1000 %"}),
          "The true rate of the limiter as a share of the nominal one.")
      .optional();
  table
      .field(
          "limit_stop_phase", [](Owner& o) -> bool& { return o.plan.limit_stop_phase; }, flag(),
          "The rate law holds while the guest is stopped, too.")
      .optional();
  table
      .field(
          "window", [](Owner& o) -> Nanos& { return o.plan.window; }, time({"1 us", "1 h"}),
          "Length of a bandwidth window.")
      .optional();
  table
      .field(
          "slice", [](Owner& o) -> Nanos& { return o.plan.slice; }, time({"0 s", "1 h"}),
          "Longest time between two looks at the limits; 0 s: none.")
      .optional();
  table
      .field(
          "slice_granule", [](Owner& o) -> Pages& { return o.plan.slice_granule; }, pages({"1 pages", "1048576 pages"}),
          "The time is looked at every so many pages.")
      .optional();
  table
      .field(
          "window_granule", [](Owner& o) -> Pages& { return o.plan.window_granule; },
          pages({"1 pages", "1048576 pages"}), "The window's bytes are counted in lumps of so many pages.")
      .optional();
}

void add_throttle(Table<Owner>& table) {
  using core::ThrottleRules;
  const auto field = [&](const char* name, auto ThrottleRules::*member, auto codec, const char* doc) {
    table
        .field(
            name, [=](Owner & o) -> auto& { return o.plan.throttle.*member; }, std::move(codec), doc)
        .optional();
  };
  field("throttle", &ThrottleRules::on, flag(), "The guest is slowed down while its writes outrun the sending (QEMU).");
  field("throttle_trigger", &ThrottleRules::trigger, share({"1 %", "100 %"}),
        "A period is bad that dirtied more than this share of the bytes sent in it.");
  field("throttle_initial", &ThrottleRules::initial, share({"1 %", "99 %"}),
        "Share of the time for which the guest is kept from running after two bad periods.");
  field("throttle_increment", &ThrottleRules::increment, share({"1 %", "99 %"}), "More of it after each two more.");
  field("throttle_max", &ThrottleRules::max, share({"1 %", "99 %"}), "The most of it.");
  field("throttle_tailslow", &ThrottleRules::tailslow, flag(), "Not more of it than what seems to be needed.");
  table
      .field(
          "dirty_limit", [](Owner& o) -> bool& { return o.plan.dirty_limit.on; }, flag(),
          "After two bad periods, instead of a throttle: virtual CPUs that dirty faster than dirty_limit_rate sleep "
          "whenever their dirty ring is full (QEMU). It needs a dirty ring.")
      .optional();
  table
      .field(
          "dirty_limit_rate", [](Owner& o) -> BitsPerSecond& { return o.plan.dirty_limit.rate; },
          rate({"8388608 bit/s", "10 Tbit/s"}), "What each virtual CPU may dirty, with dirty_limit, in whole MiB/s.")
      .optional();
  table
      .field(
          "dirty_limit_period", [](Owner& o) -> Nanos& { return o.plan.dirty_limit.period; }, time({"1 ms", "1 h"}),
          "How long that is measured before the sleep is adjusted.")
      .optional();
}

void add_policy(Table<Owner>& table) {
  using models::PolicyOptions;
  using models::Schedule;
  const auto field = [&](const char* name, auto PolicyOptions::*member, auto codec, const char* doc) {
    table
        .field(
            name, [=](Owner & o) -> auto& { return o.policy.*member; }, std::move(codec), doc)
        .optional();
  };
  field("managed", &PolicyOptions::on, flag(), "A management layer watches the migration.");
  field("policy_poll", &PolicyOptions::poll, time({"1 ms", "1 h"}), "It looks so often.");
  field("downtime_schedule", &PolicyOptions::schedule,
        choice<Schedule>(
            {{"fixed", Schedule::kFixed, "The downtime limit stays."},
             {"linear", Schedule::kLinear, "In equal steps up to it, by time and memory (nova)."},
             {"exponential", Schedule::kExponential, "In growing steps up to it, one with each round (vdsm)."},
             {"doubling", Schedule::kDoubling, "Doubled whenever the rest has grown again and again (Proxmox)."},
             {"stall", Schedule::kStall, "Raised to it near a minimum of the rest, once it has stalled (KubeVirt)."}}),
        "How a management layer moves the downtime limit.");
  field("downtime_steps", &PolicyOptions::steps, count(2, 1000), "Steps of a linear or exponential schedule.");
  field("downtime_step_per_gib", &PolicyOptions::step_per_gib, time({"0 s", "10000 h"}),
        "With schedule linear: a step takes this long for each GiB of memory.");
  field("downtime_start", &PolicyOptions::downtime_start, time({"0 s", "1 h"}),
        "With schedule stall: the limit before it is raised.");
  field("policy_timeout_per_gib", &PolicyOptions::timeout_per_gib, time({"0 s", "10000 h"}),
        "The management layer ends the migration after this long for each GiB of memory; 0 s: never.");
  field("progress_timeout", &PolicyOptions::progress_timeout, time({"0 s", "10000 h"}),
        "It ends it when the least that remained has not fallen for this long; 0 s: never.");
  field("policy_rounds_max", &PolicyOptions::rounds_max, count(0, kMany),
        "It gives up when more rounds have ended; 0: no such bound.");
  field("policy_force", &PolicyOptions::force, flag(),
        "To end it is to stop the guest, or to begin post-copy where that is on; else to give up.");
  field("stall_after", &PolicyOptions::stall_after, time({"0 s", "10000 h"}),
        "With schedule stall: a round is held against those that are older than this.");
  field("stall_ratio", &PolicyOptions::stall_ratio, share({"1 %", "100 %"}),
        "With schedule stall: a round that leaves this share of their least, or more, has stalled.");
  field("stall_near", &PolicyOptions::near, share({"0 %", "100 %"}),
        "With schedule stall: it switches where the rest is within so much of the least.");
  field("stall_hopeless", &PolicyOptions::hopeless, share({"100 %", "10000 %"}),
        "With schedule stall: where so much of the downtime limit would be needed it is ended.");
}

void add_encoding(Table<Owner>& table) {
  table
      .field(
          "detect_zero", [](Owner& o) -> bool& { return o.plan.detect_zero; }, flag(),
          "Pages are tested for zeroes, and a zero page is sent without its contents.")
      .optional();
  table
      .field(
          "page_header", [](Owner& o) -> Bytes& { return o.plan.framing.page_header; }, bytes({"0 B", "4 KiB"}),
          "Bytes that frame a page, beside its contents.")
      .optional();
  table
      .field(
          "zero_page", [](Owner& o) -> Bytes& { return o.plan.framing.zero_page; }, bytes({"0 B", "4 KiB"}),
          "All bytes of a zero page, with detect_zero.")
      .optional();
  table
      .field(
          "missing_run", [](Owner& o) -> Bytes& { return o.plan.framing.missing_run; }, bytes({"0 B", "4 KiB"}),
          "Bytes for each stretch of pages that is announced as missing, with switch post_copy.")
      .optional();
  table
      .field(
          "record_fixed", [](Owner& o) -> Bytes& { return o.plan.framing.record_fixed; }, bytes({"0 B", "64 KiB"}),
          "Bytes once per record of pages; with slices once per slice.")
      .optional();
  table
      .field(
          "channels", [](Owner& o) -> std::uint32_t& { return o.plan.channels; }, count(0, 255),
          "Pages go in packets over so many further connections, each with a thread of its own at both ends (QEMU's "
          "multifd); 0: over the main one.")
      .optional();
  table
      .field(
          "zero_in_packets", [](Owner& o) -> bool& { return o.plan.zero_in_packets; }, flag(),
          "With channels: a zero page takes a place in a packet, and nothing else.")
      .optional();
  table
      .field(
          "deltas", [](Owner& o) -> bool& { return o.plan.deltas; }, flag(),
          "A page that is sent again goes as what has changed in it, if the source remembers it (QEMU's XBZRLE).")
      .optional();
  table
      .field(
          "delta_cache", [](Owner& o) -> Bytes& { return o.plan.delta_cache; }, bytes({"4 KiB", "16 TiB"}),
          "With deltas: how much the source remembers; a power of two.")
      .optional();
  table
      .field(
          "delta_header", [](Owner& o) -> Bytes& { return o.plan.framing.delta_header; }, bytes({"0 B", "4 KiB"}),
          "With deltas: bytes beside what has changed in a page.")
      .optional();
  table
      .field(
          "packet", [](Owner& o) -> Bytes& { return o.plan.framing.packet; }, bytes({"0 B", "64 KiB"}),
          "With channels: bytes once per packet, in place of page_header.")
      .optional();
  table
      .field(
          "packet_pages", [](Owner& o) -> Pages& { return o.plan.framing.packet_pages; },
          pages({"1 pages", "65536 pages"}), "With channels: the pages of a packet.")
      .optional();
  table
      .field(
          "flush", [](Owner& o) -> Bytes& { return o.plan.framing.flush; }, bytes({"0 B", "64 KiB"}),
          "With channels: bytes on the main connection, whenever all channels wait for each other.")
      .optional();
}

void add_switch(Table<Owner>& table) {
  table
      .field(
          "postcopy_rate_max", [](Owner& o) -> BitsPerSecond& { return o.plan.postcopy_rate_max; },
          rate({"0 bit/s", "10 Tbit/s"}),
          "Most that is sent unasked after the switch of a post-copy; 0: no limit. What the guest waits for goes at "
          "once.")
      .optional();
  table
      .field(
          "switch", [](Owner& o) -> core::Switch& { return o.plan.switch_over; },
          choice<core::Switch>(
              {{"stop_and_copy", core::Switch::kStopAndCopy, "Somebody outside pauses the guest and sends the rest."},
               {"post_copy", core::Switch::kPostCopy,
                "Somebody outside pauses the guest; it runs at the destination, and the rest follows it there."},
               {"self_checkpoint", core::Switch::kSelfCheckpoint,
                "The guest freezes all but the migration path, scans, shadows what that path dirties, and sends."}}),
          "How memory is handed over once the rounds have ended.")
      .optional();
  table
      .field(
          "postcopy_after_rounds", [](Owner& o) -> std::uint32_t& { return o.plan.postcopy.after_rounds; },
          count(0, 1'000'000),
          "With switch post_copy and round_rule below_threshold: post-copy is asked for when so many live rounds have "
          "ended. Where the rest fits the budget before, the guest goes over by stop-and-copy. 0: not for that reason.")
      .optional();
  table
      .field(
          "postcopy_after", [](Owner& o) -> Nanos& { return o.plan.postcopy.after; }, time({"0 s", "10000 h"}),
          "The same, when the migration has lasted so long.")
      .optional();
  table
      .field(
          "postcopy_preempt", [](Owner& o) -> bool& { return o.plan.postcopy.preempt; }, flag(),
          "With switch post_copy: a page that is asked for goes by a connection of its own, and not after what the "
          "host's send buffer holds.")
      .optional();
  table
      .field(
          "goes_on", [](Owner& o) -> bool& { return o.plan.goes_on; }, flag(),
          "After a self-checkpoint the guest goes on where it is: it is copied, not moved.")
      .optional();
  table
      .field(
          "shadow_max", [](Owner& o) -> Bytes& { return o.plan.shadow_max; }, bytes_or_unlimited(),
          "Room for the shadow, with switch self_checkpoint.")
      .optional();
  table
      .field(
          "shadow_tries", [](Owner& o) -> std::uint32_t& { return o.plan.shadow_tries; }, count(1, 1000),
          "Freezes before the migration fails with shadow_full.")
      .optional();
}

void add_stunning(Table<Owner>& table) {
  table
      .field(
          "stun_faults", [](Owner& o) -> std::uint32_t& { return o.stun.faults; }, count(0, 1'000'000'000),
          "A process of the guest that has had so many write faults since the log was read last waits until the guest "
          "has "
          "moved; the guest's kernel looks every 10 ms. Each part of a mix is a process. 0: none waits.")
      .optional();
  table
      .field(
          "stun_after_rounds", [](Owner& o) -> std::uint32_t& { return o.stun.after_rounds; }, count(0, 1'000'000),
          "With stun_faults: after so many live rounds.")
      .optional();
}

void add_who(Table<Owner>& table) {
  table.field("self", &Owner::self, flag(), "The guest does the work on its own virtual CPUs.").optional();
  table.field("payer", &Owner::payer, payer(), "Whose CPUs do the work.").optional();
  table.field("dirty_log", &Owner::tracker, tracker(), "How writes are noticed.").optional();
  table
      .field("dirty_ring_size", &Owner::dirty_ring, pages({"256 pages", "65536 pages"}),
             "Entries of each virtual CPU's dirty ring, with dirty_log dirty-ring.")
      .optional();
  table
      .field(
          "sender", [](Owner& o) -> bool& { return o.sender.derived; },
          choice<bool>(
              {{"derived", true, "Bytes in flight, rings, stack, bitmap and page tables, from the run itself."},
               {"none", false, "Nothing."}}),
          "What the sending itself dirties in a guest that moves itself.")
      .optional();
  table
      .field(
          "rings_and_stack", [](Owner& o) -> Bytes& { return o.sender.rings_and_stack; }, bytes({"0 B", "1 GiB"}),
          "Descriptor rings, socket and migration stack, with sender derived.")
      .optional();
  table
      .field(
          "tracking_bits", [](Owner& o) -> bool& { return o.sender.tracking_bits_are_state; },
          choice<bool>({{"state", true, "Page-table pages that write-protecting rewrites are dirty, and sent."},
                        {"restored", false, "Inflating restores the protection bits: they are not sent."}}),
          "What becomes of the write-protection bits in the guest's page tables.")
      .optional();
}

Table<Owner> make_table() {
  Table<Owner> table("mechanisms", "the mechanisms of a migration");
  add_stunning(table);
  add_who(table);
  add_rounds(table);
  add_stop(table);
  add_rate(table);
  add_throttle(table);
  add_policy(table);
  add_encoding(table);
  add_switch(table);
  return table;
}

}  // namespace

const Table<StrategyOptions>& mechanism_table() {
  static const Table<Owner> table = make_table();
  return table;
}

}  // namespace godwit::scenarios
