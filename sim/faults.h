#pragma once

#include <vector>

#include "sim/context.h"

namespace godwit::sim {

class Channel;

/// The guest of a post-copy at its destination: what it still misses, and who waits for it. A virtual CPU that touches a
/// missing page stands still until that page is there; the others work on.
class Faults {
 public:
  Faults(MigrationContext& context, Channel& channel) : c_(context), channel_(channel) {}

  /// The pages of `record` are missing.
  void miss(const core::Record& record);
  bool any_missing() const { return missing_ && !(*missing_)->empty(); }
  /// Adds all that is missing to `into`.
  void tell(PageSet& into) const;
  /// The guest has started.
  void begin();
  /// Some pages are in place.
  void arrived(const core::Record& record);
  /// Asks again for what is waited for, over a new connection.
  void ask_again();

 private:
  void plan_touch();
  void touched(PageIndex page);
  void ask(PageIndex page);
  void set_stalled(std::uint32_t stalled);

  MigrationContext& c_;
  Channel& channel_;
  std::optional<OwnedPageSet> missing_;
  struct Wait {
    PageIndex page;
    std::uint32_t vcpus;
  };
  std::vector<Wait> waiting_;  // ascending
  std::uint32_t stalled_ = 0;  // of the guest's virtual CPUs
  Nanos stalled_since_{0};
  std::uint64_t draw_ = 0;  // of the touch that counts
  bool running_ = false;
};

}  // namespace godwit::sim
