#pragma once

#include <cstdint>
#include <vector>

#include "models/network.h"
#include "sim/engine.h"

namespace godwit::sim {

/// The flows of the network in virtual time: whoever waits for one is told when it is through. A group of flows has one
/// event at most that counts, for the first of them, and one that comes too early looks again; so a change of rates costs
/// an event for each group that it makes faster, however many flows there are.
class Flows {
 public:
  using FlowId = models::Network::FlowId;

  class User {
   public:
    /// What was given to the flow is through.
    virtual void through() = 0;

   protected:
    ~User() = default;
  };

  Flows(Engine& engine, models::Network& network) : engine_(engine), network_(network) {}

  // As in models/network.h, now.
  void set_link(std::uint32_t link, BitsPerSecond available);
  void send(FlowId flow, Bytes bytes, BitsPerSecond cap);
  void rest(FlowId flow);
  void shorten(FlowId flow, Bytes bytes);

  /// Lets `user` know once, when everything given to `flow` is through, unless it rests before.
  void await(FlowId flow, User& user);
  /// Moves time on to that instant, if nothing else happens before.
  bool skip(FlowId flow);

 private:
  using GroupId = models::Network::GroupId;
  struct Look {  // the event that counts
    bool planned = false;
    Nanos at{0};
    std::uint64_t number = 0;
  };

  void plan();
  void plan(GroupId group);
  void look(GroupId group);

  Engine& engine_;
  models::Network& network_;
  std::vector<User*> users_;  // of each flow
  std::vector<Look> looks_;   // of each group
};

}  // namespace godwit::sim
