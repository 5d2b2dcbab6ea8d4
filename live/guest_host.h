#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "live/freezer.h"
#include "live/guest.h"
#include "live/stream.h"

namespace godwit::live {

/// Why guests cannot run here, or nothing where they can.
std::optional<std::string> guests_unsupported();

/// What code this process runs, as a number: a guest goes on only in another process of the same program, whose
/// functions are at the same addresses.
std::uint64_t program_fingerprint();

/// The machine that a guest runs on: a process. Threads of the process are its virtual CPUs, one for each thread of the
/// guest. One guest in a process.
class GuestHost {
 public:
  GuestHost();
  ~GuestHost();
  GuestHost(const GuestHost&) = delete;
  GuestHost& operator=(const GuestHost&) = delete;

  /// Memory for a guest, all of it there. False: there is not enough.
  bool reserve(std::uint64_t pages);
  void release();
  Span memory() const { return {kGuestBase, pages_}; }

  /// Makes a new guest in the memory. Requires that its layout fits.
  void create(const GuestOptions& options);
  /// True if what lies in the memory can be a guest that has arrived.
  bool plausible() const;

  /// Starts the threads: of a new guest, or of one that has arrived, each where it stood. Clients come in at
  /// `listener`. Returns the instant just before the first of them goes on.
  Nanos start(UniqueFd listener);
  /// Lets the guest come to its end, and waits for it.
  void stop();

  /// Has the guest's own thread call `migrate`, and waits until it is done.
  void command_migration(void (*migrate)());
  /// Called by that thread where it does not return from `migrate`.
  void migration_done();

  /// Stops and continues all threads but, where the guest moves itself, the one that does it. Guest time stands still.
  void freeze();
  void thaw();
  /// The guest is no longer of this machine: its clients are sent away, and its threads, which stand, never go on. Its
  /// memory stays as it is until the process ends.
  void give_away();

  /// CPU time of all its threads so far.
  Nanos cpu() const;

 private:
  void enter(std::uint32_t number, bool anew);

  std::uint64_t pages_ = 0;
  Freezer freezer_{Freezer::Where::kInProgram};
  std::vector<std::thread> threads_;
  std::array<std::atomic<std::int64_t>, kGuestThreads> first_instant_{};
  UniqueFd listener_;
  bool fresh_ = false;
  bool given_away_ = false;
};

/// The guest's threads as a core::Guest.
class HostedGuest final : public core::Guest {
 public:
  explicit HostedGuest(GuestHost& host) : host_(host) {}
  core::Await<core::Done> pause() override { return host_.freeze(), core::Done{}; }
  core::Await<core::Done> freeze() override { return host_.freeze(), core::Done{}; }
  core::Await<core::Done> resume() override { return host_.thaw(), core::Done{}; }
  void fence() override {}  // all its threads stand, and nobody lets them go on
  Bytes device_state() const override { return {0}; }

 private:
  GuestHost& host_;
};

}  // namespace godwit::live
