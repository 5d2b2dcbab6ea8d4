#pragma once

#include <string>

#include "core/destination.h"
#include "live/arrival.h"
#include "live/host.h"

namespace godwit::live {

/// How a migration ended, as its destination knows it.
struct Received {
  bool admitted = true;  ///< False: there was no room for what was announced.
  core::Destination::Outcome outcome = core::Destination::Outcome::kDiscarded;
  Trouble trouble = Trouble::kNone;
  Bytes bytes{0};
  Nanos cpu{0};  ///< Of the calling thread.
  Observer::Figures figures;
};

/// Answers a sender that may come in and has announced so much `memory`, and receives its migration. `self`: the guest
/// moves itself.
Received receive(Stream& stream, Lodging& lodging, Bytes memory_max, bool self, Pages memory = {0});

/// Why the migration ended as it did at the source, for people. `refusal`: what the destination refused with; 0: not.
std::string explain(core::Outcome outcome, Trouble trouble, std::uint64_t refusal);
/// And at the destination.
std::string explain(core::Destination::Outcome outcome, Trouble trouble);

}  // namespace godwit::live
