#pragma once

#include <array>
#include <functional>
#include <optional>

#include "core/task.h"
#include "core/wire.h"
#include "sim/result.h"
#include "sim/sender_set.h"
#include "sim/set_hash.h"
#include "sim/world.h"

namespace godwit::sim {

/// What the ports of one migration share: who moves where, what came of it so far, and the CPU work done for it.
class MigrationContext {
 public:
  MigrationContext(World& world, const MigrationOptions& options);

  World& world;
  const MigrationOptions& options;
  SimGuest& guest;
  std::uint32_t source_host;
  std::optional<Flows::FlowId> flow;  // while the connection is open
  SenderSet sender;
  MigrationResult result;
  std::optional<PageBytes> arrived;   // at the destination, where pages have real bytes
  std::optional<PageBytes> snapshot;  // the source's pages, each at its snapshot instant
  ShadowBytes shadow;
  Nanos guest_at_start{0};  // guest time when the migration began
  Nanos protected_at{0};    // guest time of the last clear of the whole log
  Nanos down_since{0};
  bool down = false;  // between the guest's last instruction here and its first there
  bool fenced = false;
  bool snapshot_taken = false;  // of a guest that moves itself
  bool ended = false;
  bool destination_dead = false;
  std::function<void()> progressed;        // called after a wait has been completed
  std::function<bool()> destination_over;  // whether the core's destination has ended

  Nanos now() const { return world.engine.now(); }
  Nanos guest_now() const { return guest.clock.at(now()); }
  GuestMemory& memory() const { return *guest.memory; }
  const models::CostProfile& source_profile() const { return world.options.hosts[source_host].profile; }
  const models::CostProfile& destination_profile() const {
    static const models::CostProfile kFree;  // storing a file costs no CPU beside the sending
    return options.file ? kFree : world.options.hosts[options.to].profile;
  }
  const models::TrackerCosts& tracker() const { return source_profile().of(options.strategy.tracker); }
  bool self() const { return options.strategy.self; }
  bool post_copy() const { return options.strategy.plan.switch_over == core::Switch::kPostCopy; }
  /// What the page oracle says; and where there are real bytes, whether they are the same at both ends. Nobody uses a
  /// page that was free at its snapshot instant.
  bool agrees() const {
    memory().excuse_free();
    if (!memory().agrees() || arrived.has_value() != snapshot.has_value()) return false;
    return !arrived || arrived->equals_but_for(*snapshot, memory().excused());
  }

  /// Lets `cpu` of work be done on one side, then does `then`. Work takes longer where the cores are shared.
  core::Await<core::Done> take(
      Nanos cpu, Activity activity, Side side, std::function<void()> then = [] {});
  /// Lets the source's core sleep.
  core::Await<core::Done> sleep_until(Nanos instant);
  void bill(Side side, Activity activity, Nanos cpu) {
    Nanos& bill = bills_[static_cast<std::size_t>(side)][static_cast<std::size_t>(activity)];
    bill = later(bill, cpu);
  }
  std::vector<Bill> bills() const;

  /// What the sending, or receiving, thread gets of a core.
  Share sender_share() const;
  Share receiver_share() const;
  /// Plans how fast the guest's work goes for `stretch` while the sender takes `sender_cpu` of a core.
  void plan_guest(Share sender_cpu, Nanos stretch);
  /// Draws all writes up to now.
  void advance_all();
  /// Bills the faults of first writes drawn since the last call.
  void settle_faults();
  /// The number of this migration.
  std::uint32_t index() const { return static_cast<std::uint32_t>(&options - world.options.migrations.data()); }
  /// The pages of `record` are in place.
  void arrive(const core::Record& record);
  /// Nothing is sent for now: others may have the bandwidth.
  void rest_flow() {
    if (flow) world.flows.rest(*flow);
  }

  void note(RecordKind kind, std::uint64_t value);
  void note_set(RecordKind kind, const PageSet& set) { note(kind, hash_of(set)); }

 private:
  Share available_to_guest(Share sender_cpu) const;
  Share guest_speed_max() const;

  std::array<std::array<Nanos, kActivities>, 2> bills_{};  // [side][activity]
  core::Completion<core::Done> source_wait_, destination_wait_;
  std::array<std::function<void()>, 2> then_;  // what follows the wait of each side
};

}  // namespace godwit::sim
