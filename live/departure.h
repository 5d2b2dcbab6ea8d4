#pragma once

#include <sys/mman.h>

#include <new>
#include <span>

#include "live/admission.h"
#include "live/guest_host.h"
#include "live/host.h"
#include "live/receiver.h"

namespace godwit::live {

/// A value that this process shares with those that it forks from then on.
template <class T>
class Shared {
 public:
  Shared() : at_(new (space(sizeof(T))) T) {}
  ~Shared() { ::munmap(static_cast<void*>(at_), sizeof(T)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  T* operator->() const { return at_; }
  T& operator*() const { return *at_; }

 private:
  static void* space(std::size_t bytes) {
    void* got = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    GODWIT_CHECK(got != MAP_FAILED);
    return got;
  }
  T* at_;
};

/// The hash of each page at its snapshot instant.
inline constexpr std::uint64_t kHashedPagesMax = 1 << 19;  // 2 GiB
using PageHashes = std::array<std::uint64_t, kHashedPagesMax>;

/// How a guest is moved.
struct DepartureOptions {
  core::Plan plan;
  Address to;
  Token token;
  Nanos stall_max{10'000'000'000};
  bool verify = true;           ///< Take the hash of every page.
  bool without_shadow = false;  ///< A broken self-checkpoint, to see that it is found out.
};

/// What the source knows when it is over.
struct Departure {
  bool admitted = false;
  std::array<char, 160> refused{};  ///< Why it was not let in.
  core::Outcome outcome = core::Outcome::kLinkBroken;
  Trouble trouble = Trouble::kNone;
  std::uint64_t refusal = 0;
  Observer::Figures figures;
  Bytes bytes{0};            ///< All that went out.
  Nanos began{0};            ///< When it was asked for.
  Nanos committed{0};        ///< When COMMIT had gone out; 0: it has not.
  Nanos cpu{0};              ///< Of whoever sent.
  Nanos guest_cpu{0};        ///< Of the guest's other threads, meanwhile.
  std::uint64_t faults = 0;  ///< First writes to protected pages, and other faults of the guest's process meanwhile.
  Pages shadow{0};           ///< Pages in the shadow.
  Pages sender{0};           ///< Of those reported by the last log read while it ran, the sender's own.
  std::atomic<bool> over = false;

  bool completed() const { return admitted && outcome == core::Outcome::kCompleted; }
};

/// The guest is no longer the source's: it runs at the destination, or may.
inline bool has_left(const Departure& departure) {
  return departure.outcome == core::Outcome::kCompleted || departure.outcome == core::Outcome::kInDoubt;
}

/// Page faults of this process so far that needed no device: first writes to protected pages are among them.
std::uint64_t faults_so_far();

/// The guest of `host` moves itself: its own thread runs the core on its own stack. Blocks until it is over, and gives
/// the guest away where it has left or may have.
void depart_by_itself(GuestHost& host, const DepartureOptions& options, Departure& result, PageHashes* hashes);

/// A process beside the guest's that moves it from outside, as a hypervisor does. It is made before the guest, so that
/// it shares no memory with it.
class Hypervisor {
 public:
  Hypervisor(const DepartureOptions& options, Departure& result, PageHashes* hashes);
  ~Hypervisor();
  Hypervisor(const Hypervisor&) = delete;
  Hypervisor& operator=(const Hypervisor&) = delete;

  /// Has it move the guest of `host`; obeys it until it is over, and gives the guest away where it has left or may have.
  void move(GuestHost& host);

 private:
  UniqueFd control_;
  Departure& result_;
  pid_t child_ = -1;
};

/// Where a guest arrives.
struct ArrivalOptions {
  Token token;
  Bytes memory_max{std::uint64_t{1} << 31};
  Nanos patience{60'000'000'000};  ///< For the sender to come.
  Nanos stall_max{10'000'000'000};
  Address service;   ///< Where clients will find the guest.
  bool self = true;  ///< The guest moves itself.
  bool verify = true;
};

/// What the destination knows when it is over.
struct GuestArrival {
  bool admitted = false;
  Received received;
  Nanos hashing{0};  ///< Spent on the hashes, within the downtime.
  Nanos runs_at{0};  ///< Just before the guest's first instruction here; 0: it does not run.
  std::atomic<bool> over = false;
};

/// Lets a sender in at `listener` and receives its guest into `host`, where it runs if all went well.
void receive_guest(GuestHost& host, int listener, const ArrivalOptions& options, GuestArrival& result,
                   PageHashes* hashes);

}  // namespace godwit::live
