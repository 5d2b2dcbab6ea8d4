#pragma once

#include "core/ports.h"
#include "sim/context.h"

namespace godwit::sim {

/// The dirty log: the guest's memory draws its writes when somebody looks, and keeps the marks.
class LogPort final : public core::DirtyLog {
 public:
  explicit LogPort(MigrationContext& context) : c_(context) {}

  core::Await<core::Done> start() override;
  core::Await<core::Done> read(PageRange range, PageSet& into) override;
  core::Await<core::Done> clear(PageRange range, const PageSet& mask) override;
  core::Await<core::Done> read_and_clear(PageRange range, PageSet& into) override;
  core::Await<core::Done> peek(std::span<const PageRun> runs, PageSet& into) override;

 private:
  Nanos cost(PageRange range, Nanos each_gib) const;
  Nanos reporting_cost();
  Nanos throttle_wait() const;
  void count_sync();
  PageSet& look(PageRange range);

  MigrationContext& c_;
};

}  // namespace godwit::sim
