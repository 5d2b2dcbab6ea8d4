#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "core/destination.h"
#include "core/source.h"
#include "models/policy.h"
#include "sim/arrival_port.h"
#include "sim/channel.h"
#include "sim/context.h"
#include "sim/faults.h"
#include "sim/guest_port.h"
#include "sim/log_port.h"
#include "sim/memory_port.h"
#include "sim/stunning.h"

namespace godwit::sim {

/// One migration: the core's source and destination, the ports through which they see the simulated world, and what
/// comes of it.
class Migration final : core::Control, core::Observer {
 public:
  Migration(World& world, const MigrationOptions& options, std::function<void()> on_end);
  Migration(const Migration&) = delete;
  Migration& operator=(const Migration&) = delete;

  void begin();
  // What events do to it. Nothing once it has ended.
  void cancel();
  void recover() { channel_.recover(faults_); }
  void corrupt_next() { channel_.corrupt_next(); }
  void links_changed();
  void host_crashed(std::uint32_t host);
  bool began() const { return began_; }
  bool ended() const { return c_.ended; }
  /// Nothing happens any more until somebody intervenes.
  bool paused() const { return channel_.waits_for_recovery(); }
  /// The figures so far; after the end, all of them.
  MigrationResult result() const;

 private:
  /// What the core lives in.
  struct Space {
    Space(Arena& arena, Pages memory, Pages delta_slots);
    ~Space();
    Space(const Space&) = delete;
    Space& operator=(const Space&) = delete;

    Arena& arena;
    std::byte* bytes;  // the arena's
    std::span<std::byte> source_frames, destination_frames;
    std::span<PageRun> picked, batch;
    OwnedPageSet pending, reported, aside;
    std::vector<core::DeltaCache::Slot> delta_cache;
  };

  // Control
  Nanos now() const override { return c_.now(); }
  core::Await<core::Done> sleep_until(Nanos instant) override { return c_.sleep_until(instant); }
  core::Command poll() override { return std::exchange(command_, core::Command::kNone); }
  Nanos downtime_max(Nanos planned) const override { return policy_ ? policy_->downtime_max() : planned; }
  // Observer
  void enter(core::Phase phase) override;
  void round(const core::RoundStats& round) override;

  void note_phase(core::Phase phase);
  Pages delta_slots() const;
  void start_core();
  void watch();
  void obey(models::Policy::Verdict verdict);
  models::Policy::View view() const;
  void close_if_over();
  void conclude(core::Outcome outcome);
  void release();
  void fail(const char* reason);
  void already_there();
  void end_at_once(Status status, const char* reason);
  Nanos work_lost() const { return now() - c_.result.requested_at - (c_.guest_now() - c_.guest_at_start); }

  MigrationContext c_;
  Channel channel_;
  LogPort log_{c_};
  MemoryPort memory_{c_};
  GuestPort guest_{c_};
  Faults faults_{c_, channel_};
  ArrivalPort arrival_{c_, channel_, faults_};
  Stunning stunning_{c_};
  std::function<void()> on_end_;

  std::optional<Space> space_;
  std::optional<core::Source> source_;
  std::optional<core::Destination> destination_;
  std::optional<core::Task<core::Outcome>> source_task_;
  std::optional<core::Task<core::Destination::Outcome>> destination_task_;

  std::optional<models::Policy> policy_;
  core::Command command_ = core::Command::kNone;
  bool given_up_ = false;      // by the policy
  Nanos work_lost_before_{0};  // when the last round ended
  bool began_ = false;
  core::Phase phase_ = core::Phase::kSetup;
  Nanos phase_began_{0};
};

}  // namespace godwit::sim
