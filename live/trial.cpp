#include "live/trial.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <optional>
#include <stdexcept>

namespace godwit::live {
namespace {

std::string temporary_folder() {
  std::string name = std::filesystem::temp_directory_path().string() + "/godwit-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder can be made in the temporary one");
  return name;
}

/// A process that does `work` and ends, at the latest with this one.
template <class Work>
pid_t child(Work&& work) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("no more processes can be made");
  if (pid > 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  try {
    work();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "godwit live: %s\n", error.what());
    ::_exit(3);
  }
  ::_exit(0);
}

}  // namespace

Trial::Trial(const TrialOptions& options)
    : options_(options),
      folder_(temporary_folder()),
      at_source_{"", folder_ + "/source"},
      at_destination_{"", folder_ + "/destination"},
      door_(options.tcp ? Address{"127.0.0.1", "0"} : Address{"", folder_ + "/door"}) {
  std::string error;
  const UniqueFd listener = listen_at(door_, error);
  if (!listener.valid()) throw std::runtime_error(error);
  departure_ = {.plan = options_.plan,
                .to = door_,
                .token = token_,
                .stall_max = options_.stall_max,
                .verify = options_.verify,
                .without_shadow = options_.without_shadow};
  departure_.plan.switch_over =
      options_.way == Way::kByItself ? core::Switch::kSelfCheckpoint : core::Switch::kStopAndCopy;
  children_.push_back(child([&] { run_destination(listener); }));
  children_.push_back(child([&] { run_source(); }));
  children_.push_back(child([&] {
    if (wait_for(figures_->ready))
      run_client({at_source_, at_destination_}, options_.client_interval, figures_->client);
  }));
}

Trial::~Trial() {
  for (const pid_t each : children_) ::kill(each, SIGKILL);
  join();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Trial::join() {
  for (const pid_t each : children_) ::waitpid(each, nullptr, 0);
  children_.clear();
}

bool Trial::wait_for(const std::atomic<bool>& flag) const {
  const Nanos until = monotonic_now() + options_.patience;
  while (!flag) {
    if (monotonic_now() >= until) return false;
    sleep_until(monotonic_now() + Nanos{100'000});
  }
  return true;
}

/// Waits for so many more answers to the client.
bool Trial::wait_for_answers(std::uint64_t count) const {
  const std::uint64_t wanted = figures_->client.answers + count;
  const Nanos until = monotonic_now() + options_.patience;
  while (figures_->client.answers < wanted) {
    if (monotonic_now() >= until) return false;
    sleep_until(monotonic_now() + Nanos{100'000});
  }
  return true;
}

bool Trial::happen() {
  if (!wait_for(figures_->ready) || !wait_for_answers(20)) return false;
  sleep_until(monotonic_now() + options_.warm_up);
  figures_->go = true;
  if (!wait_for(figures_->departure.over) || !wait_for(figures_->arrival.over) || !wait_for_answers(20)) return false;
  figures_->client.stop = true;
  if (!wait_for(figures_->client.over)) return false;
  figures_->end = true;
  join();
  return true;
}

std::uint64_t Trial::pages_that_differ() const {
  std::uint64_t differ = 0;
  for (std::uint64_t i = 0; i < options_.guest.pages; ++i) differ += figures_->here[i] != figures_->there[i];
  return differ;
}

Nanos Trial::downtime() const {
  const Nanos stopped = figures_->departure.figures.at(core::Phase::kStop);
  return figures_->arrival.runs_at - stopped - figures_->arrival.hashing;
}

Nanos Trial::total_time() const {
  return figures_->arrival.runs_at - figures_->departure.began - figures_->arrival.hashing;
}

void Trial::end_guest(GuestHost& host) {
  wait_for(figures_->end);
  // Its writers are to be seen at work here, however little of the processors they get.
  const std::uint64_t wanted = guest_header().writes.load() + 20;
  const Nanos until = monotonic_now() + options_.patience;
  while (options_.guest.write_rate > 0 && guest_header().writes.load() < wanted && monotonic_now() < until) {
    sleep_until(monotonic_now() + Nanos{100'000});
  }
  figures_->writes_after = guest_header().writes.load();
  figures_->late = guest_header().late.load();
  host.stop();
  const GuestLayout layout(guest_header().options);
  for (PageIndex page = layout.clients.first; page < layout.store.end(); ++page) {
    if (!slot_is_sound(page)) ++figures_->unsound;
  }
}

void Trial::run_source() {
  std::optional<Hypervisor> hypervisor;
  if (options_.way == Way::kManaged) hypervisor.emplace(departure_, figures_->departure, &figures_->here);
  GuestHost host;
  if (!host.reserve(options_.guest.pages)) throw std::runtime_error("there is not enough memory for the guest");
  host.create(options_.guest);
  std::string error;
  host.start(listen_at(at_source_, error));
  figures_->ready = true;
  if (!wait_for(figures_->go)) return;
  if (hypervisor) {
    hypervisor->move(host);
  } else {
    depart_by_itself(host, departure_, figures_->departure, &figures_->here);
  }
  figures_->writes_before = guest_header().writes.load();
  if (!has_left(figures_->departure)) end_guest(host);
}

void Trial::run_destination(const UniqueFd& listener) {
  GuestHost host;
  receive_guest(host, listener.get(),
                {.token = token_,
                 .patience = options_.patience,
                 .stall_max = options_.stall_max,
                 .service = at_destination_,
                 .self = options_.way == Way::kByItself,
                 .verify = options_.verify},
                figures_->arrival, &figures_->there);
  if (figures_->arrival.runs_at > Nanos{0}) end_guest(host);
}

}  // namespace godwit::live
