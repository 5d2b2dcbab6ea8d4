#include "sim/migration.h"

#include <algorithm>
#include <stdexcept>

namespace godwit::sim {
namespace {

constexpr std::size_t kBatchRuns = 1024;
constexpr std::uint64_t kTablePages = 512;  // pages that one page of page tables maps

BitsPerSecond tighter(BitsPerSecond a, BitsPerSecond b) {
  if (a.value == 0) return b;
  if (b.value == 0) return a;
  return std::min(a, b);
}

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

Migration::Migration(World& world, const MigrationOptions& options, std::function<void()> on_end)
    : world_(world),
      options_(options),
      guest_(world.guests[options.guest]),
      on_end_(std::move(on_end)),
      source_host_(world.guests[options.guest].host) {}

Migration::~Migration() { std::erase(world_.flow_users, static_cast<FlowUser*>(this)); }

// ---------------------------------------------------------------- life

void Migration::begin() {
  began_ = true;
  source_host_ = guest_.host;
  route_ = world_.network.route(source_host_, options_.to);
  if (route_.empty())
    throw std::runtime_error("no way from " + world_.options.hosts[source_host_].name + " to " +
                             world_.options.hosts[options_.to].name);
  result_.requested_at = now();
  if (world_.hosts[source_host_].crashed) return end_at_once(Status::kLost, "source_crashed");
  latency_ = world_.network.latency(route_);
  bottleneck_ = world_.network.bottleneck(route_);
  flow_ = world_.network.open(route_);
  world_.flow_users.push_back(this);
  links_changed();
  if (world_.hosts[options_.to].crashed) host_crashed(options_.to);

  const auto consumer = static_cast<std::uint64_t>(options_.guest) + 1;
  if (!guest_.memory) guest_.memory = std::make_unique<GuestMemory>(*guest_.options, world_.options.seed, consumer);
  GuestMemory& memory = *guest_.memory;
  guest_at_start_ = guest_.clock.at(now());
  memory.start(guest_at_start_);
  place_sender_set();

  result_.page_size = memory.page_size();
  result_.total_bytes = guest_.options->memory;
  phase_began_ = now();

  source_frames_.resize(8192);
  destination_frames_.resize(4096);
  picked_.resize(kBatchRuns);
  batch_.resize(2 * kBatchRuns);
  pending_.emplace(memory.size());
  reported_.emplace(memory.size());
  aside_.emplace(memory.size());

  destination_.emplace(options_.strategy.self, static_cast<core::Arrival&>(*this), static_cast<core::Observer&>(*this),
                       destination_frames_);
  destination_task_.emplace(destination_->run());
  source_.emplace(options_.strategy.plan, core::SourcePorts{*this, *this, *this, *this, *this, *this},
                  core::SourceSpace{.frames = source_frames_,
                                    .picked = picked_,
                                    .batch = batch_,
                                    .pending = **pending_,
                                    .reported = **reported_,
                                    .aside = **aside_});
  source_task_.emplace(source_->run());
  close_if_over();
}

/// Ends the migration once both sides have.
void Migration::close_if_over() {
  if (ended_ || !source_task_ || !source_task_->done()) return;
  const core::Outcome outcome = source_task_->value();
  // Once it has fenced itself the source knows no more: how it ends is the destination's to say.
  if (fenced_ && !destination_task_->done()) return;
  ended_ = true;
  flow_rests();
  switch (outcome) {
    case core::Outcome::kCompleted:
      result_.status = Status::kCompleted;
      if (destination_task_->value() == core::Destination::Outcome::kRunning) break;
      result_.status = Status::kInDoubt;
      result_.home = Home::kNowhere;
      break;
    case core::Outcome::kCancelled: result_.status = Status::kCancelled; break;
    case core::Outcome::kInDoubt:
      result_.status = Status::kInDoubt;
      result_.home = Home::kNowhere;
      break;
    case core::Outcome::kLinkBroken:
      result_.status = Status::kFailed;
      result_.reason = destination_dead_ ? "destination_crashed" : "link_broken";
      break;
    case core::Outcome::kRefused:
      result_.status = Status::kFailed;
      result_.reason =
          refusal_ == static_cast<std::uint64_t>(core::Refusal::kNoMemory) ? "memory_refused" : "corrupt_stream";
      break;
    case core::Outcome::kShadowFull:
      result_.status = Status::kFailed;
      result_.reason = "shadow_full";
      break;
    case core::Outcome::kNoConvergence:
      result_.status = Status::kFailed;
      result_.reason = "no_convergence";
      break;
  }
  if (!guest_.stopped) set_speed(0, Nanos{0});
  result_.total_time = now() - result_.requested_at;
  result_.work_lost = (now() - result_.requested_at) - (guest_.clock.at(now()) - guest_at_start_);
  note(90, static_cast<std::uint64_t>(outcome));
  on_end_();
}

/// Nobody is left to say how it ends.
void Migration::end_at_once(Status status, const char* reason) {
  ended_ = true;
  if (source_task_) flow_rests();
  ++plan_number_;
  ++post_plan_;
  posts_.clear();
  if (!guest_.stopped) guest_.clock.set_speed(now(), 0);
  guest_.stopped = true;
  guest_.homes = 0;
  world_.update_traffic(options_.guest);
  result_.status = status;
  result_.reason = reason;
  result_.home = Home::kNowhere;
  result_.total_time = now() - result_.requested_at;
  note(91, static_cast<std::uint64_t>(status));
  on_end_();
}

// ---------------------------------------------------------------- events

void Migration::cancel() {
  if (!began_ || ended_) return;
  command_ = core::Command::kCancel;
  if (!sending_) return;
  if (destination_dead_ || world_.network.rate(flow_).value == 0) {
    // Nothing moves: what is on its way stays here.
    sending_ = false;
    ++plan_number_;
    flow_rests();
    sent_.complete({.stop = core::SendStop::kLimit});
    return close_if_over();
  }
  const Bytes gone = world_.network.gone(now(), flow_);
  cut_to(core::pages_beyond(going_record_.runs, going_record_.charge, gone, {1}));
  schedule_finish();
}

void Migration::links_changed() {
  if (!began_ || ended_ || broken_) return;
  const bool up = world_.network.up(route_) && !destination_dead_;
  if (!up && !stalled_) stall();
  if (up && stalled_) {
    stalled_ = false;
    ++stall_number_;
    for (const Post& each : posts_) schedule_post(each.number);
  }
}

/// Nothing gets through. What is on its way waits, until the connection is given up.
void Migration::stall() {
  stalled_ = true;
  ++post_plan_;
  world_.engine.schedule(later(now(), options_.connection_timeout), Lane::kFault, [this, number = ++stall_number_] {
    if (stalled_ && number == stall_number_) break_connection();
  });
}

void Migration::host_crashed(std::uint32_t host) {
  if (!began_ || ended_) return;
  if (host == source_host_ && !fenced_) return end_at_once(Status::kLost, "source_crashed");
  if (host != options_.to) return;
  if (fenced_) return end_at_once(Status::kLost, "destination_crashed");
  destination_dead_ = true;
  ++plan_number_;  // nothing that is on its way arrives
  if (sending_) flow_rests();
  links_changed();
}

/// Both ends give up. Whoever waits for the other hears so.
void Migration::break_connection() {
  if (ended_ || broken_) return;
  broken_ = true;
  posts_.clear();
  flow_rests();
  if (incoming_.awaited() && !destination_dead_) incoming_.complete({Incoming::Kind::kBroken, {}});
  if (sending_) {
    sending_ = false;
    ++plan_number_;
    sent_.complete({.stop = core::SendStop::kBroken});
  } else if (message_.awaited()) {
    message_.complete({core::Message::Kind::kBroken, 0});
  }
  close_if_over();
}

MigrationResult Migration::result() const {
  MigrationResult r = result_;
  const RunOptions& run = world_.options;
  r.guest = guest_.options->name;
  r.source = run.hosts[source_host_].name;
  r.destination = run.hosts[options_.to].name;
  r.strategy = options_.strategy.name;
  r.goal_ignored = options_.strategy.goal_ignored;
  if (!ended_) {
    r.total_time = began_ ? now() - r.requested_at : Nanos{0};
    r.reason = began_ ? "horizon" : "not_started";
    if (pending_) r.remaining = page_size() * (*pending_)->count().value;
    if (fenced_) r.home = Home::kNowhere;
  }
  r.service_gap = r.downtime > Nanos{0} ? r.downtime + destination_profile().announce : Nanos{0};
  if (began_) {
    const Nanos worked = guest_.clock.at(now()) - guest_at_start_;
    const Nanos lasted = now() - r.requested_at;
    r.work_lost = ended_ ? result_.work_lost : lasted - worked;
  }
  static constexpr std::array<const char*, kActivities> kNames{"track",    "harvest", "copy",
                                                               "protocol", "apply",   "inflate"};
  const std::string payer = options_.strategy.self ? "guest" : options_.strategy.payer;
  for (std::size_t side = 0; side < 2; ++side) {
    for (std::size_t a = 0; a < kActivities; ++a) {
      if (bills_[side][a] == Nanos{0}) continue;
      r.costs.push_back(
          {side == 0 ? payer : "destination", side == 0 ? r.source : r.destination, kNames[a], bills_[side][a]});
    }
  }
  return r;
}

// ---------------------------------------------------------------- time and CPU

/// Lets `elapsed` pass, then does `then`. `inline_done` tells whether it is over already; else `then` must complete a wait.
core::Await<core::Done> Migration::take(Nanos cpu, Activity activity, bool at_destination, std::function<void()> then) {
  bill(at_destination, activity, cpu);
  const Share share = at_destination ? receiver_share() : sender_share();
  const Nanos elapsed =
      share == kWhole ? cpu : saturating_nanos(mul_div_up(static_cast<std::uint64_t>(cpu.count()), kWhole, share));
  if (elapsed == Nanos{0}) {
    then();
    return core::Done{};
  }
  flow_rests();
  if (!at_destination) set_speed(share, elapsed);
  const Nanos until = later(now(), elapsed);
  if (world_.engine.skip_to(until)) {
    then();
    return core::Done{};
  }
  core::Completion<core::Done>& wait = at_destination ? loaded_ : done_;
  world_.engine.schedule(until, Lane::kCore, [this, &wait, at_destination, then = std::move(then)] {
    if (ended_ || (at_destination && destination_dead_)) return;
    then();
    wait.complete({});
    close_if_over();
  });
  return wait;
}

core::Await<core::Done> Migration::sleep_until(Nanos instant) {
  if (instant <= now()) return core::Done{};
  flow_rests();
  set_speed(0, instant - now());
  if (world_.engine.skip_to(instant)) return core::Done{};
  world_.engine.schedule(instant, Lane::kCore, [this] {
    if (ended_) return;
    done_.complete({});
    close_if_over();
  });
  return done_;
}

void Migration::bill(bool at_destination, Activity activity, Nanos cpu) {
  bills_[at_destination ? 1 : 0][static_cast<std::size_t>(activity)] += cpu;
}

void Migration::settle_faults() {
  const std::uint64_t faults = guest_.memory->take_faults();
  result_.write_faults += faults;
  bill(false, Activity::kTrack, tracker().first_write * static_cast<std::int64_t>(faults));
}

/// What the sending thread gets of a core.
Share Migration::sender_share() const {
  if (source_profile().cpu_unlimited) return kWhole;
  if (options_.strategy.self) {
    if (guest_.stopped) return kWhole;
    return models::thread_share(guest_.options->vcpus, guest_.demand(), guest_.options->vcpus);
  }
  World::Load load = world_.load(source_host_, guest_.stopped ? &guest_ : nullptr);
  return models::thread_share(world_.options.hosts[source_host_].cores, load.demand, load.threads);
}

Share Migration::receiver_share() const {
  if (destination_profile().cpu_unlimited) return kWhole;
  const World::Load load = world_.load(options_.to, nullptr);
  return models::thread_share(world_.options.hosts[options_.to].cores, load.demand, load.threads);
}

/// Plans how fast the guest's work goes for `stretch` while the sender takes `sender_cpu` of a core: the work, the
/// faults that its first writes cause, and the sender share what there is. The wall time that `g` of guest time takes
/// is max(g, (demand x g + fault cost x first writes expected by then) / available); solved for g by bisection.
void Migration::set_speed(Share sender_cpu, Nanos stretch) {
  if (guest_.stopped) return guest_.clock.set_speed(now(), 0);
  Share available = guest_.options->vcpus * kWhole;
  if (source_profile().cpu_unlimited) return guest_.clock.set_speed(now(), kWhole);
  if (options_.strategy.self) {
    available = available > sender_cpu ? available - sender_cpu : 0;
  } else {
    const Share cores = world_.options.hosts[source_host_].cores * kWhole;
    const Share wanted = world_.load(source_host_, nullptr).demand + sender_cpu;
    if (wanted > cores) available = mul_div(available, cores, wanted);
  }
  const Share demand = guest_.demand();
  const auto fault = static_cast<std::uint64_t>(tracker().first_write.count());
  if (stretch <= Nanos{0} || stretch == kNever || fault == 0) {
    return guest_.clock.set_speed(now(), models::speed(demand, available));
  }
  const Nanos begins = guest_.clock.at(now());
  const std::uint64_t before = guest_.memory->workload().expected_distinct(protected_at_, begins);
  const u128 capacity = static_cast<u128>(available) * static_cast<std::uint64_t>(stretch.count());
  Nanos low{0};
  Nanos high = stretch;
  const auto fits = [&](Nanos g) {
    const std::uint64_t faults = guest_.memory->workload().expected_distinct(protected_at_, begins + g) - before;
    return static_cast<u128>(demand) * static_cast<std::uint64_t>(g.count()) +
               static_cast<u128>(faults) * fault * kWhole <=
           capacity;
  };
  if (fits(high)) return guest_.clock.set_speed(now(), kWhole);
  while (high - low > Nanos{1 + stretch.count() / 65536}) {
    const Nanos middle = low + (high - low) / 2;
    (fits(middle) ? low : high) = middle;
  }
  guest_.clock.set_speed(
      now(), mul_div(static_cast<std::uint64_t>(low.count()), kWhole, static_cast<std::uint64_t>(stretch.count())));
}

void Migration::advance_all() {
  guest_.memory->advance({0, size().value}, guest_.clock.at(now()));
  settle_faults();
}

// ---------------------------------------------------------------- dirty log

Nanos Migration::log_cost(PageRange range, Nanos per_gib) const {
  const std::uint64_t bytes = range.count * page_size().value;
  return Nanos{
      static_cast<std::int64_t>(mul_div(bytes, static_cast<std::uint64_t>(per_gib.count()), std::uint64_t{1} << 30))};
}

core::Await<core::Done> Migration::start() {
  return take(log_cost({0, size().value}, tracker().clear_per_gib), Activity::kHarvest, false, [this] {
    guest_.memory->start(guest_.clock.at(now()));
    protected_at_ = guest_.clock.at(now());
    if (options_.strategy.self) {
      guest_.memory->dirty(sender_.bitmap);
      tables_written_ = {sender_.tables.count};
      guest_.memory->dirty(sender_.tables);
    }
  });
}

core::Await<core::Done> Migration::read(PageRange range, PageSet& into) {
  Nanos cost = log_cost(range, tracker().read_per_gib);
  if (tracker().per_page > Nanos{0}) {
    advance_all();
    cost += tracker().per_page * static_cast<std::int64_t>(guest_.memory->log().count().value);
  }
  return take(cost, Activity::kHarvest, false, [this, range, &into] {
    guest_.memory->advance(range, guest_.clock.at(now()));
    settle_faults();
    into.add(guest_.memory->log(), range);
    note_set(1, guest_.memory->log());
    ++result_.dirty_syncs;
  });
}

core::Await<core::Done> Migration::clear(PageRange range, const PageSet& mask) {
  return take(log_cost(range, tracker().clear_per_gib), Activity::kHarvest, false, [this, range, &mask] {
    guest_.memory->advance(range, guest_.clock.at(now()));
    settle_faults();
    protect(mask, range);
    guest_.memory->log().remove(mask, range);
    note(2, range.first);
  });
}

core::Await<core::Done> Migration::read_and_clear(PageRange range, PageSet& into) {
  Nanos cost = log_cost(range, tracker().read_per_gib) + log_cost(range, tracker().clear_per_gib);
  if (tracker().per_page > Nanos{0}) {
    advance_all();
    cost += tracker().per_page * static_cast<std::int64_t>(guest_.memory->log().count().value);
  }
  return take(cost, Activity::kHarvest, false, [this, range, &into] {
    PageSet& log = guest_.memory->log();
    guest_.memory->advance(range, guest_.clock.at(now()));
    settle_faults();
    into.add(log, range);
    note_set(3, log);
    ++result_.dirty_syncs;
    if (options_.strategy.self) {
      OwnedPageSet cleared(size());
      cleared->add(log, range);
      log.remove(range);
      protect(*cleared, range);
    } else {
      log.remove(range);
    }
    protected_at_ = guest_.clock.at(now());
  });
}

core::Await<core::Done> Migration::peek(std::span<const PageRun> runs, PageSet& into) {
  advance_all();
  const PageSet& log = guest_.memory->log();
  for (const PageRun& run : runs) {
    for_each_word(run, [&](std::uint64_t word, std::uint64_t mask) {
      const std::uint64_t dirty = log.word(word) & mask;
      if (dirty != 0) into.add_word(word, dirty);
    });
  }
  return core::Done{};
}

/// A guest that protects its own pages writes its own page tables and clears its own bitmap by doing so.
void Migration::protect(const PageSet& pages, PageRange range) {
  if (!options_.strategy.self || shadowed_) return;
  tables_written_ = {0};
  std::uint64_t last = UINT64_MAX;
  const auto table = [&](std::uint64_t index) {
    if (index == last || index >= sender_.tables.count) return;
    last = index;
    ++tables_written_.value;
    guest_.memory->dirty({sender_.tables.first + index, 1});
  };
  pages.for_each_run(range, [&](const PageRun& run) {
    const PageIndex end = run.is_mask() ? run.word() * 64 + 1 : run.first() + run.count();
    for (std::uint64_t i = run.first() / kTablePages; i * kTablePages < end; ++i) table(i);
  });
  guest_.memory->dirty(sender_.bitmap);
}

// ---------------------------------------------------------------- memory

std::size_t Migration::classify(PageRun& head, std::span<PageRun> out) {
  const PageSet& zero = guest_.memory->zero();
  std::size_t written = 0;
  if (out.empty()) return 0;
  if (zero.empty()) {
    out[0] = head;
    head = {};
    return 1;
  }
  if (head.is_mask()) {
    const std::uint64_t zeroes = head.mask() & zero.word(head.word());
    const std::uint64_t others = head.mask() & ~zeroes;
    if ((zeroes != 0) + (others != 0) > static_cast<int>(out.size())) return 0;
    if (others != 0) out[written++] = PageRun::of_word(head.word(), others);
    if (zeroes != 0) out[written++] = PageRun::of_word(head.word(), zeroes).as_zero();
    head = {};
    return written;
  }
  // A solid run: what is between the zero pages, and those, in order.
  PageIndex at = head.first();
  const PageIndex end = head.first() + head.count();
  zero.for_each_run({at, end - at}, [&](const PageRun& run) {
    if (run.first() > at) {
      if (written == out.size()) return false;
      out[written++] = PageRun::solid(at, run.first() - at);
      at = run.first();
    }
    if (written == out.size()) return false;
    if (!run.is_mask()) {
      out[written++] = run.as_zero();
      at = run.first() + run.count();
      return true;
    }
    // Within a word zero pages and others may alternate.
    const PageIndex word_end = std::min(end, run.word() * 64 + 64);
    std::uint64_t others = ~run.mask();
    if (at % 64 != 0 || at / 64 != run.word()) others &= ~std::uint64_t{0} << (at - run.word() * 64);
    if (word_end % 64 != 0) others &= (std::uint64_t{1} << (word_end % 64)) - 1;
    if (others != 0 && written + 1 == out.size()) return false;
    if (others != 0) out[written++] = PageRun::of_word(run.word(), others);
    out[written++] = run.as_zero();
    at = word_end;
    return true;
  });
  if (at < end && written < out.size()) {
    // Nothing but other pages up to the next zero page, or the end.
    PageIndex until = end;
    zero.for_each_run({at, end - at}, [&](const PageRun& run) {
      until = run.first();
      return false;
    });
    if (until > at) {
      out[written++] = PageRun::solid(at, until - at);
      at = until;
    }
  }
  head = at < end ? PageRun::solid(at, end - at) : PageRun{};
  return written;
}

core::Await<core::Done> Migration::copy_to_shadow(const PageSet& pages) {
  const Nanos cost = source_profile().shadow_copy_page * static_cast<std::int64_t>(pages.count().value);
  return take(cost, Activity::kCopy, false, [this, &pages] {
    pages.for_each_run(pages.all(), [this](const PageRun& run) { guest_.memory->gathered(run); });
    guest_.memory->snapshot_taken();
    shadowed_ = true;
    note_set(4, pages);
  });
}

/// What the sending path dirties while it sends.
Pages Migration::sender_pages() const {
  if (!options_.strategy.self || !options_.strategy.sender.derived) return {0};
  Pages total = Pages{sender_.rings.count} + in_flight_ + Pages{sender_.bitmap.count};
  if (options_.strategy.sender.tracking_bits_are_state) total += tables_written_;
  return total;
}

/// Where the kernel of a guest that moves itself keeps what the moving dirties: at the start of its used memory.
void Migration::place_sender_set() {
  sender_ = {};
  if (!options_.strategy.self || !options_.strategy.sender.derived) return;
  const auto pages_of = [&](std::uint64_t bytes) { return (bytes + page_size().value - 1) / page_size().value; };
  const std::uint64_t pages = size().value;
  PageIndex next = guest_.memory->touchable().first;
  const auto place = [&](std::uint64_t count) {
    const PageRange range{next, count};
    next += count;
    return range;
  };
  sender_.rings = place(pages_of(options_.strategy.sender.rings_and_stack.value));
  sender_.bitmap = place(pages_of((pages + 7) / 8));
  sender_.buffers = place(pages_of(carried(bottleneck_, latency_ * 2).value));
  sender_.tables =
      options_.strategy.sender.tracking_bits_are_state ? place((pages + kTablePages - 1) / kTablePages) : PageRange{};
  if (next > guest_.memory->touchable().end()) {
    throw std::runtime_error("guest " + guest_.options->name +
                             ": its memory does not hold what its own sending dirties (" +
                             std::to_string(next - guest_.memory->touchable().first) + " pages)");
  }
}

void Migration::sender_wrote() {
  if (!options_.strategy.self || shadowed_) return;
  guest_.memory->dirty(sender_.rings);
  guest_.memory->dirty({sender_.buffers.first, std::min(in_flight_.value, sender_.buffers.count)});
  result_.self_dirtied.in_flight = std::max(result_.self_dirtied.in_flight, in_flight_);
  result_.self_dirtied.rings_and_stack = {sender_.rings.count};
  result_.self_dirtied.bitmap = {sender_.bitmap.count};
  result_.self_dirtied.page_tables = std::max(result_.self_dirtied.page_tables, tables_written_);
}

// ---------------------------------------------------------------- link

core::Await<core::Sent> Migration::send(const core::Record& record, const core::SendLimit& limit) {
  if (broken_) return core::Sent{.stop = core::SendStop::kBroken};
  if (mailbox_ && mailbox_->kind == core::Message::Kind::kRefused && record.type != core::RecordType::kAbort) {
    refusal_ = mailbox_->value;
    return core::Sent{.stop = core::SendStop::kRefused};
  }
  going_record_ = record;
  if (record.runs.empty() && record.charge.fixed.value == 0) {
    if (record.type == core::RecordType::kHello) {
      hand_to_destination(record);
    } else {
      flow_rests();
      post(record);
    }
    return core::Sent{};
  }
  const core::BatchSize size = core::size_of(record.runs, record.charge);
  const auto normal = static_cast<std::int64_t>((size.pages - size.zero).value);
  const auto zero = static_cast<std::int64_t>(size.zero.value);
  const models::CostProfile& here = source_profile();
  const models::CostProfile& there = destination_profile();
  going_cpu_ = {};
  if (!record.runs.empty()) {
    if (options_.strategy.plan.detect_zero) going_cpu_.copy += here.zero_test_page * (normal + zero);
    going_cpu_.copy += here.copy_page * normal;
    if (!options_.strategy.self) going_cpu_.copy += here.map_batch * normal / 1024;
    going_cpu_.protocol = here.protocol_page * normal;
    going_cpu_.apply = (there.apply_page + there.protocol_page) * normal;
    if (result_.iterations.empty()) going_cpu_.apply += there.first_touch_page * normal;
  }
  const Bytes bytes = size.bytes + record.charge.fixed;
  const Nanos sender_cpu = going_cpu_.copy + going_cpu_.protocol;
  BitsPerSecond cap = limit.rate;
  if (!here.cpu_unlimited) cap = tighter(cap, models::cpu_bound(bytes, sender_cpu, sender_share()));
  if (!there.cpu_unlimited) cap = tighter(cap, models::cpu_bound(bytes, going_cpu_.apply, receiver_share()));

  if (world_.network.send(now(), flow_, bytes, cap)) world_.replan_all_but(this);
  going_sent_ = {.pages = size.pages, .bytes = bytes, .stop = core::SendStop::kDone};
  if (world_.network.finish(flow_) > limit.not_after && size.pages.value > 0) cut_at(limit);

  const Nanos finish = world_.network.finish(flow_);
  const Nanos stretch = finish - now();
  const BitsPerSecond rate = world_.network.rate(flow_);
  in_flight_ = {(carried(rate, latency_ * 2).value + page_size().value - 1) / page_size().value};
  if (finish != kNever && stretch > Nanos{0}) {
    const auto cpu = static_cast<std::uint64_t>((going_cpu_.copy + going_cpu_.protocol).count());
    set_speed(std::min(kWhole, mul_div(cpu, kWhole, static_cast<std::uint64_t>(stretch.count()))), stretch);
  }
  if (destination_dead_) flow_rests();
  if (finish != kNever && !destination_dead_ && world_.engine.skip_to(finish)) {
    through_the_wire();
    return going_sent_;
  }
  sending_ = true;
  schedule_finish();
  return sent_;
}

/// Shortens the record on its way to what will have gone by `limit.not_after`, as things stand now.
void Migration::cut_at(const core::SendLimit& limit) {
  const Bytes by_then = carried(world_.network.rate(flow_), limit.not_after - now());
  const std::uint64_t pages =
      core::pages_beyond(going_record_.runs, going_record_.charge, by_then, {1}).value + limit.granule.value - 1;
  cut_to({pages / limit.granule.value * limit.granule.value});
}

/// Shortens the record on its way to its first `pages`.
void Migration::cut_to(Pages wanted) {
  const std::uint64_t pages = wanted.value;
  const std::uint64_t whole = going_sent_.pages.value;
  if (pages >= whole) return;
  if (going_.empty() || going_record_.runs.data() != going_.data())
    going_.assign(going_record_.runs.begin(), going_record_.runs.end());
  PageRun rest;
  const std::size_t kept = core::keep_first(std::span(going_).first(going_record_.runs.size()), wanted, rest);
  going_record_.runs = std::span<const PageRun>(going_).first(kept);
  const core::BatchSize size = core::size_of(going_record_.runs, going_record_.charge);
  going_sent_ = {.pages = size.pages, .bytes = size.bytes + going_record_.charge.fixed, .stop = core::SendStop::kLimit};
  world_.network.shorten(flow_, going_sent_.bytes);
  const auto scale = [&](Nanos& cpu) {
    cpu = Nanos{static_cast<std::int64_t>(mul_div(static_cast<std::uint64_t>(cpu.count()), pages, whole))};
  };
  scale(going_cpu_.copy);
  scale(going_cpu_.protocol);
  scale(going_cpu_.apply);
}

void Migration::schedule_finish() {
  const std::uint64_t plan = ++plan_number_;
  const Nanos finish = world_.network.finish(flow_);
  if (finish == kNever || destination_dead_) return;
  world_.engine.schedule(std::max(finish, now()), Lane::kCore, [this, plan] {
    if (plan != plan_number_ || !sending_) return;
    sending_ = false;
    through_the_wire();
    sent_.complete(going_sent_);
    close_if_over();
  });
}

void Migration::replan() {
  if (sending_) schedule_finish();
}

/// The record's last byte has left: its pages were read on the way, and go to the destination.
void Migration::through_the_wire() {
  const core::BatchSize size = core::size_of(going_record_.runs, going_record_.charge);
  bill(false, Activity::kCopy, going_cpu_.copy);
  bill(false, Activity::kProtocol, going_cpu_.protocol);
  bill(true, Activity::kApply, going_cpu_.apply);
  result_.transferred += going_sent_.bytes;
  (down_ ? result_.in_downtime : result_.precopy) += going_sent_.bytes;
  result_.normal += size.pages - size.zero;
  result_.duplicate += size.zero;
  if (going_record_.type == core::RecordType::kPages) {
    for (const PageRun& run : going_record_.runs) guest_.memory->gathered(run);
  }
  hand_to_destination(going_record_);
  sender_wrote();
}

void Migration::hand_to_destination(const core::Record& record) {
  if (!incoming_.awaited()) return;
  const bool corrupt = std::exchange(corrupt_next_, false);
  incoming_.complete({corrupt ? Incoming::Kind::kCorrupt : Incoming::Kind::kRecord, record});
}

/// Sends a control message: it arrives one latency later, or as long after the way is free again. Pages go over at
/// once: nobody looks at the destination before END.
void Migration::post(const std::variant<core::Record, core::Message>& what) {
  if (broken_ || destination_dead_) return;
  posts_.push_back({next_post_++, what});
  if (!stalled_) schedule_post(posts_.back().number);
}

void Migration::schedule_post(std::uint64_t number) {
  world_.engine.schedule(later(now(), latency_), Lane::kDelivery, [this, number, plan = post_plan_] {
    if (plan != post_plan_ || posts_.empty() || posts_.front().number != number) return;
    const auto what = posts_.front().what;
    posts_.pop_front();
    deliver(what);
    close_if_over();
  });
}

void Migration::deliver(const std::variant<core::Record, core::Message>& what) {
  if (const auto* record = std::get_if<core::Record>(&what)) return hand_to_destination(*record);
  const auto& message = std::get<core::Message>(what);
  if (message_.awaited()) {
    if (message.kind == core::Message::Kind::kRefused) refusal_ = message.value;
    message_.complete(message);
  } else {
    mailbox_ = message;
  }
}

core::Await<core::Message> Migration::receive() {
  if (broken_) return core::Message{core::Message::Kind::kBroken, 0};
  if (mailbox_) {
    const core::Message message = *mailbox_;
    mailbox_.reset();
    if (message.kind == core::Message::Kind::kRefused) refusal_ = message.value;
    return message;
  }
  flow_rests();
  return message_;
}

void Migration::reply(const core::Record& record) {
  post(core::Message{
      record.type == core::RecordType::kReady ? core::Message::Kind::kReady : core::Message::Kind::kRefused,
      record.value});
}

void Migration::flow_rests() {
  if (world_.network.rest(now(), flow_)) world_.replan_all_but(this);
}

// ---------------------------------------------------------------- guest

core::Await<core::Done> Migration::pause() {
  guest_.memory->advance({0, size().value}, guest_.clock.at(now()));
  settle_faults();
  guest_.stopped = true;
  ++result_.pauses;
  guest_.clock.set_speed(now(), 0);
  world_.update_traffic(options_.guest);
  return take(source_profile().pause, Activity::kHarvest, false, [] {});
}

core::Await<core::Done> Migration::freeze() { return pause(); }

core::Await<core::Done> Migration::resume() {
  return take(source_profile().resume, Activity::kHarvest, false, [this] {
    guest_.stopped = false;
    result_.paused_total += now() - down_since_;
    down_ = false;
    result_.parts = {};
    world_.update_traffic(options_.guest);
    set_speed(0, Nanos{0});
  });
}

void Migration::fence() {
  fenced_ = true;
  --guest_.homes;
  GODWIT_CHECK(guest_.memory->agrees());
}

// ---------------------------------------------------------------- destination

core::Await<core::Arrival::Incoming> Migration::next() {
  if (broken_) return Incoming{Incoming::Kind::kBroken, {}};
  return incoming_;
}

void Migration::apply(const core::Record& record) {
  for (const PageRun& run : record.runs) guest_.memory->applied(run);
}

core::Await<core::Done> Migration::load_device_state(Bytes) {
  return take(destination_profile().device_load, Activity::kApply, true, [] {});
}

core::Await<core::Done> Migration::inflate() {
  const std::uint64_t tables = (size().value + kTablePages - 1) / kTablePages;
  return take(destination_profile().inflate_table * static_cast<std::int64_t>(tables), Activity::kInflate, true, [] {});
}

core::Await<core::Done> Migration::run() {
  return take(destination_profile().resume, Activity::kApply, true, [this] {
    GODWIT_CHECK(fenced_ && guest_.homes == 0);
    guest_.homes = 1;
    guest_.host = options_.to;
    guest_.stopped = false;
    world_.update_traffic(options_.guest);
    result_.downtime = now() - down_since_;
    result_.paused_total += result_.downtime;
    result_.home = Home::kDestination;
    result_.verified = guest_.memory->agrees();
    guest_.clock.set_speed(now(), kWhole);
    result_.work_lost = (now() - result_.requested_at) - (guest_.clock.at(now()) - guest_at_start_);
  });
}

// ---------------------------------------------------------------- observer

void Migration::enter(core::Phase phase) {
  const Nanos lasted = now() - phase_began_;
  if (down_) {
    if (const std::optional<Part> part = part_of(phase_)) result_.parts[static_cast<std::size_t>(*part)] += lasted;
  }
  if (phase == core::Phase::kStop && !down_) {
    down_ = true;
    down_since_ = now();
  }
  if (phase_ == core::Phase::kSetup) result_.setup_time = lasted;
  if (phase == core::Phase::kRunning) down_ = false;
  phase_ = phase;
  phase_began_ = now();
  note(10, static_cast<std::uint64_t>(phase));
  if (world_.on_phase) world_.on_phase(static_cast<std::uint32_t>(&options_ - world_.options.migrations.data()), phase);
}

void Migration::round(const core::RoundStats& round) {
  result_.iterations.push_back({round, 0});
  result_.skipped += round.skipped;
  if (!round.stopped && round.took > Nanos{0}) {
    result_.dirty_pages_rate =
        mul_div(round.new_dirty.value, kNanosPerSecond, static_cast<std::uint64_t>(round.took.count()));
  }
  note(20, round.sent.value);
  note(21, round.pending_after.value);
}

void Migration::note(std::uint64_t what, std::uint64_t value) {
  world_.digest.push_back(what << 32 | options_.guest);
  world_.digest.push_back(static_cast<std::uint64_t>(now().count()));
  world_.digest.push_back(value);
}

void Migration::note_set(std::uint64_t what, const PageSet& set) {
  std::uint64_t hash = set.count().value;
  set.for_each_run(set.all(), [&](const PageRun& run) {
    hash = (hash ^ (run.is_mask() ? run.word() : ~run.first())) * 0x9fb21c651e98df25ull;
    hash = (hash ^ (hash >> 32) ^ (run.is_mask() ? run.mask() : run.count())) * 0xd6e8feb86659fd93ull;
  });
  note(what, hash);
}

}  // namespace godwit::sim
