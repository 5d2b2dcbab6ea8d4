#pragma once

#include <array>
#include <atomic>
#include <span>
#include <vector>

#include "base/page_set.h"
#include "core/source.h"
#include "live/clock.h"

namespace godwit::live {

/// Time as the system tells it, and a command that may come from a signal handler or another thread.
class Control final : public core::Control {
 public:
  Nanos now() const override { return monotonic_now(); }
  core::Await<core::Done> sleep_until(Nanos instant) override {
    live::sleep_until(instant);
    return core::Done{};
  }
  core::Command poll() override { return cancelled_.exchange(false) ? core::Command::kCancel : core::Command::kNone; }
  void cancel() { cancelled_.store(true); }

 private:
  std::atomic<bool> cancelled_ = false;
};

/// Keeps what it is told: when it entered each phase last, and the rounds. Allocates nothing.
class Observer final : public core::Observer {
 public:
  static constexpr std::size_t kPhases = static_cast<std::size_t>(core::Phase::kFailed) + 1;
  static constexpr std::size_t kRoundsKept = 64;

  struct Figures {
    std::array<Nanos, kPhases> last{};  ///< When each phase was entered last; 0: not.
    Nanos stop{0};                      ///< How long the last stop of the threads took.
    core::Phase phase = core::Phase::kSetup;
    Nanos at(core::Phase entered) const { return last[static_cast<std::size_t>(entered)]; }
    std::uint32_t rounds = 0;                          ///< Of all, the stopped ones included.
    std::array<core::RoundStats, kRoundsKept> kept{};  ///< The first of them, and in the last place the last.
  };

  void enter(core::Phase phase) override {
    const Nanos now = monotonic_now();
    if (figures_.phase == core::Phase::kStop) figures_.stop = now - figures_.at(figures_.phase);
    figures_.phase = phase;
    figures_.last[static_cast<std::size_t>(phase)] = now;
  }
  void round(const core::RoundStats& round) override {
    figures_.kept[figures_.rounds < kRoundsKept ? figures_.rounds : kRoundsKept - 1] = round;
    ++figures_.rounds;
  }
  const Figures& figures() const { return figures_; }

 private:
  Figures figures_;
};

}  // namespace godwit::live
