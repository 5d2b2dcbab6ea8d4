#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "live/departure.h"
#include "live/memory.h"
#include "live/page_hash.h"
#include "live/sender.h"

namespace godwit::live {

std::uint64_t faults_so_far() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_minflt);
}

namespace {

using core::Await;
using core::Done;

/// What the hypervisor says to the guest's process, a byte each; it answers each with the same.
enum class Order : char { kMove = 'm', kFreeze = 'f', kThaw = 't', kOver = 'o' };

bool say(int socket, Order order) {
  const char byte = static_cast<char>(order);
  return ::send(socket, &byte, 1, MSG_NOSIGNAL) == 1;
}

/// The next byte; 0: the other end is gone.
char hear(int socket) {
  char byte = 0;
  ssize_t got = 0;
  do got = ::recv(socket, &byte, 1, 0);
  while (got < 0 && errno == EINTR);
  return got == 1 ? byte : '\0';
}

/// With kMove goes what the hypervisor needs to see the guest's writes.
struct Handle {
  pid_t process = 0;
  std::uint64_t pages = 0;
};

bool send_handle(int socket, const Handle& handle, int descriptor) {
  Handle copy = handle;
  iovec part{.iov_base = &copy, .iov_len = sizeof copy};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> space{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = space.data();
  message.msg_controllen = space.size();
  cmsghdr* control = CMSG_FIRSTHDR(&message);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(control), &descriptor, sizeof descriptor);
  return ::sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof copy);
}

UniqueFd receive_handle(int socket, Handle& handle) {
  iovec part{.iov_base = &handle, .iov_len = sizeof handle};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> space{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = space.data();
  message.msg_controllen = space.size();
  if (::recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != static_cast<ssize_t>(sizeof handle)) return {};
  const cmsghdr* control = CMSG_FIRSTHDR(&message);
  if (control == nullptr || control->cmsg_type != SCM_RIGHTS) return {};
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(control), sizeof descriptor);
  return UniqueFd(descriptor);
}

/// The guest as the hypervisor commands it.
class CommandedGuest final : public core::Guest {
 public:
  CommandedGuest(int control, Control& desk) : control_(control), desk_(desk) {}
  Await<Done> pause() override { return command(Order::kFreeze), Done{}; }
  Await<Done> freeze() override { return command(Order::kFreeze), Done{}; }
  Await<Done> resume() override { return command(Order::kThaw), Done{}; }
  void fence() override {}  // it is frozen, and is never told to go on
  Bytes device_state() const override { return {0}; }

 private:
  void command(Order order) {
    if (!say(control_, order) || hear(control_) != static_cast<char>(order)) desk_.cancel();
  }
  int control_;
  Control& desk_;
};

/// The process beside the guest's: waits for the order, moves the guest, tells how it went.
void manage(int control, const DepartureOptions& options, Departure& result, PageHashes* hashes) {
  Handle handle;
  UniqueFd userfaultfd = receive_handle(control, handle);
  if (!userfaultfd.valid()) return;
  std::string error;
  const Span memory{kGuestBase, handle.pages};
  auto tracker = WriteTracker::of_process(handle.process, std::move(userfaultfd), error);
  Stream stream(connect_to(options.to, options.stall_max, error), options.stall_max);
  const auto refused =
      ask_in(stream, {.token = options.token, .program = program_fingerprint(), .memory = {memory.pages}});
  if (!tracker || refused) {
    const std::string& why = error.empty() ? *refused : error;
    why.copy(result.refused.data(), result.refused.size() - 1);
    say(control, Order::kOver);
    return;
  }
  result.admitted = true;
  ::prctl(PR_SET_TIMERSLACK, 1);
  const Nanos cpu = now_on(CLOCK_PROCESS_CPUTIME_ID);
  const core::Plan plan = in_batches(options.plan);
  AsynchronousLog log(std::move(*tracker), memory, &stream);
  ForeignPages pages(handle.process, memory);
  Memory guest_memory(pages, memory.pages);
  std::vector<std::byte> room(SenderSpace::size_for({memory.pages}));
  const SenderSpace space(room, {memory.pages});
  Link link(stream, pages, pages, space.link());
  Control desk;
  CommandedGuest guest(control, desk);
  Observer observer;
  result.outcome = migrate(plan, {log, guest_memory, link, guest, desk, observer}, space);
  log.stop();
  result.trouble = stream.trouble();
  result.refusal = link.refusal();
  result.figures = observer.figures();
  result.bytes = link.sent();
  result.committed = link.committed();
  result.cpu = now_on(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  say(control, Order::kOver);
  if (!has_left(result) || hashes == nullptr || !options.verify) return;
  std::vector<std::byte> page(kPageBytes);
  for (PageIndex i = 0; i < memory.pages; ++i) {
    const PageRange range{i, 1};
    std::uint32_t unused = 0;
    (*hashes)[i] = pages.read({&range, 1}, page.data(), unused) ? page_hash(page.data()) : 0;
  }
}

}  // namespace

Hypervisor::Hypervisor(const DepartureOptions& options, Departure& result, PageHashes* hashes) : result_(result) {
  std::array<int, 2> ends{};
  GODWIT_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  child_ = ::fork();
  GODWIT_CHECK(child_ >= 0);
  if (child_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::close(ends[0]);
    manage(ends[1], options, result, hashes);
    ::_exit(0);
  }
  ::close(ends[1]);
  control_ = UniqueFd(ends[0]);
  ::prctl(PR_SET_PTRACER, child_);
}

Hypervisor::~Hypervisor() {
  control_ = {};
  if (child_ > 0) ::waitpid(child_, nullptr, 0);
}

void Hypervisor::move(GuestHost& host) {
  result_.began = monotonic_now();
  const std::uint64_t faults = faults_so_far();
  const Nanos cpu = host.cpu();
  const UniqueFd userfaultfd(static_cast<int>(::syscall(SYS_userfaultfd, userfaultfd_flags())));
  bool going = userfaultfd.valid() && send_handle(control_.get(), {::getpid(), host.memory().pages}, userfaultfd.get());
  while (going) {
    const auto order = static_cast<Order>(hear(control_.get()));
    if (order == Order::kFreeze) {
      host.freeze();
    } else if (order == Order::kThaw) {
      host.thaw();
    } else {
      break;
    }
    going = say(control_.get(), order);
  }
  result_.guest_cpu = host.cpu() - cpu;
  result_.faults = faults_so_far() - faults;
  if (has_left(result_)) {
    host.give_away();
    ::waitpid(child_, nullptr, 0);  // it looks at the memory once more
    child_ = -1;
  }
  result_.over = true;
}

}  // namespace godwit::live
