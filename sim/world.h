#pragma once

#include <memory>
#include <vector>

#include "models/cpu.h"
#include "models/guest_clock.h"
#include "models/network.h"
#include "sim/engine.h"
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
  bool stopped = false;  // paused, or frozen but for the migration path

  /// What its work wants of its virtual CPUs, in shares of a core.
  Share demand() const {
    if (options->workload.demand == workloads::Demand::kBusy) return options->vcpus * kWhole;
    return options->vcpus * options->cpu_demand;
  }
};

struct SimHost {
  bool crashed = false;
  bool refuses_memory = false;
};

/// All that migrations of one run share.
struct World {
  explicit World(const RunOptions& options);

  /// What guests other than `except` want of the cores of `host`, and on how many threads.
  struct Load {
    Share demand = 0;
    std::uint64_t threads = 0;
  };
  Load load(std::uint32_t host, const SimGuest* except) const;

  /// A flow whose completion somebody waits for. `flow_changed` is called when its finish may have moved.
  class FlowUser {
   public:
    virtual void replan() = 0;

   protected:
    ~FlowUser() = default;
  };
  void replan_all_but(const FlowUser* user) {
    for (FlowUser* other : flow_users) {
      if (other != user) other->replan();
    }
  }

  /// The node of the network that the `migration`-th migration leads to.
  std::uint32_t target(std::uint32_t migration) const { return targets_[migration]; }

  /// Lets what `guest` exchanges with its peers flow from where it runs now, or rest while it is stopped.
  void update_traffic(std::uint32_t guest);

  /// Is told when a migration enters a phase. Set by whoever lets events happen.
  std::function<void(std::uint32_t migration, core::Phase phase)> on_phase;

  const RunOptions& options;
  Engine engine;
  models::Network network;
  std::vector<SimHost> hosts;
  std::vector<SimGuest> guests;
  std::vector<FlowUser*> flow_users;
  std::vector<SemanticRecord> records;

 private:
  std::vector<std::uint32_t> targets_;
  std::vector<std::vector<models::Network::FlowId>> traffic_flows_;  // of each traffic, those that are open
};

}  // namespace godwit::sim
