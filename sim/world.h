#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "models/cpu.h"
#include "models/guest_clock.h"
#include "models/network.h"
#include "sim/arena.h"
#include "sim/engine.h"
#include "sim/flows.h"
#include "sim/guest_memory.h"
#include "sim/options.h"
#include "sim/oracles.h"
#include "sim/records.h"

namespace godwit::sim {

/// A guest as the world sees it.
struct SimGuest {
  const GuestOptions* options = nullptr;
  std::unique_ptr<GuestMemory> memory;  // from its first migration on
  models::GuestClock clock;
  std::uint32_t host = 0;  // where it runs, or ran last
  SingleHome home;
  bool stopped = true;        // paused, or frozen but for the migration path
  Share throttle = 0;         // of the time, its virtual CPUs are kept from running
  Nanos ring_sleep{0};        // of each virtual CPU, whenever its dirty ring is full
  Share ring_speed = kWhole;  // the speed that this leaves its work
  std::uint32_t migrations_left = 0;

  /// What its work wants of its virtual CPUs, in shares of a core.
  Share demand() const {
    if (options->workload.demand == workloads::Demand::kBusy) return options->vcpus * kWhole;
    return options->vcpus * options->cpu_demand;
  }
};

/// What guests want of the cores of a host, and on how many threads.
struct Load {
  Share demand = 0;
  std::uint64_t threads = 0;
};

struct SimHost {
  bool crashed = false;
  bool refuses_memory = false;
  Load load;
};

/// All that migrations of one run share.
struct World {
  /// Takes memory from `arena`, which must outlive it.
  World(const RunOptions& options, Arena& arena);

  /// Of the guests that run on `host`.
  const Load& load(std::uint32_t host) const { return hosts[host].load; }

  /// The node of the network that the `migration`-th migration leads to.
  std::uint32_t target(std::uint32_t migration) const { return targets_[migration]; }

  /// `guest` stops, and with it what it exchanges with its peers; it may have stopped before.
  void stop(std::uint32_t guest);
  /// It runs on `host`, and its traffic flows from there.
  void run_on(std::uint32_t host, std::uint32_t guest);

  /// Is told when a migration enters a phase. Set by whoever lets events happen.
  std::function<void(std::uint32_t migration, core::Phase phase)> on_phase;

  const RunOptions& options;
  Arena& arena;
  Engine engine;
  models::Network network;
  Flows flows{engine, network};
  std::vector<SimHost> hosts;
  std::vector<SimGuest> guests;
  std::vector<SemanticRecord> records;

 private:
  /// What a guest exchanges with a peer.
  struct Traffic {
    std::uint32_t peer;
    BitsPerSecond rate;
    std::vector<Flows::FlowId> open;
  };
  void update_traffic(std::uint32_t guest);

  std::vector<std::uint32_t> targets_;
  std::vector<std::vector<Traffic>> traffic_;  // of each guest; empty where there is none at all
};

}  // namespace godwit::sim
