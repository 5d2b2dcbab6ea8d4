#pragma once

#include <string>
#include <vector>

#include "base/units.h"

namespace godwit::live {

/// What this host was found to need for one thing that a migration does.
struct Cost {
  std::string name;  ///< As in a host profile; "tracker/..." for the costs of a way of tracking.
  Nanos value{0};
  std::string source;  ///< How it was measured.
};

/// What cannot be a cost of a profile.
struct Calibration {
  std::vector<Cost> costs;
  Nanos round_trip{0};  ///< Of a byte over loopback TCP, from one process to another and back.
  std::string machine;  ///< "Linux 6.18, 2 cores".
};

/// Measures what faults, scans, copies, checksums, sockets, pauses and first touches cost on this host: CPU time where
/// CPU is what it takes, so that others at work here do little to it. Takes some seconds and some 300 MiB. Throws
/// std::runtime_error where the kernel lacks what it takes.
Calibration calibrate();

/// How long a byte takes over loopback TCP, from one thread to another and back: the median of many.
Nanos loopback_round_trip();

}  // namespace godwit::live
