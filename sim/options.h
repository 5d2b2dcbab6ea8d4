#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/plan.h"
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

struct GuestOptions {
  std::string name;
  std::uint32_t host = 0;
  Bytes memory{0};
  Bytes page_size{4096};
  std::uint32_t vcpus = 1;
  Share cpu_demand = 0;  ///< Of all its virtual CPUs, for a paced workload.
  Bytes device_state{0};
  std::vector<PageClassOptions> pages;
  workloads::Options workload;
};

/// What the sending itself dirties in a guest that moves itself.
struct SenderSet {
  bool derived = true;                  ///< False: nothing.
  Bytes rings_and_stack{262144};        ///< Descriptor rings, socket and migration stack.
  bool tracking_bits_are_state = true;  ///< False: write-protection bits are restored by inflate, not sent.
};

/// A conventional migration, or the guest's own.
struct StrategyOptions {
  std::string name;
  core::Plan plan;
  bool self = false;                 ///< The guest does the work on its own virtual CPUs.
  std::string payer = "hypervisor";  ///< Who does it else: hypervisor or management.
  models::Tracker tracker = models::Tracker::kEptWriteProtect;
  SenderSet sender;
  std::vector<std::string> goal_ignored;  ///< Names of goal fields that this strategy cannot honour.
};

struct MigrationOptions {
  std::uint32_t guest = 0;
  std::uint32_t to = 0;
  Nanos at{0};
  std::optional<std::uint32_t> after;  ///< Begins `at` after this migration has ended.
  StrategyOptions strategy;
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
  std::uint32_t max_parallel = 0;  ///< 0: no bound.
};

}  // namespace godwit::sim
