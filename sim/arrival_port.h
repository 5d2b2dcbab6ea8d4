#pragma once

#include "core/ports.h"
#include "sim/channel.h"
#include "sim/context.h"
#include "sim/faults.h"

namespace godwit::sim {

/// The machine and the stream at the destination.
class ArrivalPort final : public core::Arrival {
 public:
  ArrivalPort(MigrationContext& context, Channel& channel, Faults& faults)
      : c_(context), channel_(channel), faults_(faults) {}

  core::Await<Incoming> next() override { return channel_.next(); }
  void reply(const core::Record& record) override { channel_.reply(record); }
  bool reserve(Pages) override { return !c_.world.hosts[c_.options.to].refuses_memory; }
  void apply(const core::Record& record) override {
    c_.arrive(record);
    faults_.arrived(record);
  }
  void miss(const core::Record& record) override { faults_.miss(record); }
  core::Await<bool> reconnect() override { return channel_.reconnect_destination(); }
  core::Await<core::Done> load_device_state(Bytes size) override;
  core::Await<core::Done> inflate() override;
  core::Await<core::Done> run() override;
  void discard() override {}

 private:
  MigrationContext& c_;
  Channel& channel_;
  Faults& faults_;
};

}  // namespace godwit::sim
