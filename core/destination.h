#pragma once

#include <span>

#include "core/plan.h"
#include "core/ports.h"
#include "core/task.h"

namespace godwit::core {

/// The receiving side: puts pages in place, says READY when everything has arrived and is loaded, and runs the guest
/// on COMMIT, never before.
class Destination {
 public:
  enum class Outcome : std::uint8_t {
    kRunning,
    kDiscarded,
    kInDoubt,
    kStranded,  ///< The guest runs here, and the rest of its memory will not come.
  };

  /// `self`: the guest moved itself, and remaps its page tables on arrival. `frames`: 4 KiB suffice.
  Destination(bool self, Arrival& arrival, Observer& observer, std::span<std::byte> frames)
      : self_(self), arrival_(arrival), observer_(observer), frames_(frames) {}

  Task<Outcome> run();

  FrameStack& frames() { return frames_; }

 private:
  Task<bool> conclude(std::uint64_t hash);
  Task<Outcome> fill_in();
  void refuse(Refusal why);

  bool self_;
  Arrival& arrival_;
  Observer& observer_;
  FrameStack frames_;
  StreamHash hash_;
  std::uint64_t next_sequence_ = 0;
  Bytes device_state_{0};
  bool refused_ = false;
  bool missing_ = false;  // some of the memory follows after COMMIT
};

}  // namespace godwit::core
