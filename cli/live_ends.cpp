#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/live.h"
#include "cli/live_move.h"
#include "live/client.h"
#include "scenarios/quantity.h"

// The ends of a migration, one at a time, for use by hand between network namespaces or hosts.
namespace godwit::cli {
namespace {

using scenarios::Dimension;

struct EndArguments {
  LiveArguments guest;
  std::string to, listen, token_file, service, memory_max = "2 GiB", after = "1 s", lasts, stall = "10 s";
  std::vector<std::string> at;
  bool managed = false;
};

/// Reads what several commands take; gathers what is wrong.
class EndReader {
 public:
  Nanos time(const char* option, const std::string& text, Nanos otherwise) {
    if (text.empty()) return otherwise;
    const auto value = scenarios::parse_quantity(Dimension::kTime, text);
    if (const auto* found = std::get_if<std::uint64_t>(&value)) return saturating_nanos(*found);
    trouble.push_back(fmt::format("{}: expected {}, got \"{}\"", option, scenarios::expected(Dimension::kTime), text));
    return otherwise;
  }
  live::Address address(const char* option, const std::string& text) {
    if (const auto found = live::Address::parse(text)) return *found;
    trouble.push_back(fmt::format("{}: expected HOST:PORT, PORT or unix:PATH, got \"{}\"", option, text));
    return {};
  }
  live::Token token(const std::string& file) {
    std::ifstream stream(file);
    std::string text;
    stream >> text;
    if (const auto found = live::Token::parse(text)) return *found;
    trouble.push_back(fmt::format("--token-file: {} does not hold a token, as `godwit live token` writes it", file));
    return {};
  }
  std::vector<std::string> trouble;
};

/// Signals are waited for, not handled: in the guest's threads nothing is to happen but what the guest does. Requires
/// that no other thread runs yet.
class Signals {
 public:
  Signals() {
    ::sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) ::sigaddset(&set_, signal);
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  /// The next of them, or 0 after `patience`.
  int wait(Nanos patience) const {
    const auto n = static_cast<std::uint64_t>(patience.count());
    const timespec time{.tv_sec = static_cast<time_t>(n / kNanosPerSecond),
                        .tv_nsec = static_cast<long>(n % kNanosPerSecond)};
    return std::max(0, ::sigtimedwait(&set_, nullptr, &time));
  }

 private:
  sigset_t set_{};
};

void say(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

/// The guest goes on for `lasts`, or until a signal. Returns the exit status.
int keep(live::GuestHost& host, const Signals& signals, Nanos lasts) {
  const bool interrupted = signals.wait(lasts) != 0;
  host.stop();
  const live::GuestHeader& guest = live::guest_header();
  const live::GuestLayout layout(guest.options);
  std::uint64_t unsound = 0;
  for (PageIndex page = layout.clients.first; page < layout.store.end(); ++page) unsound += !live::slot_is_sound(page);
  say(fmt::format("the guest ends here: {} writes, {} answers, {} moves; {}", guest.writes.load(), guest.answers.load(),
                  guest.moves, unsound == 0 ? "every slot is whole" : fmt::format("{} slots are NOT WHOLE", unsound)));
  if (unsound > 0) return kUnmet;
  return interrupted ? kInterrupted : kDone;
}

constexpr Nanos kForEver{std::int64_t{365} * 24 * 3600 * 1'000'000'000};

int send(const EndArguments& arguments) {
  const auto understood = understand(arguments.guest);
  EndReader reader;
  if (const auto* wrong = std::get_if<std::vector<std::string>>(&understood)) reader.trouble = *wrong;
  const live::Address to = reader.address("--to", arguments.to);
  live::Address service = reader.address("--service", arguments.service);
  const live::Token token = reader.token(arguments.token_file);
  const Nanos after = reader.time("--after", arguments.after, Nanos{0});
  const Nanos lasts = reader.time("--for", arguments.lasts, kForEver);
  const Nanos stall = reader.time("--stall", arguments.stall, Nanos{0});
  if (!reader.trouble.empty()) return refuse_live(reader.trouble);
  if (const auto why = live::guests_unsupported()) return refuse_live({"godwit live: " + *why});
  const auto& setting = std::get<LiveSetting>(understood);
  const live::Way way = arguments.managed ? live::Way::kManaged : live::Way::kByItself;

  const Signals signals;
  const scenarios::Loaded scenario = scenario_of(setting, way, {}, Nanos{0});
  live::DepartureOptions options{.plan = scenario.options.migrations.at(0).strategy.plan,
                                 .to = to,
                                 .token = token,
                                 .stall_max = stall,
                                 .verify = false};
  const live::Shared<live::Departure> departure;
  std::optional<live::Hypervisor> hypervisor;
  if (arguments.managed) hypervisor.emplace(options, *departure, nullptr);
  live::GuestHost host;
  std::string error;
  live::UniqueFd listener = live::listen_at(service, error);
  if (!listener.valid()) return refuse_live({"--service: " + error});
  if (!host.reserve(setting.guest.pages)) return refuse_live({"--memory: there is not so much"});
  host.create(setting.guest);
  host.start(std::move(listener));
  say(fmt::format("the guest runs here, process {}, and answers at {}", ::getpid(), service.text()));
  if (signals.wait(after) != 0) return keep(host, signals, Nanos{0});

  if (hypervisor) {
    hypervisor->move(host);
  } else {
    live::depart_by_itself(host, options, *departure, nullptr);
  }
  const live::Departure& result = *departure;
  if (!result.admitted) {
    say(std::string(result.refused.data()) + "; the guest goes on here");
  } else {
    say(live::explain(result.outcome, result.trouble, result.refusal));
    say(fmt::format("  {} bytes in {} rounds; {} us of the sender's CPU time; from the stop to COMMIT {} us",
                    result.bytes.value, result.figures.rounds, result.cpu.count() / 1000,
                    (result.committed - result.figures.at(core::Phase::kStop)).count() / 1000));
  }
  if (result.completed()) return kDone;
  if (live::has_left(result)) {
    say("this process keeps the guest's memory until it is ended");
    signals.wait(kForEver);
    return kUnmet;
  }
  const int status = keep(host, signals, lasts);
  return status == kDone ? kUnmet : status;
}

int receive(const EndArguments& arguments) {
  EndReader reader;
  live::Address door = reader.address("--listen", arguments.listen);
  const live::Address service = reader.address("--service", arguments.service);
  const live::Token token = reader.token(arguments.token_file);
  const Nanos lasts = reader.time("--for", arguments.lasts, kForEver);
  const Nanos stall = reader.time("--stall", arguments.stall, Nanos{0});
  const auto most = scenarios::parse_quantity(Dimension::kBytes, arguments.memory_max);
  if (!std::holds_alternative<std::uint64_t>(most)) {
    reader.trouble.push_back(fmt::format("--memory-max: expected {}, got \"{}\"",
                                         scenarios::expected(Dimension::kBytes), arguments.memory_max));
  }
  if (!reader.trouble.empty()) return refuse_live(reader.trouble);
  if (const auto why = live::guests_unsupported()) return refuse_live({"godwit live: " + *why});

  const Signals signals;
  std::string error;
  const live::UniqueFd listener = live::listen_at(door, error);
  if (!listener.valid()) return refuse_live({"--listen: " + error});
  say(fmt::format("waiting for a guest at {}", door.text()));
  live::GuestHost host;
  const live::Shared<live::GuestArrival> arrival;
  while (signals.wait(Nanos{0}) == 0) {
    live::receive_guest(host, listener.get(),
                        {.token = token,
                         .memory_max = {std::get<std::uint64_t>(most)},
                         .patience = Nanos{1'000'000'000},
                         .stall_max = stall,
                         .service = service,
                         .self = !arguments.managed,
                         .verify = false},
                        *arrival, nullptr);
    if (!arrival->admitted) continue;
    using Outcome = core::Destination::Outcome;
    say(live::explain(arrival->received.outcome, arrival->received.trouble));
    if (arrival->received.outcome == Outcome::kInDoubt) {
      say(fmt::format("see whether it runs at the source; then kill -USR1 {0} to run it here, or kill {0} to drop it",
                      ::getpid()));
      if (signals.wait(kForEver) != SIGUSR1) return kUnmet;
      if (!host.plausible()) return say("what has arrived is no guest"), kUnmet;
      live::Address at = service;
      host.start(live::listen_at(at, error));
      return keep(host, signals, lasts);
    }
    if (arrival->received.outcome == Outcome::kRunning) {
      say(fmt::format("the guest runs here, process {}, and answers at {}", ::getpid(), service.text()));
      return keep(host, signals, lasts);
    }
  }
  return kInterrupted;
}

int ask(const EndArguments& arguments) {
  EndReader reader;
  std::vector<live::Address> addresses;
  for (const std::string& each : arguments.at) addresses.push_back(reader.address("--at", each));
  const Nanos lasts = reader.time("--for", arguments.lasts, kForEver);
  if (!reader.trouble.empty()) return refuse_live(reader.trouble);
  const Signals signals;
  const live::Shared<live::ClientFigures> figures;
  std::thread client([&] { live::run_client(addresses, Nanos{1'000'000}, *figures); });
  signals.wait(lasts);
  figures->stop = true;
  client.join();
  say(fmt::format("{} answers, {} connections; the longest wait for one was {} us; the guest has moved {} times",
                  figures->answers.load(), figures->reconnects, figures->longest_gap.count() / 1000,
                  figures->moves.load()));
  say(fmt::format("{} of {} acknowledged keys are lost{}", figures->lost, figures->keys,
                  figures->reached ? "" : "; the guest does not answer any more"));
  return figures->lost == 0 && figures->reached ? kDone : kUnmet;
}

int write_token(const std::string& file) {
  const std::string text = live::Token::random().text() + "\n";
  if (file.empty()) return fmt::print("{}", text), kDone;
  // A file that is there already may be open to others.
  const live::UniqueFd out(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  const bool written = out.valid() && ::fchmod(out.get(), 0600) == 0 &&
                       ::write(out.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  return written ? kDone : refuse_live({"-o: " + file + " cannot be written"});
}

}  // namespace

void add_live_ends(CLI::App& live, int& exit_status) {
  auto a = std::make_shared<EndArguments>();
  const auto add = [&](const char* name, const char* what, int (*run)(const EndArguments&)) {
    CLI::App* command = live.add_subcommand(name, what);
    command->callback([a, run, &exit_status] { exit_status = run(*a); });
    return command;
  };
  const auto common = [&](CLI::App* command, const char* service) {
    command->add_option("--token-file", a->token_file, "Secret that both ends have")->required()->type_name("FILE");
    command->add_option("--service", a->service, "Where clients find the guest")
        ->type_name("ADDRESS")
        ->default_str(service);
    command->add_option("--for", a->lasts, "How long the guest goes on here; else until a signal")->type_name("TIME");
    command->add_option("--stall", a->stall, "Give up after so long without progress")
        ->type_name("TIME")
        ->capture_default_str();
    command->add_flag("--managed", a->managed, "Moved from outside, by a process that reads its memory");
    command->parse_complete_callback([a, service] {
      if (a->service.empty()) a->service = service;
    });
  };
  CLI::App* sending = add("send", "Start a guest here, and move it to where `receive` waits", &send);
  sending->add_option("--to", a->to, "Where `receive` listens")->required()->type_name("ADDRESS");
  sending->add_option("--after", a->after, "How long it runs here first")->type_name("TIME")->capture_default_str();
  common(sending, "127.0.0.1:7001");
  add_live_options(*sending, a->guest);

  CLI::App* receiving = add("receive", "Wait for a guest, and go on with it", &receive);
  receiving->add_option("--listen", a->listen, "Where; on this host only unless told otherwise")
      ->type_name("ADDRESS")
      ->default_val("127.0.0.1:7000");
  receiving->add_option("--memory-max", a->memory_max, "Refuse a larger guest")
      ->type_name("QUANTITY")
      ->capture_default_str();
  common(receiving, "127.0.0.1:7002");

  CLI::App* asking = add("ask", "Be a client of a guest that moves", &ask);
  asking->add_option("--at", a->at, "Where it answers, or will answer; several")
      ->delimiter(',')
      ->type_name("ADDRESS,...")
      ->default_str("127.0.0.1:7001,127.0.0.1:7002");
  asking->add_option("--for", a->lasts, "How long")->type_name("TIME");
  asking->parse_complete_callback([a] {
    if (a->at.empty()) a->at = {"127.0.0.1:7001", "127.0.0.1:7002"};
  });

  auto file = std::make_shared<std::string>();
  CLI::App* token = live.add_subcommand("token", "Make a secret for `send` and `receive`");
  token->add_option("-o,--output", *file, "File to write, readable by its owner only")->type_name("FILE");
  token->callback([file, &exit_status] { exit_status = write_token(*file); });
}

}  // namespace godwit::cli
