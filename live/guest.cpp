#include "live/guest.h"

#include "live/sender.h"

// This code runs on the guest's own stacks and goes on, in the midst of any function, in another process. So it must
// not hold anything of the process: no library's state, no thread-local storage, no stack guard (the build leaves it
// out for this file). Calls without state, such as memcpy, do no harm: no thread is stopped while in a library.
#if defined(__x86_64__)

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include <cerrno>

namespace godwit::live {

GuestLayout::GuestLayout(const GuestOptions& options) {
  PageIndex next = header.end();
  const auto place = [&](std::uint64_t pages) {
    const PageRange range{next, pages};
    next += pages;
    return range;
  };
  stacks = place(64 + 16 * std::uint64_t{1 + options.writers});
  sender = place((SenderSpace::size_for({options.pages}) + 2 * kPageBytes) / kPageBytes + 1);
  clients = place(kClientSlots);
  fits = next < options.pages;
  store = place(fits ? options.pages - next : 0);
}

PageRange GuestLayout::stack(std::uint32_t thread) const {
  return thread == kMigrator ? PageRange{stacks.first, 64} : PageRange{stacks.first + 64 + 16 * (thread - 1), 16};
}

namespace {

// ---------------------------------------------------------------- the kernel, without the library

long ask(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
  long result = number;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  asm volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
  return result;  // -errno where it failed
}

template <class T>
long address(T* at) {
  return reinterpret_cast<long>(at);
}

void sleep_for(std::int64_t nanos) {
  timespec time{.tv_sec = nanos / 1'000'000'000, .tv_nsec = nanos % 1'000'000'000};
  ask(SYS_nanosleep, address(&time));
}

// ---------------------------------------------------------------- the store

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  std::uint64_t z = a * 0x9e3779b97f4a7c15 + b;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

void write_slot(PageIndex page, std::uint64_t version) {
  Slot& slot = guest_slot(page);
  auto& line = slot.lines[version % Slot::kLines];
  for (std::size_t i = 0; i < line.size(); ++i) line[i] = mixed(page, version + i);
  slot.check = mixed(version, page);
  slot.version = version;
}

/// Draws numbers below a bound. Its state lies on the stack of who draws, and moves with it.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() { return mixed(++state_, 0x5851f42d4c957f2d); }
  std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<u128>(next()) * bound) >> 64);
  }

 private:
  std::uint64_t state_;
};

constexpr std::int64_t kTick = 1'000'000;      // how often a writer looks at the time
constexpr std::int64_t kLateMax = 50'000'000;  // what is later than this is dropped, as paced workloads do

/// Writes slots at its part of the rate. Writer i of n has the slots i, i + n, ... of each part.
void work(std::uint32_t writer) {
  GuestHeader& guest = guest_header();
  const GuestOptions options = guest.options;
  const GuestLayout layout(options);
  const std::uint64_t n = options.writers;
  const std::uint64_t hot = options.hot_pages < layout.store.count ? options.hot_pages : layout.store.count;
  Draw draw(mixed(options.seed, writer));
  const auto pick = [&](std::uint64_t first, std::uint64_t count) {
    return first + draw.below((count - writer + n - 1) / n) * n + writer;
  };
  std::int64_t begun = guest_now();
  std::uint64_t done = 0;  // since then
  while (guest.over.load() == 0) {
    const std::int64_t now = guest_now();
    const auto due = [&](std::int64_t time) {
      return static_cast<std::uint64_t>(static_cast<u128>(static_cast<std::uint64_t>(time)) * options.write_rate /
                                        (kNanosPerSecond * n));
    };
    const std::uint64_t least = now - begun > kLateMax ? due(now - begun - kLateMax) : 0;
    if (least > done) {
      guest.late.fetch_add(least - done, std::memory_order_relaxed);
      done = least;
    }
    const std::uint64_t wanted = due(now - begun);
    for (; done < wanted && guest.over.load(std::memory_order_relaxed) == 0; ++done) {
      const bool to_hot = hot > n && (hot + n > layout.store.count || (draw.next() >> 32) < options.hot_share);
      const PageIndex page =
          to_hot ? pick(layout.store.first, hot) : pick(layout.store.first + hot, layout.store.count - hot);
      write_slot(page, guest_slot(page).version + 1);
      guest.writes.fetch_add(1, std::memory_order_relaxed);
    }
    sleep_for(kTick);
  }
}

// ---------------------------------------------------------------- the service

constexpr std::size_t kConnections = 8;

struct Connection {
  int socket = -1;
  std::size_t got = 0;
  Ask asked;
};

void hang_up(Connection& connection) {
  ask(SYS_close, connection.socket);
  connection = {};
}

Answer answer_to(const Ask& asked, const GuestLayout& layout) {
  const PageIndex page = layout.clients.first + asked.key % kClientSlots;
  if (asked.kind == Ask::kSet) write_slot(page, asked.version);
  return {.kind = asked.kind,
          .key = asked.key,
          .version = slot_is_sound(page) ? guest_slot(page).version : UINT64_MAX,
          .moves = guest_header().moves};
}

void hear(Connection& connection, const GuestLayout& layout) {
  auto* to = reinterpret_cast<std::byte*>(&connection.asked) + connection.got;
  const long got =
      ask(SYS_recvfrom, connection.socket, address(to), static_cast<long>(sizeof(Ask) - connection.got), MSG_DONTWAIT);
  if (got == -EAGAIN || got == -EINTR) return;
  if (got <= 0) return hang_up(connection);
  connection.got += static_cast<std::size_t>(got);
  if (connection.got < sizeof(Ask)) return;
  connection.got = 0;
  const Answer answer = answer_to(connection.asked, layout);
  guest_header().answers.fetch_add(1, std::memory_order_relaxed);
  // What does not fit the socket of a client that reads one answer at a time is no answer to that client.
  if (ask(SYS_sendto, connection.socket, address(&answer), sizeof answer, MSG_DONTWAIT | MSG_NOSIGNAL) !=
      static_cast<long>(sizeof answer)) {
    hang_up(connection);
  }
}

void let_in(std::array<Connection, kConnections>& connections, int listener) {
  const long plain = ask(SYS_accept4, listener, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (plain < 0) return;
  const long socket = ask(SYS_fcntl, plain, F_DUPFD_CLOEXEC, kServiceDescriptor);
  ask(SYS_close, plain);
  for (Connection& connection : connections) {
    if (socket < 0 || connection.socket >= 0) continue;
    connection = {.socket = static_cast<int>(socket)};
    return;
  }
  if (socket >= 0) ask(SYS_close, socket);  // all lines are busy
}

void serve() {
  const GuestHeader& guest = guest_header();
  const GuestLayout layout(guest.options);
  std::array<Connection, kConnections> connections{};
  std::uint32_t here = guest_machine().arrivals.load();
  while (guest.over.load() == 0) {
    if (const std::uint32_t now = guest_machine().arrivals.load(); now != here) {
      // Another machine: the connections have stayed behind.
      here = now;
      connections = {};
    }
    std::array<pollfd, kConnections + 1> polled{};
    for (std::size_t i = 0; i < kConnections; ++i) polled[i] = {.fd = connections[i].socket, .events = POLLIN};
    polled[kConnections] = {.fd = guest_machine().listener.load(), .events = POLLIN};
    timespec patience{.tv_sec = 0, .tv_nsec = 20'000'000};
    if (ask(SYS_ppoll, address(polled.data()), kConnections + 1, address(&patience)) <= 0) continue;
    if (guest_machine().arrivals.load() != here) continue;
    for (std::size_t i = 0; i < kConnections; ++i) {
      if (connections[i].socket >= 0 && polled[i].revents != 0) hear(connections[i], layout);
    }
    if (polled[kConnections].revents != 0) let_in(connections, polled[kConnections].fd);
  }
}

// ---------------------------------------------------------------- the migration

void wait_for_orders() {
  GuestHeader& guest = guest_header();
  Machine& machine = guest_machine();
  while (guest.over.load() == 0) {
    if (machine.command.load() == Machine::kMigrate) {
      // Here it comes out twice: at the source when it is over, however it went, and at the destination.
      ::getcontext(&guest.migrator);
      if (machine.arrived.exchange(0) == 0) machine.migrate();
      machine.command.store(Machine::kNone);
      ask(SYS_futex, address(&machine.command), FUTEX_WAKE, INT32_MAX);
    }
    const timespec patience{.tv_sec = 0, .tv_nsec = 20'000'000};
    ask(SYS_futex, address(&machine.command), FUTEX_WAIT, Machine::kNone, address(&patience));
  }
}

}  // namespace

std::int64_t guest_now() {
  timespec at{};
  ask(SYS_clock_gettime, CLOCK_MONOTONIC, address(&at));
  return at.tv_sec * 1'000'000'000 + at.tv_nsec + guest_machine().clock.load();
}

bool slot_is_sound(PageIndex page) {
  const Slot& slot = guest_slot(page);
  if (slot.version == 0) return slot.check == 0;
  const auto& line = slot.lines[slot.version % Slot::kLines];
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != mixed(page, slot.version + i)) return false;
  }
  return slot.check == mixed(slot.version, page);
}

void guest_thread(std::uint32_t number) {
  if (number == kMigrator) {
    wait_for_orders();
  } else if (number == kServer) {
    serve();
  } else {
    work(number - kFirstWriter);
  }
  ::setcontext(&guest_machine().host[number]);
  __builtin_unreachable();
}

}  // namespace godwit::live

#else

namespace godwit::live {

GuestLayout::GuestLayout(const GuestOptions&) {}
PageRange GuestLayout::stack(std::uint32_t) const { return {}; }
std::int64_t guest_now() { return 0; }
bool slot_is_sound(PageIndex) { return false; }
void guest_thread(std::uint32_t) { GODWIT_CHECK(false); }

}  // namespace godwit::live

#endif
