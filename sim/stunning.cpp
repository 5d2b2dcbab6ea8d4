#include "sim/stunning.h"

namespace godwit::sim {
namespace {

constexpr Nanos kTick{10'000'000};  // Linux at 100 Hz, as the paper's was

}  // namespace

void Stunning::watch() {
  if (c_.options.strategy.stun.faults == 0) return;
  c_.world.engine.schedule(later(c_.now(), kTick), Lane::kFault, [this] {
    if (c_.ended || c_.fenced) return;
    if (!c_.guest.stopped && c_.result.iterations.size() >= c_.options.strategy.stun.after_rounds) look();
    watch();
  });
}

void Stunning::look() {
  c_.world.engine.spend(16 * c_.memory().blocks());
  c_.advance_all();
  const std::span<workloads::Process> processes = c_.memory().processes();
  for (std::size_t p = 0; p < processes.size(); ++p) {
    if (processes[p].stopped() || c_.memory().faults_of_processes()[p] < c_.options.strategy.stun.faults) continue;
    processes[p].stop(c_.guest_now());
    ++c_.result.stunned;
  }
}

void Stunning::over() {
  for (workloads::Process& process : c_.memory().processes()) {
    if (process.stopped()) c_.result.stunned_time += process.go_on(c_.guest_now());
  }
}

Nanos Stunning::stood() const {
  Nanos all = c_.result.stunned_time;
  for (const workloads::Process& process : c_.memory().processes()) all += process.standing(c_.guest_now());
  return all;
}

}  // namespace godwit::sim
