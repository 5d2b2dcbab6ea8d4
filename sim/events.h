#pragma once

#include <deque>

#include "sim/migration.h"

namespace godwit::sim {

/// Lets the events of a scenario happen to a world and its migrations. Both must outlive the run.
class Events {
 public:
  Events(World& world, std::deque<Migration>& migrations);

 private:
  void schedule(const EventOptions& event);
  void happen(const EventOptions& event);
  void set_link(const EventOptions& event, BitsPerSecond available);

  World& world_;
  std::deque<Migration>& migrations_;
  std::vector<bool> triggered_;
};

}  // namespace godwit::sim
