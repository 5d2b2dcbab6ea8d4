#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/qmp.h"
#include "live/clock.h"
#include "report/format.h"
#include "scenarios/quantity.h"

// What QEMU measures (qemu.org, "QEMU QMP Reference Manual", Dirty rate): it hashes a sample of the guest's pages, waits for
// a period, and counts those that are another now.
namespace godwit::cli {
namespace {

using scenarios::Dimension;
using scenarios::Json;

struct ProbeArguments {
  std::string socket, output, timeout = "10 s";
  std::vector<std::string> periods{"125 ms", "250 ms", "500 ms", "1 s", "2 s", "4 s", "8 s"};
  std::optional<std::uint32_t> sample_pages;
};

struct Measured {
  Nanos period{0};  ///< That it took in the end.
  Pages dirty{0};
};

std::string shown(Nanos period) {
  return scenarios::format_quantity(Dimension::kTime, static_cast<std::uint64_t>(period.count()));
}

/// `text` as a time from `low` to `high`; nothing after saying what is wrong.
std::optional<Nanos> time_in(const char* option, const std::string& text, Nanos low, Nanos high) {
  const auto read = scenarios::parse_quantity(Dimension::kTime, text);
  const auto* value = std::get_if<std::uint64_t>(&read);
  const Nanos found{value ? static_cast<std::int64_t>(std::min<std::uint64_t>(*value, INT64_MAX)) : -1};
  if (found >= low && found <= high) return found;
  refuse("probe", fmt::format("{}: expected a time from {} to {}, got {}", option, shown(low), shown(high), text));
  return std::nullopt;
}

/// In ascending order, each once.
std::optional<std::vector<Nanos>> periods_in(const std::vector<std::string>& texts) {
  constexpr Nanos kLeast{50'000'000}, kMost{60'000'000'000};  // what calc-dirty-rate takes
  std::vector<Nanos> periods;
  for (const std::string& text : texts) {
    const auto period = time_in("--periods", text, kLeast, kMost);
    if (!period) return std::nullopt;
    if (period->count() % 1'000'000 != 0)
      return refuse("probe", "--periods: QEMU takes whole milliseconds"), std::nullopt;
    periods.push_back(*period);
  }
  std::ranges::sort(periods);
  periods.erase(std::unique(periods.begin(), periods.end()), periods.end());
  return periods;
}

/// Takes the guest's dirty curve, point by point.
class Prober {
 public:
  Prober(Qmp& qmp, const ProbeArguments& arguments, Nanos patience)
      : qmp_(qmp), sample_pages_(arguments.sample_pages), patience_(patience) {}

  /// Throws QmpError. Nothing: this QEMU cannot measure such a period.
  std::optional<Measured> measure(Nanos period) {
    if (!begin(period)) return std::nullopt;
    const Nanos until = live::monotonic_now() + period + patience_;
    live::sleep_until(until - patience_);
    while (true) {
      const Json found = qmp_.execute("query-dirty-rate", unit());
      const std::string status = text_of(found, "status");
      if (status == "measured") return reading(found, period);
      if (status != "measuring") throw QmpError("query-dirty-rate: expected to be measuring, got " + found.dump());
      if (live::monotonic_now() > until)
        throw QmpError(
            fmt::format("calc-dirty-rate over {} was not done after {} more", shown(period), shown(patience_)));
      live::sleep_until(live::monotonic_now() + Nanos{20'000'000});
    }
  }

 private:
  static std::string text_of(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
  }

  Json unit() const { return milliseconds_ ? Json{{"calc-time-unit", "millisecond"}} : Json::object(); }

  /// Milliseconds are known from QEMU 8.2 on; before there are whole seconds only.
  bool begin(Nanos period) {
    constexpr std::int64_t kMilli = 1'000'000, kSecond = 1'000'000'000;
    if (!milliseconds_ && period.count() % kSecond != 0) return false;
    Json arguments = unit();
    arguments["calc-time"] = period.count() / (milliseconds_ ? kMilli : kSecond);
    if (sample_pages_) arguments["sample-pages"] = *sample_pages_;
    try {
      qmp_.execute("calc-dirty-rate", arguments);
    } catch (const QmpError& error) {
      if (!milliseconds_ || std::string(error.what()).find("calc-time-unit") == std::string::npos) throw;
      milliseconds_ = false;
      fmt::print(stderr, "QEMU {} measures whole seconds only\n", qmp_.version());
      return begin(period);
    }
    return true;
  }

  /// A rate is given in whole MiB/s.
  Measured reading(const Json& found, Nanos period) const {
    const auto number = [&](const char* name) -> std::optional<std::uint64_t> {
      const auto at = found.find(name);
      if (at == found.end() || !at->is_number_integer() || *at < 0) return std::nullopt;
      return at->get<std::uint64_t>();
    };
    const auto rate = number("dirty-rate");
    if (!rate || *rate > UINT32_MAX) throw QmpError("query-dirty-rate: expected a dirty-rate, got " + found.dump());
    const auto took = number("calc-time");  // which QEMU makes longer where it has lost time
    if (milliseconds_ && took && *took > 0 && *took < 3'600'000)
      period = Nanos{static_cast<std::int64_t>(*took) * 1'000'000};
    constexpr std::uint64_t kPagesOfMiB = 256;
    return {period, {mul_div(*rate * kPagesOfMiB, static_cast<std::uint64_t>(period.count()), 1'000'000'000)}};
  }

  Qmp& qmp_;
  std::optional<std::uint32_t> sample_pages_;
  Nanos patience_;
  bool milliseconds_ = true;
};

/// As a workload has it: times and pages rise. A longer period that happened to see fewer pages has what a shorter saw.
Json workload_of(const std::vector<Measured>& curve) {
  Json points = Json::array();
  Nanos last{0};
  Pages most{0};
  for (const Measured& each : curve) {
    most = std::max(most, each.dirty);
    if (most.value == 0 || each.period <= last) continue;
    last = each.period;
    points.push_back({shown(each.period), scenarios::format_quantity(Dimension::kPages, most.value)});
  }
  if (points.empty()) return {{"kind", "idle"}};
  return {{"kind", "dirty_curve"}, {"points", std::move(points)}};
}

/// Throws QmpError.
Json probe(Qmp& qmp, const ProbeArguments& arguments, const std::vector<Nanos>& periods, Nanos patience) {
  const Json status = qmp.execute("query-status");
  if (!status.is_object() || !status.contains("running") || status["running"] != true)
    throw QmpError("the guest is not running, so it writes nothing; QEMU says " + status.dump());
  const Json sizes = qmp.execute("query-memory-size-summary");
  std::uint64_t memory = 0;
  for (const char* part : {"base-memory", "plugged-memory"})
    if (sizes.is_object() && sizes.contains(part) && sizes[part].is_number_unsigned())
      memory += sizes[part].get<std::uint64_t>();
  const std::string size = scenarios::format_quantity(Dimension::kBytes, memory);
  fmt::print(stderr, "QEMU {}, a guest of {}\n", qmp.version(), size);

  Prober prober(qmp, arguments, patience);
  std::vector<Measured> curve;
  for (const Nanos period : periods) {
    const auto found = prober.measure(period);
    if (!found) continue;
    fmt::print(stderr, "  within {:>7}: {} written to\n", shown(found->period),
               report::plural(found->dirty.value, "page"));
    curve.push_back(*found);
  }
  if (curve.empty()) throw QmpError("none of the periods can be measured");
  Json workload = workload_of(curve);
  if (arguments.output != "-" && workload["kind"] == "dirty_curve")
    fmt::print(stderr, "godwit predict --memory '{}' --curve {}\n", size, arguments.output);
  return workload;
}

int run_probe(const ProbeArguments& arguments) {
  exit_on_interrupt();
  const auto periods = periods_in(arguments.periods);
  const auto patience = time_in("--timeout", arguments.timeout, Nanos{1'000'000}, Nanos{3'600'000'000'000});
  if (!periods || !patience) return kWrongInput;
  auto opened = Output::open(arguments.output);
  if (const auto* trouble = std::get_if<std::string>(&opened)) return refuse("probe", "-o: " + *trouble);
  auto connected = Qmp::connect(arguments.socket, *patience);
  if (const auto* trouble = std::get_if<std::string>(&connected)) return refuse("probe", *trouble);
  try {
    const Json workload = probe(std::get<Qmp>(connected), arguments, *periods, *patience);
    const std::string trouble = std::get<Output>(opened).write(workload.dump(2) + "\n");
    return trouble.empty() ? kDone : refuse("probe", "-o: " + trouble);
  } catch (const QmpError& error) {
    refuse("probe", fmt::format("{}: {}", arguments.socket, error.what()));
    return kUnmet;
  }
}

}  // namespace

void add_probe(CLI::App& app, int& exit_status) {
  auto arguments = std::make_shared<ProbeArguments>();
  CLI::App* command =
      app.add_subcommand("probe", "Measure how a running QEMU's guest dirties its memory, as a workload");
  command->add_option("socket", arguments->socket, "QMP socket of the QEMU, which goes on as it is")
      ->required()
      ->type_name("QMP-SOCKET");
  command->add_option("-o,--output", arguments->output, "The workload, a JSON file; - is standard output")
      ->required()
      ->type_name("FILE|-");
  command->add_option("--periods", arguments->periods, "How long pages are watched, with commas between; 50 ms to 60 s")
      ->delimiter(',')
      ->type_name("TIME,...")
      ->default_str("'125 ms,250 ms,500 ms,1 s,2 s,4 s,8 s'");
  command
      ->add_option("--sample-pages", arguments->sample_pages,
                   "Pages that QEMU watches of each GiB; more are more exact; absent: QEMU's own 512")
      ->check(CLI::Range(128, 16384))
      ->type_name("N");
  command->add_option("--timeout", arguments->timeout, "How long QEMU may be silent")
      ->type_name("TIME")
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  qemu-system-x86_64 ... -qmp unix:/run/guest.qmp,server=on,wait=off\n"
      "  godwit probe /run/guest.qmp -o workload.json\n"
      "  godwit predict --memory '8 GiB' --curve workload.json\n"
      "  godwit run scenario.json --set /guests/0/workload=\"$(cat workload.json)\"\n"
      "\n"
      "Exit status: 0 done; 1 QEMU cannot measure it, or went away; 2 wrong input, no QMP at the socket; 3 a bug of\n"
      "Godwit; 130 interrupted.\n");
  command->callback([arguments, &exit_status] { exit_status = run_probe(*arguments); });
}

}  // namespace godwit::cli
