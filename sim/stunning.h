#pragma once

#include "sim/context.h"

namespace godwit::sim {

/// A thread of the guest's kernel that keeps processes from running which write to too many pages while the guest is
/// moved: they wait until it has been. It looks once a tick, so that one has written somewhat more by then than it may.
/// Source: Clark et al. 2005, section 5.5.
class Stunning {
 public:
  explicit Stunning(MigrationContext& context) : c_(context) {}

  /// From now on, until the migration has ended or the guest is no longer here.
  void watch();
  /// The guest has moved, or will not: all go on.
  void over();
  /// For how long processes have stood, together, in the guest's time.
  Nanos stood() const;

 private:
  void look();

  MigrationContext& c_;
};

}  // namespace godwit::sim
