#include "sim/migration.h"

#include <algorithm>
#include <string>

namespace godwit::sim {
namespace {

constexpr std::size_t kBatchRuns = 1024;
constexpr std::size_t kSourceFrames = 8192;
constexpr std::size_t kDestinationFrames = 4096;

std::optional<Part> part_of(core::Phase phase) {
  switch (phase) {
    case core::Phase::kStop: return Part::kStop;
    case core::Phase::kHarvest: return Part::kHarvest;
    case core::Phase::kCopy: return Part::kCopy;
    case core::Phase::kShadow: return Part::kShadow;
    case core::Phase::kDeviceState: return Part::kDeviceState;
    case core::Phase::kInflate: return Part::kInflate;
    case core::Phase::kCommit: return Part::kCommit;
    case core::Phase::kResume: return Part::kResume;
    default: return std::nullopt;
  }
}

}  // namespace

Migration::Space::Space(Arena& the_arena, Pages memory, Pages delta_slots)
    : arena(the_arena),
      bytes(arena.take_space()),
      source_frames(bytes, kSourceFrames),
      destination_frames(bytes + kSourceFrames, kDestinationFrames),
      pending(memory, &arena.pages()),
      reported(memory, &arena.pages()),
      aside(memory, &arena.pages()),
      delta_cache(static_cast<std::size_t>(delta_slots.value)) {
  static_assert(kSourceFrames + kDestinationFrames + 3 * kBatchRuns * sizeof(PageRun) <= Arena::kSpaceBytes);
  // Runs need no construction, and what is never touched takes no memory.
  auto* runs = reinterpret_cast<PageRun*>(bytes + kSourceFrames + kDestinationFrames);
  picked = {runs, kBatchRuns};
  batch = {runs + kBatchRuns, 2 * kBatchRuns};
}

Migration::Space::~Space() { arena.give_space(bytes); }

Migration::Migration(World& world, const MigrationOptions& options, std::function<void()> on_end)
    : c_(world, options), channel_(c_), on_end_(std::move(on_end)) {
  c_.progressed = [this] { close_if_over(); };
  c_.destination_over = [this] { return destination_task_ && destination_task_->done(); };
}

// ---------------------------------------------------------------- life

void Migration::begin() {
  began_ = true;
  World& world = c_.world;
  c_.source_host = c_.guest.host;
  c_.result.requested_at = phase_began_ = now();
  if (!c_.guest.home.somewhere()) return end_at_once(Status::kLost, "guest_gone");
  if (world.hosts[c_.source_host].crashed) return end_at_once(Status::kLost, "source_crashed");
  if (!c_.options.file && c_.source_host == c_.options.to) return already_there();
  channel_.open();
  if (!c_.options.file && world.hosts[c_.options.to].crashed) host_crashed(c_.options.to);

  const GuestOptions& guest = *c_.guest.options;
  const auto consumer = static_cast<std::uint64_t>(c_.options.guest) + 1;
  if (!c_.guest.memory)
    c_.guest.memory = std::make_unique<GuestMemory>(guest, world.options.seed, consumer, &world.arena.pages());
  c_.guest_at_start = c_.guest_now();
  c_.memory().start(c_.guest_at_start);
  if (c_.memory().bytes()) c_.arrived.emplace(c_.memory().size(), c_.memory().page_size());
  if (c_.self()) c_.sender = {c_.options.strategy.sender, c_.memory(), guest.name, channel_.in_flight_max()};
  c_.result.page_size = c_.memory().page_size();
  c_.result.total_bytes = guest.memory;
  const StrategyOptions& strategy = c_.options.strategy;
  if (strategy.policy.on) policy_.emplace(strategy.policy, strategy.plan.stop.downtime_max, guest.memory);
  if (policy_) watch();
  stunning_.watch();
  start_core();
  close_if_over();
}

/// Of a power of two, a power of two: one at least.
Pages Migration::delta_slots() const {
  const core::Plan& plan = c_.options.strategy.plan;
  if (!plan.deltas) return {0};
  return {std::max<std::uint64_t>(1, plan.delta_cache.value / c_.memory().page_size().value)};
}

void Migration::start_core() {
  Space& space = space_.emplace(c_.world.arena, c_.memory().size(), delta_slots());
  if (!c_.options.file) {
    destination_.emplace(c_.self(), arrival_, static_cast<core::Observer&>(*this), space.destination_frames);
    destination_task_.emplace(destination_->run());
  }
  source_.emplace(c_.options.strategy.plan, core::SourcePorts{log_, memory_, channel_, guest_, *this, *this},
                  core::SourceSpace{.frames = space.source_frames,
                                    .picked = space.picked,
                                    .batch = space.batch,
                                    .pending = *space.pending,
                                    .reported = *space.reported,
                                    .aside = *space.aside,
                                    .delta_cache = space.delta_cache});
  source_task_.emplace(source_->run());
}

/// Ends the migration once both sides have.
void Migration::close_if_over() {
  if (c_.ended) return release();
  if (!source_task_) return;
  const bool gave_up = destination_task_ && destination_task_->done() &&
                       destination_task_->value() != core::Destination::Outcome::kRunning;
  if (gave_up && !source_task_->done()) channel_.hang_up();
  if (!source_task_->done()) return;
  // Once it has fenced itself the source knows no more: how it ends is the destination's to say.
  if (c_.fenced && !destination_task_->done()) return;
  const bool to_file = c_.options.file && source_task_->value() == core::Outcome::kCompleted;
  if (to_file && !channel_.file()->whole()) return;
  c_.ended = true;
  channel_.close();
  conclude(source_task_->value());
  stunning_.over();
  if (!c_.guest.stopped) c_.plan_guest(0, Nanos{0});
  c_.result.total_time = now() - c_.result.requested_at;
  c_.result.work_lost = work_lost();
  channel_.ledger().close(c_.result.transferred);
  c_.note(RecordKind::kSourceEnded, static_cast<std::uint64_t>(source_task_->value()));
  --c_.guest.migrations_left;
  release();
  on_end_();
}

/// Gives back what is needed only while both ends are under way: many more may come.
void Migration::release() {
  if (!space_ || !source_task_->done() || (destination_task_ && !destination_task_->done())) return;
  source_task_.reset();
  destination_task_.reset();
  source_.reset();
  destination_.reset();
  space_.reset();
  if (c_.guest.migrations_left == 0) c_.guest.memory.reset();
}

void Migration::conclude(core::Outcome outcome) {
  MigrationResult& result = c_.result;
  switch (outcome) {
    case core::Outcome::kCompleted:
    case core::Outcome::kStranded:
      if (c_.options.file) {
        result.status = Status::kCompleted;
        result.verified = c_.agrees();
        result.checkpoint = channel_.file()->take_bytes();
        break;
      }
      if (destination_task_->value() == core::Destination::Outcome::kRunning) {
        result.status = Status::kCompleted;
        result.verified = c_.agrees();
        if (c_.arrived) c_.memory().adopt(*std::move(c_.arrived));
        c_.memory().left_excused();
        break;
      }
      [[fallthrough]];
    case core::Outcome::kInDoubt:
      result.status = Status::kInDoubt;
      result.home = Home::kNowhere;
      break;
    case core::Outcome::kCancelled:
      result.status = Status::kCancelled;
      if (given_up_) result.reason = "policy";
      break;
    case core::Outcome::kLinkBroken: return fail(c_.destination_dead ? "destination_crashed" : "link_broken");
    case core::Outcome::kRefused:
      return fail(channel_.refusal() == core::Refusal::kNoMemory ? "memory_refused" : "corrupt_stream");
    case core::Outcome::kShadowFull: return fail("shadow_full");
    case core::Outcome::kNoConvergence: return fail("no_convergence");
  }
}

void Migration::fail(const char* reason) {
  c_.result.status = Status::kFailed;
  c_.result.reason = reason;
}

/// The migration that should have taken the guest elsewhere before has not.
void Migration::already_there() {
  c_.ended = true;
  fail("already_there");
  --c_.guest.migrations_left;
  on_end_();
}

/// Nobody is left to say how it ends.
void Migration::end_at_once(Status status, const char* reason) {
  c_.ended = true;
  if (source_task_) {
    channel_.abandon();
    stunning_.over();
  }
  channel_.close();
  SimGuest& guest = c_.guest;
  if (!guest.stopped) guest.clock.set_speed(now(), 0);
  c_.world.stop(c_.options.guest);
  guest.home.destroy();
  MigrationResult& result = c_.result;
  result.status = status;
  result.reason = reason;
  result.home = Home::kNowhere;
  result.total_time = now() - result.requested_at;
  if (source_task_) channel_.ledger().close(result.transferred);
  c_.note(RecordKind::kNobodyLeft, static_cast<std::uint64_t>(status));
  --c_.guest.migrations_left;
  on_end_();
}

// ---------------------------------------------------------------- who manages it

/// Lets the policy look now and then, as long as the guest runs at the source.
void Migration::watch() {
  c_.world.engine.schedule(later(now(), c_.options.strategy.policy.poll), Lane::kFault, [this] {
    if (c_.ended || c_.down || c_.fenced) return;
    obey(policy_->look(view()));
    watch();
  });
}

models::Policy::View Migration::view() const {
  return {.elapsed = now() - c_.result.requested_at,
          .rounds = static_cast<std::uint32_t>(c_.result.iterations.size()),
          .remaining = c_.memory().page_size() * space_->pending->count().value,
          .sent = c_.result.transferred};
}

void Migration::obey(models::Policy::Verdict verdict) {
  using Verdict = models::Policy::Verdict;
  if (verdict == Verdict::kGoOn) return;
  if (verdict == Verdict::kAbort) {
    given_up_ = true;
    return cancel();
  }
  command_ = c_.post_copy() ? core::Command::kPostCopy : core::Command::kFinish;
  channel_.interrupt();
}

// ---------------------------------------------------------------- events

void Migration::cancel() {
  if (!began_ || c_.ended) return;
  command_ = core::Command::kCancel;
  channel_.interrupt();
}

void Migration::links_changed() {
  if (began_ && !c_.ended) channel_.links_changed();
}

void Migration::host_crashed(std::uint32_t host) {
  if (!began_ || c_.ended) return;
  // The source is needed until it has handed over everything.
  const bool needed = !c_.fenced || faults_.any_missing();
  if (host == c_.source_host && needed) return end_at_once(Status::kLost, "source_crashed");
  if (c_.options.file || host != c_.options.to) return;
  if (c_.fenced) return end_at_once(Status::kLost, "destination_crashed");
  c_.destination_dead = true;
  channel_.destination_died();
}

// ---------------------------------------------------------------- figures

MigrationResult Migration::result() const {
  MigrationResult r = c_.result;
  const RunOptions& run = c_.world.options;
  r.guest = c_.guest.options->name;
  r.source = run.hosts[c_.source_host].name;
  r.destination = c_.options.file ? c_.options.file->path : run.hosts[c_.options.to].name;
  r.strategy = c_.options.strategy.name;
  r.goal_ignored = c_.options.strategy.goal_ignored;
  if (!c_.ended) {
    const bool cut_short = c_.world.engine.exhausted();
    r.reason = cut_short ? "work_limit" : began_ ? "horizon" : "not_started";
    if (cut_short && began_)
      r.warnings.emplace_back(
          "the run was ended before its horizon, because it is more work than Godwit does in one run: it needs a "
          "shorter horizon, or a bound on the rounds");
    if (c_.fenced && r.home != Home::kDestination) r.home = Home::kNowhere;
    if (paused()) r.status = Status::kPaused;
    if (paused()) r.reason = "link_broken";
  }
  if (began_ && !c_.ended) {
    r.total_time = now() - r.requested_at;
    r.work_lost = work_lost();
    r.stunned_time = stunning_.stood();
    r.remaining = c_.memory().page_size() * space_->pending->count().value;
  }
  if (const auto& curve = c_.guest.options->workload.curve) {
    const auto thousandths = static_cast<std::uint64_t>(curve->error * 1000 + 0.999);
    r.warnings.push_back("the guest's writes keep to its dirty curve within " + std::to_string(thousandths / 10) + "." +
                         std::to_string(thousandths % 10) + " %");
  }
  if (r.downtime > Nanos{0}) r.service_gap = r.downtime + c_.destination_profile().announce;
  r.costs = c_.bills();
  return r;
}

void Migration::enter(core::Phase phase) {
  if (phase == core::Phase::kPostCopy && c_.down) return note_phase(phase);  // the source is through; the guest not yet
  const Nanos lasted = now() - phase_began_;
  if (c_.down) {
    if (const std::optional<Part> part = part_of(phase_)) c_.result.parts[static_cast<std::size_t>(*part)] += lasted;
  }
  if (phase == core::Phase::kStop && !c_.down) {
    c_.down = true;
    c_.down_since = now();
  }
  if (phase_ == core::Phase::kSetup) c_.result.setup_time = lasted;
  if (phase == core::Phase::kRunning) {
    c_.down = false;
    stunning_.over();
  }
  phase_ = phase;
  phase_began_ = now();
  note_phase(phase);
}

void Migration::note_phase(core::Phase phase) {
  c_.note(RecordKind::kPhase, static_cast<std::uint64_t>(phase));
  if (c_.world.on_phase) c_.world.on_phase(c_.index(), phase);
}

void Migration::round(const core::RoundStats& round) {
  MigrationResult& result = c_.result;
  c_.world.engine.spend(20'000 + 16 * c_.memory().blocks());
  result.iterations.push_back({round, c_.guest.throttle, c_.guest.ring_sleep, work_lost() - work_lost_before_});
  work_lost_before_ = work_lost();
  result.skipped += round.skipped;
  result.free += round.free;
  if (policy_ && !round.stopped && !round.post_copy) obey(policy_->round_ended(view()));
  if (!round.stopped && !round.post_copy && round.took > Nanos{0}) {
    result.dirty_pages_rate =
        mul_div(round.new_dirty.value, kNanosPerSecond, static_cast<std::uint64_t>(round.took.count()));
  }
  c_.note(RecordKind::kRoundSent, round.sent.value);
  c_.note(RecordKind::kRoundPending, round.pending_after.value);
}

}  // namespace godwit::sim
