#pragma once

#include "sim/run.h"

namespace godwit::test {

using namespace std::chrono_literals;

inline constexpr std::uint64_t kMiB = 1 << 20;

/// Two hosts that cost nothing, a link of 1 Gbit/s, an idle guest `g` of 64 MiB, and its generic pre-copy.
inline sim::RunOptions plain_run() {
  sim::RunOptions run;
  run.hosts.resize(2);
  run.hosts[0].name = "a";
  run.hosts[1].name = "b";
  run.links = {{.from = 0, .to = 1, .bandwidth = {1'000'000'000}, .latency = Nanos{0}}};
  sim::GuestOptions guest;
  guest.name = "g";
  guest.memory = {64 * kMiB};
  guest.vcpus = 2;
  run.guests = {guest};
  sim::MigrationOptions migration;
  migration.to = 1;
  migration.strategy.name = "pre-copy";
  run.migrations = {migration};
  return run;
}

inline sim::MigrationResult migrate(const sim::RunOptions& run) { return sim::run(run).migrations.at(0); }

/// What all payers together are billed for `activity`.
inline Nanos cpu_of(const sim::MigrationResult& migration, sim::Activity activity) {
  Nanos sum{0};
  for (const sim::Bill& bill : migration.costs)
    if (bill.activity == activity) sum += bill.cpu;
  return sum;
}

/// The guest moves itself.
inline void self_migrating(sim::RunOptions& run) {
  sim::StrategyOptions& strategy = run.migrations.at(0).strategy;
  strategy.name = "self-migration";
  strategy.self = true;
  strategy.tracker = models::Tracker::kGuestPageTables;
  strategy.plan.switch_over = core::Switch::kSelfCheckpoint;
}

/// A host whose work costs something, all of it the same on both.
inline models::CostProfile costly() {
  models::CostProfile profile;
  profile.name = "costly";
  profile.cpu_unlimited = false;
  profile.copy_page = 600ns;
  profile.protocol_page = 900ns;
  profile.apply_page = 600ns;
  profile.shadow_copy_page = 600ns;
  for (models::TrackerCosts& tracker : profile.trackers) tracker = {.first_write = 1us, .read_per_gib = 200us};
  return profile;
}

}  // namespace godwit::test
