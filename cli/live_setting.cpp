#include "cli/live_setting.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <stdexcept>
#include <thread>

#include "live/sender.h"
#include "scenarios/profile.h"
#include "scenarios/quantity.h"
#include "sim/run.h"

namespace godwit::cli {
namespace {

using scenarios::Dimension;
using scenarios::Json;

std::string quantity(Dimension dimension, std::uint64_t value) { return scenarios::format_quantity(dimension, value); }
std::string bytes_of(std::uint64_t pages) { return quantity(Dimension::kBytes, pages * live::kPageBytes); }
std::string time_of(Nanos time) { return quantity(Dimension::kTime, static_cast<std::uint64_t>(time.count())); }

/// Reads quantities, and gathers what is wrong with them.
class Reader {
 public:
  std::uint64_t read(const char* option, Dimension dimension, const std::string& text) {
    const auto value = scenarios::parse_quantity(dimension, text);
    if (const auto* error = std::get_if<scenarios::QuantityError>(&value)) {
      trouble.push_back(
          fmt::format("{}: expected {}, got \"{}\" {}", option, scenarios::expected(dimension), text, error->what));
      return 0;
    }
    return std::get<std::uint64_t>(value);
  }
  void want(bool holds, std::string what) {
    if (!holds) trouble.push_back(std::move(what));
  }
  std::vector<std::string> trouble;
};

}  // namespace

void add_live_options(CLI::App& command, LiveArguments& a) {
  const auto quantity_option = [&](const char* name, std::string& value, const char* what) {
    command.add_option(name, value, what)->type_name("QUANTITY")->capture_default_str();
  };
  quantity_option("--memory", a.memory, "All of the guest's memory");
  quantity_option("--write-rate", a.write_rate, "What its writers write");
  quantity_option("--hot-memory", a.hot_memory, "The part that most writes go to");
  quantity_option("--hot-share", a.hot_share, "How many of them");
  command.add_option("--writers", a.writers, "Threads that write")->type_name("N")->capture_default_str();
  quantity_option("--bandwidth", a.bandwidth, "What the sender is limited to; \"0 bit/s\": nothing");
  quantity_option("--downtime", a.downtime, "Downtime limit");
  command.add_option("--rounds-max", a.rounds_max, "Live rounds, at most")->type_name("N")->capture_default_str();
  command.add_option("--seed", a.seed, "Seed of what the writers draw")->type_name("N")->capture_default_str();
}

std::variant<LiveSetting, std::vector<std::string>> understand(const LiveArguments& a) {
  Reader reader;
  LiveSetting setting;
  live::GuestOptions& guest = setting.guest;
  guest.pages = reader.read("--memory", Dimension::kBytes, a.memory) / live::kPageBytes;
  guest.write_rate = reader.read("--write-rate", Dimension::kWriteRate, a.write_rate);
  guest.hot_pages = reader.read("--hot-memory", Dimension::kBytes, a.hot_memory) / live::kPageBytes;
  guest.hot_share = reader.read("--hot-share", Dimension::kShare, a.hot_share);
  guest.writers = a.writers;
  guest.seed = a.seed;
  setting.bandwidth = {reader.read("--bandwidth", Dimension::kRate, a.bandwidth)};
  setting.downtime = Nanos{static_cast<std::int64_t>(reader.read("--downtime", Dimension::kTime, a.downtime))};
  setting.rounds_max = a.rounds_max;
  if (!reader.trouble.empty()) return reader.trouble;

  reader.want(guest.pages <= live::kHashedPagesMax,
              fmt::format("--memory: at most {}", bytes_of(live::kHashedPagesMax)));
  reader.want(a.writers >= 1 && a.writers <= live::kWritersMax,
              fmt::format("--writers: from 1 to {}", live::kWritersMax));
  reader.want(guest.write_rate <= 10'000'000, "--write-rate: at most 10,000,000 pages/s");
  reader.want(a.rounds_max >= 1, "--rounds-max: at least 1");
  if (!reader.trouble.empty()) return reader.trouble;
  const live::GuestLayout layout(guest);
  reader.want(layout.fits, fmt::format("--memory: {} do not hold the guest's own stacks and buffers", a.memory));
  reader.want(guest.hot_share == 0 || guest.hot_pages >= 16, "--hot-memory: at least 64 KiB");
  reader.want(guest.hot_pages <= layout.store.count,
              fmt::format("--hot-memory: the store has {}", bytes_of(layout.store.count)));
  if (!reader.trouble.empty()) return reader.trouble;
  return setting;
}

std::string profile_text(const live::Calibration& calibration, const std::string& name) {
  Json costs{{"cpu_unlimited", false}};
  for (const live::Cost& cost : calibration.costs) {
    const Json value{{"value", time_of(cost.value)},
                     {"source", fmt::format("Measured, {}: {}.", calibration.machine, cost.source)}};
    const auto slash = cost.name.find('/');
    if (slash == std::string::npos) {
      costs[cost.name] = value;
    } else {
      costs["guest_page_tables"][cost.name.substr(slash + 1)] = value;
    }
  }
  const Json profile{{"name", name},
                     {"summary", fmt::format("This host as measured by `godwit live calibrate`: {}, round trip {}.",
                                             calibration.machine, time_of(calibration.round_trip))},
                     {"costs", costs}};
  return profile.dump(2) + "\n";
}

scenarios::Loaded scenario_of(const LiveSetting& setting, live::Way way, const models::CostProfile& profile,
                              Nanos round_trip) {
  const live::GuestOptions& guest = setting.guest;
  const live::GuestLayout layout(guest);
  const Json host_profile = scenarios::profile().write(profile);
  const unsigned cores = std::max(2u, std::thread::hardware_concurrency());
  const auto host = [&](const char* name) { return Json{{"name", name}, {"cores", cores}, {"profile", host_profile}}; };
  const auto writer = [&](const char* kind, PageRange where, std::uint64_t rate) {
    return Json{{"kind", kind},
                {"write_rate", quantity(Dimension::kWriteRate, rate)},
                {"at", bytes_of(where.first)},
                {"memory", bytes_of(where.count)}};
  };
  Json store = writer(guest.hot_share > 0 ? "hot_set" : "uniform", layout.store, guest.write_rate);
  if (guest.hot_share > 0) {
    store["hot_memory"] = bytes_of(guest.hot_pages);
    store["hot_share"] = quantity(Dimension::kShare, guest.hot_share);
  }
  Json parts = Json::array();
  if (guest.write_rate > 0) parts.push_back(store);
  // Every second request of the client writes, to one key after the other.
  const auto client_rate = static_cast<std::uint64_t>(500'000'000 / setting.client_interval.count());
  parts.push_back(writer("sequential", layout.clients, client_rate));

  const bool self = way == live::Way::kByItself;
  Json strategy{{"name", self ? "self-migration" : "pre-copy"},
                {"downtime_limit", time_of(setting.downtime)},
                {"rounds_max", setting.rounds_max},
                {"page_header", "0 B"}};
  if (setting.bandwidth.value > 0) strategy["max_bandwidth"] = quantity(Dimension::kRate, setting.bandwidth.value);
  if (self) {
    const Pages sender = live::SenderSpace::written_by_sending({guest.pages}, setting.bandwidth);
    strategy["rings_and_stack"] = bytes_of(sender.value);
    strategy["tracking_bits"] = "restored";
  } else {
    strategy["dirty_log"] = "guest-page-tables";
  }
  // Where the sender is not limited, the link is not what limits it.
  const std::uint64_t link = setting.bandwidth.value > 0 ? setting.bandwidth.value : 1'000'000'000'000;
  const Json document{{"name", self ? "live_by_itself" : "live_managed"},
                      {"question", "What is to be expected of this live migration?"},
                      {"hosts", {host("source"), host("destination")}},
                      {"links",
                       {{{"between", {"source", "destination"}},
                         {"bandwidth", quantity(Dimension::kRate, link)},
                         {"latency", time_of(round_trip / 2)}}}},
                      {"guests",
                       {{{"name", "guest"},
                         {"host", "source"},
                         {"memory", bytes_of(guest.pages)},
                         {"vcpus", guest.writers + live::kFirstWriter},
                         {"workload", {{"kind", "mix"}, {"parts", parts}}}}}},
                      {"migrations", {{{"guest", "guest"}, {"to", "destination"}, {"strategy", strategy}}}}};
  auto loaded = scenarios::load_document(document, "live", {});
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&loaded)) {
    throw std::runtime_error("the scenario of this setting is wrong:\n" + scenarios::to_string(*issues));
  }
  return std::get<scenarios::Loaded>(std::move(loaded));
}

namespace {

template <class Value>
Value median(std::vector<Value> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

Prediction predict(const scenarios::Loaded& scenario, std::uint32_t seeds) {
  Prediction prediction;
  std::vector<Nanos> downtimes, totals;
  std::vector<Bytes> bytes;
  std::vector<std::uint64_t> rounds;
  for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
    sim::RunOptions options = scenario.options;
    options.seed = seed;
    const sim::RunResult run = sim::run(options);
    const sim::MigrationResult& result = prediction.runs.emplace_back(run.migrations.at(0));
    downtimes.push_back(result.downtime);
    totals.push_back(result.total_time);
    bytes.push_back(result.transferred);
    rounds.push_back(result.iterations.size());
  }
  prediction.downtime = median(downtimes);
  prediction.total_time = median(totals);
  prediction.bytes = median(bytes);
  prediction.rounds = median(rounds);
  return prediction;
}

live::TrialOptions trial_of(const LiveSetting& setting, live::Way way, const scenarios::Loaded& scenario) {
  return {.way = way,
          .guest = setting.guest,
          .plan = scenario.options.migrations.at(0).strategy.plan,
          .client_interval = setting.client_interval};
}

}  // namespace godwit::cli
