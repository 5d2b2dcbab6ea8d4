#include "sim/channel.h"

#include <algorithm>
#include <stdexcept>

#include "sim/faults.h"

namespace godwit::sim {
namespace {

BitsPerSecond tighter(BitsPerSecond a, BitsPerSecond b) {
  if (a.value == 0) return b;
  if (b.value == 0) return a;
  return std::min(a, b);
}

}  // namespace

void Channel::open() {
  const models::Topology& ways = c_.world.network.topology();
  if (c_.options.file) file_.emplace(c_);
  route_ = ways.route(c_.source_host, c_.world.target(c_.index()));
  if (route_.empty())
    throw std::runtime_error("no way from " + c_.world.options.hosts[c_.source_host].name + " to " +
                             c_.world.options.hosts[c_.options.to].name);
  latency_ = ways.latency(route_);
  bottleneck_ = ways.bottleneck(route_);
  c_.flow = c_.world.network.open(route_);
  links_changed();
}

// ---------------------------------------------------------------- sending

core::Await<core::Sent> Channel::send(const core::Record& record, const core::SendLimit& limit) {
  if (broken_) return core::Sent{.stop = core::SendStop::kBroken};
  if (mailbox_ && mailbox_->kind == core::Message::Kind::kRefused && record.type != core::RecordType::kAbort) {
    refusal_ = mailbox_->value;
    return core::Sent{.stop = core::SendStop::kRefused};
  }
  record_ = record;
  if (record.runs.empty() && record.charge.fixed.value == 0) {
    send_control(record);
    return core::Sent{};
  }
  size_ = core::size_of(record.runs, record.charge);
  const Bytes bytes = size_.bytes + record.charge.fixed;
  cpu_ = cpu_of(record, size_);
  const models::Network& network = c_.world.network;
  const Flows::FlowId flow = *c_.flow;
  own_cap_ = own_cap_of(bytes, limit.rate);
  c_.world.flows.send(flow, bytes, cap_of(bytes));
  ledger_.enter(bytes);
  outcome_ = {.pages = size_.pages, .bytes = bytes, .stop = core::SendStop::kDone};
  if (limit.not_after < kNever && network.finish(flow) > limit.not_after && size_.pages.value > 0) cut_at(limit);

  const Nanos finish = network.finish(flow);
  const Nanos stretch = finish - c_.now();
  if (c_.self()) {
    const Bytes in_flight = carried(network.rate(flow), latency_ * 2);
    const std::uint64_t page = c_.memory().page_size().value;
    c_.sender.sends(c_.memory(), {(in_flight.value + page - 1) / page});
  }
  if (finish != kNever && stretch > Nanos{0}) {
    const auto cpu = static_cast<std::uint64_t>((cpu_.copy + cpu_.protocol).count());
    const Share share = mul_div(cpu, kWhole, static_cast<std::uint64_t>(stretch.count()));
    c_.plan_guest(std::min(kWhole * threads(), share), stretch);
  }
  if (c_.destination_dead) {  // nothing arrives any more, and nobody says so
    c_.rest_flow();
  } else if (c_.world.flows.skip(flow)) {
    through_the_wire();
    return outcome_;
  } else {
    c_.world.flows.await(flow, *this);
  }
  sending_ = true;
  return sent_;
}

void Channel::send_control(const core::Record& record) {
  if (record.type == core::RecordType::kHello) return hand_to_destination(record);
  c_.rest_flow();
  post(record);
}

/// What `record` costs in CPU time.
Channel::Cpu Channel::cpu_of(const core::Record& record, const core::BatchSize& size) const {
  if (!core::carries_pages(record.type)) return {};
  const auto normal = static_cast<std::int64_t>((size.pages - size.zero).value);
  const models::CostProfile& here = c_.source_profile();
  const models::CostProfile& there = c_.destination_profile();
  Cpu cpu;
  if (c_.options.strategy.plan.detect_zero)
    cpu.copy += here.zero_test_page * static_cast<std::int64_t>(size.pages.value);
  cpu.copy += (record.charge.delta ? here.delta_page : here.copy_page) * normal;
  if (!c_.self()) cpu.copy += here.map_batch * normal / 1024;
  cpu.protocol = here.protocol_page * normal;
  cpu.apply = (there.apply_page + there.protocol_page) * normal;
  if (there.first_touch_page > Nanos{0})
    cpu.apply += there.first_touch_page * static_cast<std::int64_t>(c_.memory().first_touches(record.runs));
  const auto zero = static_cast<std::int64_t>(size.zero.value);
  cpu.copy += here.zero_page * zero;
  cpu.apply += there.zero_page * zero;
  return cpu;
}

/// The limit, or what the sender's CPUs can do where that is less.
BitsPerSecond Channel::own_cap_of(Bytes bytes, BitsPerSecond limit) const {
  if (c_.source_profile().cpu_unlimited) return limit;
  return tighter(limit, models::cpu_bound(bytes, cpu_.copy + cpu_.protocol, c_.sender_share() * threads()));
}

/// That, or what the receiver's CPUs can do.
BitsPerSecond Channel::cap_of(Bytes bytes) const {
  if (c_.destination_profile().cpu_unlimited) return own_cap_;
  return tighter(own_cap_, models::cpu_bound(bytes, cpu_.apply, c_.receiver_share() * threads()));
}

/// Shortens the record on its way to what will have gone by `limit.not_after`, as things stand now.
void Channel::cut_at(const core::SendLimit& limit) {
  const Nanos left = std::max(limit.not_after - c_.now(), Nanos{0});
  const Bytes by_then = carried(c_.world.network.rate(*c_.flow), left);
  const std::uint64_t pages =
      core::pages_beyond(record_.runs, record_.charge, by_then, {1}).value + limit.granule.value - 1;
  cut_to({pages / limit.granule.value * limit.granule.value}, core::SendStop::kLimit);
}

/// Shortens the record on its way to its first `pages`.
void Channel::cut_to(Pages wanted, core::SendStop why) {
  const std::uint64_t pages = wanted.value;
  const std::uint64_t whole = outcome_.pages.value;
  if (pages >= whole) return;
  if (runs_.empty() || record_.runs.data() != runs_.data()) runs_.assign(record_.runs.begin(), record_.runs.end());
  PageRun rest;
  const std::size_t kept = core::keep_first(std::span(runs_).first(record_.runs.size()), wanted, rest);
  record_.runs = std::span<const PageRun>(runs_).first(kept);
  size_ = core::size_of(record_.runs, record_.charge);
  const Bytes bytes = size_.bytes + record_.charge.fixed;
  ledger_.withdraw(outcome_.bytes - bytes);
  outcome_ = {.pages = size_.pages, .bytes = bytes, .stop = why};
  c_.world.flows.shorten(*c_.flow, bytes);
  for (Nanos* cpu : {&cpu_.copy, &cpu_.protocol, &cpu_.apply})
    *cpu = Nanos{static_cast<std::int64_t>(mul_div(static_cast<std::uint64_t>(cpu->count()), pages, whole))};
}

void Channel::through() {
  sending_ = false;
  through_the_wire();
  sent_.complete(outcome_);
  c_.progressed();
}

/// The record's last byte has left: its pages were read on the way, and go to the destination.
void Channel::through_the_wire() {
  ledger_.leave(outcome_.bytes);
  c_.bill(Side::kSource, Activity::kCopy, cpu_.copy);
  c_.bill(Side::kSource, Activity::kProtocol, cpu_.protocol);
  c_.bill(Side::kDestination, Activity::kApply, cpu_.apply);
  MigrationResult& result = c_.result;
  result.transferred += outcome_.bytes;
  (c_.down ? result.in_downtime : c_.fenced ? result.postcopy : result.precopy) += outcome_.bytes;
  if (core::carries_pages(record_.type)) {
    (record_.charge.delta ? result.deltas : result.normal) += size_.pages - size_.zero;
    result.duplicate += size_.zero;
  }
  if (record_.type == core::RecordType::kPages) c_.memory().gathered(record_.runs);
  if (c_.arrived && core::carries_pages(record_.type)) outcome_.payload_crc = wire_.gather(record_);
  hand_to_destination(record_);
  c_.memory().handed_over();
  if (c_.self()) c_.sender.sent(c_.memory(), result);
}

/// What is on its way stays where it is.
void Channel::give_up_sending(core::SendStop why) {
  sending_ = false;
  ledger_.lose_the_rest();
  sent_.complete({.stop = why});
}

// ---------------------------------------------------------------- messages

void Channel::hand_to_destination(const core::Record& record) {
  if (file_) {
    if (const std::optional<core::Record> answer = file_->take(record, std::exchange(corrupt_next_, false)))
      reply(*answer);
    return;
  }
  const bool corrupt = std::exchange(corrupt_next_, false);
  using Kind = core::Arrival::Incoming::Kind;
  const core::Arrival::Incoming what = c_.arrived
                                           ? wire_.carry(record, corrupt)
                                           : core::Arrival::Incoming{corrupt ? Kind::kCorrupt : Kind::kRecord, record};
  if (c_.fenced && core::carries_pages(record.type)) return fly(what);
  if (incoming_.awaited()) return incoming_.complete(what);
  inbox_.push_back(held(what));
}

/// Sends a control message: it arrives one latency later, or as long after the way is free again. Pages go over at
/// once while nobody looks at the destination, which is until COMMIT.
void Channel::post(const Letter& what) {
  if (broken_ || c_.destination_dead) return;
  posts_.push_back({next_post_++, what});
  if (!stalled_) schedule_post(posts_.back().number);
}

void Channel::schedule_post(std::uint64_t number) {
  c_.world.engine.schedule(later(c_.now(), latency_), Lane::kDelivery, [this, number, plan = post_plan_] {
    if (plan != post_plan_ || posts_.empty() || posts_.front().number != number) return;
    const Letter what = posts_.front().what;
    posts_.pop_front();
    deliver(what);
    c_.progressed();
  });
}

void Channel::deliver(const Letter& what) {
  if (const auto* record = std::get_if<core::Record>(&what)) return hand_to_destination(*record);
  if (const auto* page = std::get_if<PageIndex>(&what)) {
    requests_.push_back(*page);
    return interrupt(core::SendStop::kUrgent);
  }
  const auto& message = std::get<core::Message>(what);
  if (message_.awaited()) {
    if (message.kind == core::Message::Kind::kRefused) refusal_ = message.value;
    message_.complete(message);
  } else {
    mailbox_ = message;
  }
}

core::Await<core::Message> Channel::receive() {
  if (broken_) return core::Message{core::Message::Kind::kBroken, 0};
  if (mailbox_) {
    const core::Message message = *mailbox_;
    mailbox_.reset();
    if (message.kind == core::Message::Kind::kRefused) refusal_ = message.value;
    return message;
  }
  c_.rest_flow();
  return message_;
}

PageIndex Channel::next_request() {
  if (requests_.empty()) return core::kNoPage;
  const PageIndex page = requests_.front();
  requests_.pop_front();
  return page;
}

/// The guest waits for these pages, so it matters when they are there: one latency later.
void Channel::fly(const core::Arrival::Incoming& what) {
  flying_.push_back(held(what));
  c_.world.engine.schedule(later(c_.now(), latency_), Lane::kDelivery, [this, plan = flight_plan_] {
    if (plan != flight_plan_) return;
    std::unique_ptr<Held> landed = std::move(flying_.front());
    flying_.pop_front();
    if (!incoming_.awaited()) return inbox_.push_back(std::move(landed));
    incoming_.complete(look_at(std::move(landed)));
    c_.progressed();
  });
}

/// With a copy of what it points to, for its sender takes that back.
std::unique_ptr<Channel::Held> Channel::held(const core::Arrival::Incoming& what) {
  if (spare_.empty()) spare_.push_back(std::make_unique<Held>());
  std::unique_ptr<Held> held = std::move(spare_.back());
  spare_.pop_back();
  held->what = what;
  held->runs.assign(what.record.runs.begin(), what.record.runs.end());
  held->payload.assign(what.record.payload.begin(), what.record.payload.end());
  held->what.record.runs = held->runs;
  held->what.record.payload = held->payload;
  return held;
}

core::Arrival::Incoming Channel::look_at(std::unique_ptr<Held> held) {
  if (taken_) spare_.push_back(std::move(taken_));
  taken_ = std::move(held);
  return taken_->what;
}

core::Await<core::Arrival::Incoming> Channel::next() {
  if (!inbox_.empty()) {
    std::unique_ptr<Held> first = std::move(inbox_.front());
    inbox_.pop_front();
    return look_at(std::move(first));
  }
  if (broken_) return core::Arrival::Incoming{};
  return incoming_;
}

void Channel::reply(const core::Record& record) {
  using Kind = core::Message::Kind;
  const core::Record said = c_.arrived ? wire_.carry(record, false).record : record;
  post(core::Message{said.type == core::RecordType::kReady ? Kind::kReady : Kind::kRefused, said.value});
}

// ---------------------------------------------------------------- what befalls it

void Channel::interrupt(core::SendStop why) {
  if (!sending_ || !core::carries_pages(record_.type)) return;
  if (c_.destination_dead || c_.world.network.rate(*c_.flow).value == 0) {
    c_.rest_flow();
    give_up_sending(why);
    return c_.progressed();
  }
  const Bytes gone = c_.world.network.gone(c_.now(), *c_.flow) + taken_over(why);
  cut_to(core::pages_beyond(record_.runs, record_.charge, gone, {1}), why);
}

/// What the source's host has taken over of what is sent unasked, so that it goes before a page that is asked for: a
/// buffer full, where the sender is ahead of link and receiver.
Bytes Channel::taken_over(core::SendStop why) const {
  if (why != core::SendStop::kUrgent || c_.options.strategy.plan.postcopy.preempt) return {0};
  const bool ahead = own_cap_.value == 0 || c_.world.network.rate(*c_.flow) < own_cap_;
  return ahead ? c_.source_profile().send_buffer : Bytes{0};
}

void Channel::links_changed() {
  if (broken_) return;
  const bool up = c_.world.network.up(route_) && !c_.destination_dead;
  if (!up && !stalled_) stall();
  if (up && stalled_) {
    stalled_ = false;
    ++stall_number_;
    for (const Post& each : posts_) schedule_post(each.number);
  }
}

/// Nothing gets through. What is on its way waits, until the connection is given up.
void Channel::stall() {
  stalled_ = true;
  ++post_plan_;
  c_.world.engine.schedule(later(c_.now(), c_.options.connection_timeout), Lane::kFault,
                           [this, number = ++stall_number_] {
                             if (stalled_ && number == stall_number_) break_connection();
                           });
}

core::Await<bool> Channel::reconnect(PageSet& lacking) {
  if (c_.destination_over()) return false;
  lacking_ = &lacking;
  return source_again_;
}

core::Await<bool> Channel::reconnect_destination() {
  if (!broken_) hang_up();  // something came that cannot be used
  return destination_again_;
}

/// Once whoever is to hear of it waits.
void Channel::hang_up() {
  c_.world.engine.schedule(c_.now(), Lane::kFault, [this] { break_connection(); });
}

void Channel::recover(Faults& faults) {
  if (!waits_for_recovery() || !destination_again_.awaited() || !c_.world.network.up(route_)) return;
  broken_ = stalled_ = false;
  ++stall_number_;
  requests_.clear();
  lacking_->clear();
  faults.tell(*lacking_);
  destination_again_.complete(true);
  source_again_.complete(true);
  faults.ask_again();
  c_.progressed();
}

void Channel::destination_died() {
  if (sending_) c_.rest_flow();  // nothing that is on its way arrives
  links_changed();
}

void Channel::abandon() {
  c_.rest_flow();
  ledger_.lose_the_rest();
  sending_ = false;
  ++post_plan_;
  posts_.clear();
}

void Channel::close() {
  if (!c_.flow) return;
  ++post_plan_;  // what is still on its way finds nobody
  posts_.clear();
  c_.rest_flow();
  c_.world.network.close(*c_.flow);
  c_.flow.reset();
}

/// Both ends give up. Whoever waits for the other hears so.
void Channel::break_connection() {
  if (c_.ended || broken_) return;
  broken_ = true;
  posts_.clear();
  flying_.clear();
  ++flight_plan_;
  c_.rest_flow();
  if (incoming_.awaited() && !c_.destination_dead) incoming_.complete({});
  if (sending_) {
    give_up_sending(core::SendStop::kBroken);
  } else if (message_.awaited()) {
    message_.complete({core::Message::Kind::kBroken, 0});
  }
  c_.progressed();
}

}  // namespace godwit::sim
