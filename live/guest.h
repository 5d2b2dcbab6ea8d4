#pragma once

#include <ucontext.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "base/units.h"
#include "live/dirty_log.h"

/// A small operating system in a stretch of memory: a key-value store with threads that write it, a service that
/// answers clients, and a thread that migrates. All of its state lies in that memory, at the same addresses wherever it
/// runs: data, stacks, registers of threads that are stopped, and what the migration itself works with. It calls no
/// library but for the migration: it asks the kernel directly, as a kernel asks its hypervisor.
namespace godwit::live {

/// Where guests live, and the pages before it where their machine lives, which does not move.
inline constexpr std::uint64_t kGuestBase = std::uint64_t{0x2000'0000'0000};
inline constexpr std::uint64_t kMachinePages = 32;
inline constexpr std::uint64_t kMachineBase = kGuestBase - kMachinePages * kPageBytes;

inline constexpr std::uint32_t kWritersMax = 8;
inline constexpr std::uint32_t kGuestThreads = kWritersMax + 2;
inline constexpr std::uint64_t kClientSlots = 64;

/// Threads by number: the one that migrates, the one that answers, the ones that write.
inline constexpr std::uint32_t kMigrator = 0;
inline constexpr std::uint32_t kServer = 1;
inline constexpr std::uint32_t kFirstWriter = 2;

/// What a guest is to do.
struct GuestOptions {
  std::uint64_t pages = 4096;         ///< All of its memory.
  std::uint32_t writers = 2;          ///< At most kWritersMax.
  std::uint64_t write_rate = 10'000;  ///< Writes a second, each to one page of the store, by all writers together.
  std::uint64_t hot_pages = 256;      ///< At the start of the store; 0: none.
  Share hot_share = 0;                ///< The share of the writes that go there; the others go to the rest.
  std::uint64_t seed = 1;
};

/// Which page is what. Follows from the options alone.
struct GuestLayout {
  explicit GuestLayout(const GuestOptions& options);

  PageRange stack(std::uint32_t thread) const;
  PageRange header{0, 1};
  PageRange stacks;
  PageRange sender;   ///< What the migration works with: frames, sets, buffers.
  PageRange clients;  ///< The slots that clients write.
  PageRange store;    ///< The slots that the writers write.
  bool fits = false;  ///< The memory is large enough.
};

/// A slot of the store is a page. `check` and the lines follow from its index and its version.
struct Slot {
  static constexpr std::size_t kLines = 63;
  std::uint64_t version = 0;
  std::uint64_t check = 0;
  std::array<std::uint64_t, 6> unused{};
  std::array<std::array<std::uint64_t, 8>, kLines> lines{};  ///< Line version % 63 is written last.
};
static_assert(sizeof(Slot) == kPageBytes);

/// The first page of a guest.
struct GuestHeader {
  static constexpr std::uint64_t kMagic = 0x5453455547544957;
  std::uint64_t magic = 0;
  GuestOptions options;
  std::int64_t stopped_at = 0;  ///< Guest time at which all threads stood.
  std::uint32_t moves = 0;      ///< Times that it has arrived somewhere.
  std::uint32_t moved_itself =
      0;  ///< On the way: the migrating thread goes on at `migrator`, not where it was stopped.
  std::atomic<std::uint32_t> over = 0;  ///< Its threads end.
  std::atomic<std::uint64_t> writes = 0;
  std::atomic<std::uint64_t> late = 0;  ///< Writes dropped because they were more than 50 ms late.
  std::atomic<std::uint64_t> answers = 0;
  std::array<void*, kGuestThreads> registers{};  ///< Of stopped threads: ucontext_t on their stacks.
  ucontext_t migrator;                           ///< Where the migrating thread goes on after a move.
};
static_assert(sizeof(GuestHeader) <= kPageBytes);

/// What the machine shows to its guest, just before the guest's memory. It is another at each host.
struct Machine {
  enum Command : std::uint32_t { kNone, kMigrate };

  std::atomic<std::uint32_t> command = kNone;  ///< For the migrating thread, which sets it back when it is done.
  std::atomic<std::uint32_t> arrivals = 0;     ///< Rises when a guest has arrived: descriptors of before mean nothing.
  std::atomic<std::int32_t> listener = -1;     ///< Where clients come in; -1: nowhere.
  std::atomic<std::int64_t> clock = 0;         ///< Guest time is CLOCK_MONOTONIC plus this.
  std::atomic<std::uint32_t> arrived = 0;      ///< Set while the migrating thread is sent back to `migrator`.
  void (*migrate)() = nullptr;                 ///< What the migrating thread calls at kMigrate.
  std::array<ucontext_t, kGuestThreads> host;  ///< Where threads come from, and go when they end.
};
static_assert(sizeof(Machine) <= kMachinePages * kPageBytes);

inline GuestHeader& guest_header() { return *reinterpret_cast<GuestHeader*>(kGuestBase); }
inline Machine& guest_machine() { return *reinterpret_cast<Machine*>(kMachineBase); }
inline std::byte* guest_page(PageIndex page) { return reinterpret_cast<std::byte*>(kGuestBase + page * kPageBytes); }
inline Slot& guest_slot(PageIndex page) { return *reinterpret_cast<Slot*>(guest_page(page)); }

/// Guest time now: it stands while the guest is stopped and goes on where it stood.
std::int64_t guest_now();

/// What thread `number` runs from its first instruction to its end, on its own stack.
[[noreturn]] void guest_thread(std::uint32_t number);

/// True if the slot at `page` is as a whole write leaves it.
bool slot_is_sound(PageIndex page);

/// Descriptors of the service are this and up, above what its host uses: one that has moved leads nowhere, never
/// elsewhere.
inline constexpr int kServiceDescriptor = 600;

/// What a client asks and hears. Fixed size, in the byte order of the host.
struct Ask {
  enum Kind : std::uint32_t { kGet = 1, kSet = 2 };
  std::uint32_t kind = kGet;
  std::uint32_t key = 0;      ///< Below kClientSlots.
  std::uint64_t version = 0;  ///< kSet: what to write.
};
struct Answer {
  std::uint32_t kind = 0;
  std::uint32_t key = 0;
  std::uint64_t version = 0;  ///< What is there now.
  std::uint64_t moves = 0;    ///< How often the guest has moved.
};

}  // namespace godwit::live
