#include "sim/flows.h"

#include <algorithm>

namespace godwit::sim {

void Flows::set_link(std::uint32_t link, BitsPerSecond available) {
  network_.set_link(engine_.now(), link, available);
  plan();
}

void Flows::send(FlowId flow, Bytes bytes, BitsPerSecond cap) {
  network_.send(engine_.now(), flow, bytes, cap);
  plan();
}

void Flows::rest(FlowId flow) {
  network_.rest(engine_.now(), flow);
  plan();
}

void Flows::shorten(FlowId flow, Bytes bytes) {
  network_.shorten(flow, bytes);
  plan();
}

void Flows::await(FlowId flow, User& user) {
  if (users_.size() <= flow) users_.resize(flow + 1);
  users_[flow] = &user;
  network_.await(flow);
  plan();
}

bool Flows::skip(FlowId flow) {
  const Nanos finish = network_.finish(flow);
  if (finish == kNever || !engine_.skip_to(finish)) return false;
  network_.through(finish, flow);
  return true;
}

void Flows::plan() {
  for (const GroupId group : network_.take_changed()) plan(group);
}

void Flows::plan(GroupId group) {
  if (!network_.waits(group)) return;
  const Nanos next = std::max(network_.next_through(group), engine_.now());
  if (looks_.size() <= group) looks_.resize(group + 1);
  Look& planned = looks_[group];
  if (planned.planned && planned.at <= next) return;
  planned = {true, next, planned.number + 1};
  engine_.schedule(next, Lane::kCore, [this, group, number = planned.number] {
    if (looks_[group].number == number) look(group);
  });
}

/// Tells of those that are through, in order. What they do may change the group.
void Flows::look(GroupId group) {
  looks_[group].at = engine_.now();  // so that nothing is planned meanwhile
  while (const auto flow = network_.take_through(engine_.now(), group)) users_[*flow]->through();
  looks_[group].planned = false;
  plan(group);
}

}  // namespace godwit::sim
