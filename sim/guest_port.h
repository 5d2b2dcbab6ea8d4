#pragma once

#include "core/ports.h"
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
  void fence() override;
  Bytes device_state() const override { return c_.guest.options->device_state; }

 private:
  MigrationContext& c_;
};

}  // namespace godwit::sim
