#pragma once

#include <array>
#include <deque>
#include <functional>
#include <optional>
#include <utility>
#include <variant>

#include "core/destination.h"
#include "core/source.h"
#include "sim/result.h"
#include "sim/world.h"

namespace godwit::sim {

/// One migration: the core's source and destination, and the ports through which they see the simulated world.
class Migration final : core::DirtyLog,
                        core::Memory,
                        core::Link,
                        core::Guest,
                        core::Control,
                        core::Observer,
                        core::Arrival,
                        World::FlowUser {
 public:
  Migration(World& world, const MigrationOptions& options, std::function<void()> on_end);
  ~Migration();
  Migration(const Migration&) = delete;
  Migration& operator=(const Migration&) = delete;

  void begin();
  // What events do to it. Nothing once it has ended.
  void cancel();
  void corrupt_next() { corrupt_next_ = true; }
  void links_changed();
  void host_crashed(std::uint32_t host);
  bool began() const { return began_; }
  bool ended() const { return ended_; }
  /// The figures so far; after the end, all of them.
  MigrationResult result() const;

 private:
  // DirtyLog
  core::Await<core::Done> start() override;
  core::Await<core::Done> read(PageRange range, PageSet& into) override;
  core::Await<core::Done> clear(PageRange range, const PageSet& mask) override;
  core::Await<core::Done> read_and_clear(PageRange range, PageSet& into) override;
  core::Await<core::Done> peek(std::span<const PageRun> runs, PageSet& into) override;
  // Memory
  Pages size() const override { return guest_.memory->size(); }
  Bytes page_size() const override { return guest_.memory->page_size(); }
  std::size_t classify(PageRun& head, std::span<PageRun> out) override;
  core::Await<core::Done> copy_to_shadow(const PageSet& pages) override;
  Pages sender_pages() const override;
  // Link
  core::Await<core::Sent> send(const core::Record& record, const core::SendLimit& limit) override;
  core::Await<core::Message> receive() override;
  // Guest
  core::Await<core::Done> pause() override;
  core::Await<core::Done> freeze() override;
  core::Await<core::Done> resume() override;
  void fence() override;
  Bytes device_state() const override { return guest_.options->device_state; }
  // Control
  Nanos now() const override { return world_.engine.now(); }
  core::Await<core::Done> sleep_until(Nanos instant) override;
  core::Command poll() override { return std::exchange(command_, core::Command::kNone); }
  // Observer
  void enter(core::Phase phase) override;
  void round(const core::RoundStats& round) override;
  // Arrival
  core::Await<Incoming> next() override;
  void reply(const core::Record& record) override;
  bool reserve(Pages) override { return !world_.hosts[options_.to].refuses_memory; }
  void apply(const core::Record& record) override;
  core::Await<core::Done> load_device_state(Bytes size) override;
  core::Await<core::Done> inflate() override;
  core::Await<core::Done> run() override;
  void discard() override {}
  // FlowUser
  void replan() override;

  enum class Activity : std::uint8_t { kTrack, kHarvest, kCopy, kProtocol, kApply, kInflate };
  static constexpr std::size_t kActivities = 6;

  struct SenderPlace {
    PageRange rings, bitmap, tables, buffers;
  };

  core::Await<core::Done> take(Nanos cpu, Activity activity, bool at_destination, std::function<void()> then);
  void cut_at(const core::SendLimit& limit);
  void cut_to(Pages pages);
  void through_the_wire();
  void schedule_finish();
  void hand_to_destination(const core::Record& record);
  void post(const std::variant<core::Record, core::Message>& what);
  void schedule_post(std::uint64_t number);
  void deliver(const std::variant<core::Record, core::Message>& what);
  void stall();
  void break_connection();
  void end_at_once(Status status, const char* reason);
  void flow_rests();
  void set_speed(Share sender_cpu, Nanos stretch);
  void advance_all();
  Share sender_share() const;
  Share receiver_share() const;
  void bill(bool at_destination, Activity activity, Nanos cpu);
  void settle_faults();
  void protect(const PageSet& pages, PageRange range);
  void sender_wrote();
  void place_sender_set();
  void note(std::uint64_t what, std::uint64_t value);
  void note_set(std::uint64_t what, const PageSet& set);
  void close_if_over();
  Nanos log_cost(PageRange range, Nanos per_gib) const;
  const models::CostProfile& source_profile() const { return world_.options.hosts[source_host_].profile; }
  const models::CostProfile& destination_profile() const { return world_.options.hosts[options_.to].profile; }
  const models::TrackerCosts& tracker() const { return source_profile().of(options_.strategy.tracker); }

  World& world_;
  const MigrationOptions& options_;
  SimGuest& guest_;
  std::function<void()> on_end_;
  std::uint32_t source_host_;

  models::Network::FlowId flow_ = 0;
  Nanos latency_{0};
  BitsPerSecond bottleneck_{0};

  // What the core lives in.
  std::vector<std::byte> source_frames_, destination_frames_;
  std::vector<PageRun> picked_, batch_;
  std::optional<OwnedPageSet> pending_, reported_, aside_;
  std::optional<core::Source> source_;
  std::optional<core::Destination> destination_;
  std::optional<core::Task<core::Outcome>> source_task_;
  std::optional<core::Task<core::Destination::Outcome>> destination_task_;

  // Waits of the core.
  core::Completion<core::Done> done_;    // of the source
  core::Completion<core::Done> loaded_;  // of the destination
  core::Completion<core::Sent> sent_;
  core::Completion<core::Message> message_;
  core::Completion<Incoming> incoming_;
  std::optional<core::Message> mailbox_;
  std::uint64_t plan_number_ = 0;  // of the completion event that counts
  bool sending_ = false;
  std::vector<PageRun> going_;  // runs of the record on its way
  core::Record going_record_;
  core::Sent going_sent_;
  struct {
    Nanos copy{0}, protocol{0}, apply{0};
  } going_cpu_;
  struct Post {
    std::uint64_t number;
    std::variant<core::Record, core::Message> what;
  };
  std::deque<Post> posts_;  // control messages on their way, in order
  std::uint64_t next_post_ = 0;
  std::uint64_t post_plan_ = 0;     // of the deliveries that count
  std::uint64_t stall_number_ = 0;  // of the stall whose end counts
  std::vector<std::uint32_t> route_;
  bool stalled_ = false, broken_ = false, destination_dead_ = false, corrupt_next_ = false;
  core::Command command_ = core::Command::kNone;
  std::uint64_t refusal_ = 0;

  Nanos protected_at_{0};  // guest time of the last clear of the whole log

  SenderPlace sender_{};
  Pages in_flight_{0};
  Pages tables_written_{0};
  bool shadowed_ = false;

  bool began_ = false, ended_ = false, fenced_ = false, down_ = false;
  core::Phase phase_ = core::Phase::kSetup;
  Nanos phase_began_{0}, down_since_{0};
  Nanos guest_at_start_{0};
  MigrationResult result_;
  std::array<std::array<Nanos, kActivities>, 2> bills_{};  // [at destination][activity]
};

}  // namespace godwit::sim
