#include "sim/faults.h"

#include <algorithm>

#include "sim/channel.h"

namespace godwit::sim {

void Faults::miss(const core::Record& record) {
  if (!missing_) missing_.emplace(c_.memory().size(), &c_.world.arena.pages());
  for (const PageRun& run : record.runs) (*missing_)->add(run);
}

void Faults::tell(PageSet& into) const {
  if (missing_) into.add(**missing_, (*missing_)->all());
}

void Faults::begin() {
  running_ = true;
  plan_touch();
}

/// The guest's next touch of a missing page, if nothing changes its speed before.
void Faults::plan_touch() {
  const std::uint64_t draw = ++draw_;
  const Share speed = c_.guest.clock.speed();
  if (!running_ || speed == 0 || !any_missing()) return;
  const Nanos guest_now = c_.guest_now();
  const workloads::Workload::Touch next = c_.memory().workload().next_touch(**missing_, guest_now, draw);
  if (next.at == kNever) return;
  const auto ahead = static_cast<std::uint64_t>((next.at - guest_now).count());
  const Nanos when = later(c_.now(), saturating_nanos(mul_div_up(ahead, kWhole, speed)));
  if (when == kNever) return;
  c_.world.engine.schedule(when, Lane::kCore, [this, draw, page = next.page] {
    if (draw != draw_ || c_.ended) return;
    if ((*missing_)->contains(page)) touched(page);
    plan_touch();
  });
}

void Faults::touched(PageIndex page) {
  set_stalled(stalled_ + 1);
  const auto wait = std::ranges::lower_bound(waiting_, page, {}, &Wait::page);
  if (wait != waiting_.end() && wait->page == page) {
    ++wait->vcpus;
    return;
  }
  waiting_.insert(wait, {page, 1});
  ++c_.result.postcopy_requests;
  ask(page);
}

/// The fault is taken, then the request goes out.
void Faults::ask(PageIndex page) {
  const Nanos fault = c_.destination_profile().missing_fault;
  c_.bill(Side::kDestination, Activity::kTrack, fault);
  c_.world.engine.schedule(later(c_.now(), fault), Lane::kDelivery, [this, page] {
    if (!c_.ended && (*missing_)->contains(page)) channel_.request(page);
  });
}

void Faults::ask_again() {
  for (const Wait& wait : waiting_) ask(wait.page);
}

void Faults::arrived(const core::Record& record) {
  if (!missing_) return;
  for (const PageRun& run : record.runs) (*missing_)->remove(run);
  std::uint32_t released = 0;
  std::erase_if(waiting_, [&](const Wait& wait) {
    const bool here = !(*missing_)->contains(wait.page);
    if (here) released += wait.vcpus;
    return here;
  });
  if (!running_ || released == 0) return;
  set_stalled(stalled_ - released);
  plan_touch();
}

void Faults::set_stalled(std::uint32_t stalled) {
  const std::uint32_t all = c_.guest.options->vcpus;
  c_.result.postcopy_stall += (c_.now() - stalled_since_) * stalled_ / all;
  stalled_ = stalled;
  stalled_since_ = c_.now();
  c_.guest.clock.set_speed(c_.now(), kWhole * (all - stalled_) / all);
}

}  // namespace godwit::sim
