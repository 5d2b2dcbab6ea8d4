#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/plan.h"
#include "core/ports.h"
#include "models/policy.h"
#include "models/profile.h"
#include "workloads/options.h"

/// A run, as plain values. Scenario files become this; nothing below reads JSON.
namespace godwit::sim {

struct HostOptions {
  std::string name;
  std::uint32_t cores = 8;
  models::CostProfile profile;
};

struct LinkOptions {
  std::uint32_t from = 0;  ///< Node: a host's index, or the number of hosts + a switch's index.
  std::uint32_t to = 0;
  BitsPerSecond bandwidth{1'000'000'000};  ///< In each direction.
  Nanos latency{0};                        ///< One way.
};

enum class PageKind : std::uint8_t { kZero, kFree, kPageCache };

struct PageClassOptions {
  PageKind kind = PageKind::kZero;
  Share share = 0;          ///< Of the guest's memory.
  bool at_high = false;     ///< At the top of memory, below classes that were placed there before.
  std::optional<Bytes> at;  ///< Or from this offset on; neither: at the lowest place still unclaimed.
};

/// What pages hold.
enum class Contents : std::uint8_t {
  kVersions,  ///< Nothing: the page oracle's two bits stand for it.
  kBytes,     ///< Real bytes, which go through the real encoder, checksum, zero test and decoder.
};

struct GuestOptions {
  std::string name;
  std::uint32_t host = 0;
  Bytes memory{0};
  Bytes page_size{4096};
  std::uint32_t vcpus = 1;
  Share cpu_demand = 0;  ///< Of all its virtual CPUs, for a paced workload.
  Bytes device_state{0};
  Contents contents = Contents::kVersions;
  std::vector<PageClassOptions> pages;
  workloads::Options workload;
};

/// What the sending itself dirties in a guest that moves itself.
struct SenderOptions {
  bool derived = true;                  ///< False: nothing.
  Bytes rings_and_stack{262144};        ///< Descriptor rings, socket and migration stack.
  bool tracking_bits_are_state = true;  ///< False: write-protection bits are restored by inflate, not sent.
};

/// Keeping processes of the guest from running that write too much while it is moved. Source: Clark et al. 2005, section
/// 5.5; figure 7 for the rounds.
struct StunOptions {
  std::uint32_t faults = 0;         ///< So many write faults since the log was cleared are too many; 0: never.
  std::uint32_t after_rounds = 12;  ///< Before so many live rounds have ended nobody looks.
};

/// A conventional migration, or the guest's own.
struct StrategyOptions {
  std::string name;
  core::Plan plan;
  bool self = false;                 ///< The guest does the work on its own virtual CPUs.
  std::string payer = "hypervisor";  ///< Who does it else: hypervisor or management.
  models::Tracker tracker = models::Tracker::kEptWriteProtect;
  Pages dirty_ring{4096};  ///< Entries of each virtual CPU's ring, where that is the tracker.
  SenderOptions sender;
  StunOptions stun;
  models::PolicyOptions policy;           ///< Who manages it, where somebody does.
  bool counts_final_read = true;          ///< The result's count of log reads has the one after the stop (QEMU 10).
  std::vector<std::string> goal_ignored;  ///< Names of goal fields that this strategy cannot honour.
};

/// Where a checkpoint goes.
struct FileOptions {
  std::string path;
  BitsPerSecond bandwidth{8'000'000'000};  ///< Of the storage, from each host.
};

struct MigrationOptions {
  std::uint32_t guest = 0;
  std::uint32_t to = 0;
  std::optional<FileOptions> file;  ///< Instead of `to`.
  Nanos at{0};
  std::optional<std::uint32_t> after;  ///< Begins `at` after this migration has ended.
  /// Without any progress for this long a connection is given up. Linux retransmits 15 times in about 924.6 s
  /// (Documentation/networking/ip-sysctl: tcp_retries2).
  Nanos connection_timeout{924'600'000'000};
  StrategyOptions strategy;
};

enum class EventKind : std::uint8_t {
  kCancel,         ///< The operator calls the migration off.
  kRecover,        ///< The operator connects the two ends of a paused post-copy again.
  kLinkDown,       ///< Nothing gets through a link any more.
  kLinkUp,         ///< It has its bandwidth again.
  kBandwidth,      ///< It has another bandwidth.
  kLoss,           ///< A share of what it carries is lost and sent again.
  kCorrupt,        ///< The next record of the migration arrives damaged.
  kHostCrash,      ///< A host stops for good, and what runs there with it.
  kMemoryRefused,  ///< A host accepts no more guests.
};

/// A fault, or a command. At a time, or some time after a migration has entered a phase for the first time.
struct EventOptions {
  EventKind kind = EventKind::kCancel;
  Nanos at{0};                       ///< With `phase`: after it was entered.
  std::optional<core::Phase> phase;  ///< Of `migration`.
  std::uint32_t migration = 0;       ///< kCancel, kCorrupt, and with `phase`.
  std::uint32_t link = 0;            ///< kLinkDown to kLoss.
  std::uint32_t host = 0;            ///< kHostCrash, kMemoryRefused.
  std::optional<Nanos> lasts;        ///< kLinkDown, kBandwidth, kLoss: then the link is as it was built.
  BitsPerSecond bandwidth{0};        ///< kBandwidth.
  Share loss = 0;                    ///< kLoss.
};

struct TrafficOptions {
  std::uint32_t guest = 0;
  std::uint32_t peer = 0;  ///< Node.
  BitsPerSecond rate{0};
};

struct RunOptions {
  std::string name;
  std::uint64_t seed = 1;
  Nanos horizon{3'600'000'000'000};
  std::vector<HostOptions> hosts;
  std::vector<std::string> switches;
  std::vector<LinkOptions> links;
  std::vector<GuestOptions> guests;
  std::vector<TrafficOptions> traffic;
  std::vector<MigrationOptions> migrations;
  std::vector<EventOptions> events;
  std::uint32_t max_parallel = 0;  ///< 0: no bound.
};

}  // namespace godwit::sim
