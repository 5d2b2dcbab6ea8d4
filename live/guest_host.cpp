#include "live/guest_host.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "live/clock.h"
#include "live/page_hash.h"

extern "C" const char __executable_start;  // NOLINT(bugprone-reserved-identifier): the linker's name
extern "C" const char etext;

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace godwit::live {

std::optional<std::string> guests_unsupported() {
#if !defined(__x86_64__)
  return "guests that go on in another process are made for x86-64 only";
#else
#if defined(__SANITIZE_THREAD__)
  return "ThreadSanitizer leaves no room at the guests' addresses";
#elif defined(__SANITIZE_ADDRESS__)
  return "AddressSanitizer does not follow threads to stacks of their own";
#endif
  if (::sysconf(_SC_PAGESIZE) != static_cast<long>(kPageBytes)) return "pages of this system are not of 4 KiB";
  if (auto trouble = WriteTracker::unsupported()) {
    return *trouble + "; a guest's stacks cannot be tracked in another way";
  }
  return std::nullopt;
#endif
}

std::uint64_t program_fingerprint() {
  // Where it lies is part of it: a program that is loaded elsewhere is another one to its guests.
  static const std::uint64_t fingerprint = [] {
    const auto begin = reinterpret_cast<std::uintptr_t>(&__executable_start);
    std::uint64_t hash = begin;
    for (std::uintptr_t at = begin; at + kPageBytes <= reinterpret_cast<std::uintptr_t>(&etext); at += kPageBytes) {
      hash = (hash ^ page_hash(reinterpret_cast<const std::byte*>(at))) * 0x9e3779b97f4a7c15;
      hash ^= hash >> 29;
    }
    return hash | 1;
  }();
  return fingerprint;
}

namespace {

/// Private memory of `pages` at `at`, filled at once, so that none is lacking later.
bool map_at(std::uint64_t at, std::uint64_t pages) {
  void* const wanted = reinterpret_cast<void*>(at);
  void* got = ::mmap(wanted, pages * kPageBytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (got == MAP_FAILED) return false;
  ::madvise(got, pages * kPageBytes, MADV_NOHUGEPAGE);  // a write would dirty 512 pages at once
  bool filled = ::madvise(got, pages * kPageBytes, MADV_POPULATE_WRITE) == 0;
  if (!filled && errno == EINVAL) {  // before Linux 5.14
    for (std::uint64_t i = 0; i < pages; ++i) static_cast<volatile char*>(got)[i * kPageBytes] = 0;
    filled = true;
  }
  if (filled) return true;
  ::munmap(got, pages * kPageBytes);
  return false;
}

#if defined(__x86_64__)

/// Goes on where a signal's handler would have returned to: the kernel finds all registers at `context`.
[[noreturn]] void return_to(void* context) {
  asm volatile("mov %0, %%rsp\n\tmov %1, %%eax\n\tsyscall" : : "r"(context), "i"(SYS_rt_sigreturn) : "memory");
  __builtin_unreachable();
}

#else

[[noreturn]] void return_to(void*) { __builtin_trap(); }

#endif

void first_steps(int number) { guest_thread(static_cast<std::uint32_t>(number)); }

}  // namespace

GuestHost::GuestHost() {
  GODWIT_CHECK(map_at(kMachineBase, kMachinePages));
  new (&guest_machine()) Machine;
}

GuestHost::~GuestHost() {
  if (given_away_) return;
  stop();
  release();
  ::munmap(&guest_machine(), kMachinePages * kPageBytes);
}

bool GuestHost::reserve(std::uint64_t pages) {
  GODWIT_CHECK(pages_ == 0);
  if (!map_at(kGuestBase, pages)) return false;
  pages_ = pages;
  return true;
}

void GuestHost::release() {
  if (pages_ > 0) ::munmap(reinterpret_cast<void*>(kGuestBase), pages_ * kPageBytes);
  pages_ = 0;
}

void GuestHost::create(const GuestOptions& options) {
  GODWIT_CHECK(GuestLayout(options).fits && options.pages == pages_ && options.writers <= kWritersMax);
  auto* guest = new (reinterpret_cast<void*>(kGuestBase)) GuestHeader;
  guest->magic = GuestHeader::kMagic;
  guest->options = options;
  fresh_ = true;
}

bool GuestHost::plausible() const {
  const GuestHeader& guest = guest_header();
  if (guest.magic != GuestHeader::kMagic || guest.options.pages != pages_ || guest.options.writers > kWritersMax) {
    return false;
  }
  const GuestLayout layout(guest.options);
  if (!layout.fits) return false;
  for (std::uint32_t i = 0; i < guest.options.writers + kFirstWriter; ++i) {
    if (i == kMigrator && guest.moved_itself != 0) continue;
    const AddressRange stack = memory().range(layout.stack(i));
    const auto at = reinterpret_cast<std::uintptr_t>(guest.registers[i]);
    if (at < stack.begin || at + sizeof(ucontext_t) > stack.end) return false;
  }
  return true;
}

/// A thread of the process becomes thread `number` of the guest, until that ends.
void GuestHost::enter(std::uint32_t number, bool anew) {
  ::prctl(PR_SET_TIMERSLACK, 1);
  GuestHeader& guest = guest_header();
  Machine& machine = guest_machine();
  const bool at_migrator = number == kMigrator && std::exchange(guest.moved_itself, 0) != 0;
  freezer_.join(&guest.registers[number]);
  volatile bool been_there = false;
  ::getcontext(&machine.host[number]);
  if (!been_there) {
    been_there = true;
    first_instant_[number].store(monotonic_now().count());
    if (anew) {
      ucontext_t first;
      ::getcontext(&first);
      const AddressRange stack = memory().range(GuestLayout(guest.options).stack(number));
      first.uc_stack.ss_sp = reinterpret_cast<void*>(stack.begin);
      first.uc_stack.ss_size = stack.end - stack.begin;
      first.uc_link = nullptr;
      ::makecontext(&first, reinterpret_cast<void (*)()>(&first_steps), 1, static_cast<int>(number));
      ::setcontext(&first);
    } else if (at_migrator) {
      ::setcontext(&guest.migrator);
    } else {
      return_to(guest.registers[number]);
    }
  }
  freezer_.leave();
}

Nanos GuestHost::start(UniqueFd listener) {
  GuestHeader& guest = guest_header();
  Machine& machine = guest_machine();
  listener_ = std::move(listener);
  machine.listener.store(listener_.get());
  if (!fresh_) ++guest.moves;
  if (!fresh_) machine.arrivals.fetch_add(1);
  machine.arrived.store(guest.moved_itself);
  machine.clock.store(guest.stopped_at - monotonic_now().count());
  const std::uint32_t count = guest.options.writers + kFirstWriter;
  for (std::uint32_t i = 0; i < count; ++i) threads_.emplace_back(&GuestHost::enter, this, i, fresh_);
  std::int64_t first = INT64_MAX;
  for (std::uint32_t i = 0; i < count; ++i) {
    while (first_instant_[i].load() == 0) sleep_until(monotonic_now() + Nanos{20'000});
    first = std::min(first, first_instant_[i].load());
  }
  return Nanos{first};
}

void GuestHost::stop() {
  if (threads_.empty()) return;
  guest_header().over.store(1);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void GuestHost::command_migration(void (*migrate)()) {
  Machine& machine = guest_machine();
  machine.migrate = migrate;
  machine.command.store(Machine::kMigrate);
  while (machine.command.load() != Machine::kNone) sleep_until(monotonic_now() + Nanos{200'000});
}

void GuestHost::migration_done() { guest_machine().command.store(Machine::kNone); }

void GuestHost::freeze() {
  freezer_.freeze();
  guest_header().stopped_at = guest_now();
}

void GuestHost::thaw() {
  guest_machine().clock.store(guest_header().stopped_at - monotonic_now().count());
  freezer_.thaw();
}

void GuestHost::give_away() {
  given_away_ = true;
  listener_ = {};
  for (int fd = kServiceDescriptor; fd < kServiceDescriptor + 64; ++fd) ::close(fd);
  for (std::thread& thread : threads_) thread.detach();
  threads_.clear();
}

Nanos GuestHost::cpu() const {
  Nanos total{0};
  for (const std::thread& thread : threads_) {
    clockid_t clock{};
    if (::pthread_getcpuclockid(const_cast<std::thread&>(thread).native_handle(), &clock) == 0) total += now_on(clock);
  }
  return total;
}

}  // namespace godwit::live
