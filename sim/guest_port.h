#pragma once

#include <optional>

#include "core/ports.h"
#include "models/dirty_limit.h"
#include "sim/context.h"

namespace godwit::sim {

/// The machine at the source.
class GuestPort final : public core::Guest {
 public:
  explicit GuestPort(MigrationContext& context) : c_(context) {}

  core::Await<core::Done> pause() override;
  core::Await<core::Done> freeze() override { return pause(); }
  core::Await<core::Done> resume() override;
  void throttle(Share share) override;
  void limit_dirtying(BitsPerSecond rate, Nanos period) override;
  void fence() override;
  Bytes device_state() const override { return c_.guest.options->device_state; }

 private:
  void measure_after(Nanos period);
  void measure(Nanos period);
  Nanos ring_fills() const;

  MigrationContext& c_;
  std::optional<models::DirtyLimit> dirty_limit_;
  Nanos measured_at_{0};  // guest time
};

}  // namespace godwit::sim
