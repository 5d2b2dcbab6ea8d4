#pragma once

#include <cstdint>

#include "base/check.h"
#include "base/units.h"

/// Oracles that watch every run. They share no code with the core and are never seen by it. The page oracle is in
/// sim/guest_memory.h; that every run ends with a named outcome is checked in sim/run.cpp.
namespace godwit::sim {

/// Every byte that enters a link leaves it or is counted lost. Verifies totals of one migration, not which bytes.
class ByteLedger {
 public:
  void enter(Bytes bytes) { entered_ += bytes; }
  /// Bytes that were about to enter and do not.
  void withdraw(Bytes bytes) {
    GODWIT_CHECK(bytes <= entered_ - left_ - lost_);
    entered_ -= bytes;
  }
  void leave(Bytes bytes) { left_ += bytes; }
  /// Whatever has entered and not left.
  void lose_the_rest() { lost_ = entered_ - left_; }
  Bytes left() const { return left_; }
  /// Requires that nothing is under way.
  void close(Bytes counted_as_sent) const {
    GODWIT_CHECK(entered_ == left_ + lost_);
    GODWIT_CHECK(counted_as_sent == left_);
  }

 private:
  Bytes entered_{0}, left_{0}, lost_{0};
};

/// A guest runs, or may be made to run, in at most one place.
class SingleHome {
 public:
  /// It will never run again where it was.
  void give_up() {
    GODWIT_CHECK(homes_ == 1);
    homes_ = 0;
  }
  /// It starts somewhere else.
  void settle() {
    GODWIT_CHECK(homes_ == 0);
    homes_ = 1;
  }
  /// It has a place where it runs, or could.
  bool somewhere() const { return homes_ == 1; }
  /// It goes on where it was.
  void stay() const { GODWIT_CHECK(homes_ == 1); }
  /// What is left of it is gone.
  void destroy() { homes_ = 0; }

 private:
  std::uint32_t homes_ = 1;
};

}  // namespace godwit::sim
