#include "studies/soak_scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "scenarios/profile.h"
#include "scenarios/spec.h"
#include "scenarios/strategy.h"
#include "studies/soak_parts.h"
#include "workloads/trace.h"

namespace godwit::studies {
namespace {

constexpr std::uint64_t kScenarios = 1, kRecording = 2;  // whose random numbers

class ScenarioDrawer {
 public:
  explicit ScenarioDrawer(std::uint64_t seed) : draw_(seed, kScenarios) {
    document_["name"] = fmt::format("soak-{}", seed);
    document_["seed"] = seed;
  }

  Json run() {
    add_nodes();
    add_links();
    add_guests();
    document_["horizon"] = time(draw_, scale_.copy * (draw_.one_in(10) ? 1 : 4), scale_.copy * 40);
    if (draw_.one_in(4)) document_["max_parallel"] = draw_.between(1, 2);
    add_traffic();
    for (std::uint64_t n = draw_.between(1, guests_.size() + 2); n > 0; --n) add_migration();
    if (draw_.one_in(2))
      for (std::uint64_t n = draw_.between(1, 4); n > 0; --n) add_event();
    return std::move(document_);
  }

 private:
  struct Guest {
    std::string name;
    std::string lives_on;  // after the migrations so far, if they succeed
    bool moves = false;
  };

  void add_nodes() {
    const std::uint64_t hosts = draw_.pick({1u, 2u, 2u, 2u, 2u, 3u, 3u, 3u});
    for (std::uint64_t i = 0; i < hosts; ++i) {
      hosts_.push_back(std::string(1, static_cast<char>('a' + i)));
      Json host{{"name", hosts_.back()}, {"cores", draw_.scaled(1, 16)}};
      host["profile"] = draw_.pick(scenarios::profile_names());
      document_["hosts"].push_back(host);
    }
    nodes_ = hosts_;
    for (std::uint64_t n = draw_.one_in(2) ? draw_.between(1, 3) : 0; n > 0; --n) {
      nodes_.push_back(fmt::format("s{}", n));
      document_["switches"].push_back(nodes_.back());
    }
  }

  void add_links() {
    const std::uint64_t near = draw_.scaled(10'000'000, 10'000'000'000);
    scale_.bandwidth = {near};
    const auto link = [&](std::size_t from, std::size_t to) {
      const std::uint64_t rate = draw_.one_in(2) ? near : draw_.scaled(near / 4, near * 4);
      // Not more in flight than small guests have room for.
      const Nanos most = wire_time({32 << 10}, {rate});
      const Nanos latency =
          draw_.one_in(4) ? Nanos{0}
                          : Nanos{static_cast<std::int64_t>(draw_.below(static_cast<std::uint64_t>(most.count())))};
      scale_.latency += latency;
      document_["links"].push_back(
          {{"between", {nodes_[from], nodes_[to]}}, {"bandwidth", bandwidth(rate)}, {"latency", time(latency)}});
      ++links_;
    };
    for (std::size_t i = 1; i < nodes_.size(); ++i) link(draw_.below(i), i);
    for (std::uint64_t n = nodes_.size() > 1 ? draw_.below(3) : 0; n > 0; --n) {
      const std::size_t from = draw_.below(nodes_.size());
      link(from, (from + draw_.between(1, nodes_.size() - 1)) % nodes_.size());
    }
  }

  void add_guests() {
    std::uint64_t memory = 0;
    for (std::uint64_t n = draw_.pick({1u, 1u, 2u, 3u}); n > 0; --n) {
      Guest guest{fmt::format("g{}", guests_.size()), draw_.pick(hosts_)};
      Json drawn = draw_guest(draw_, guest.name, scale_.bandwidth);
      drawn["host"] = guest.lives_on;
      const auto size = scenarios::parse_quantity(scenarios::Dimension::kBytes, drawn["memory"].get<std::string>());
      memory += std::get<std::uint64_t>(size);
      document_["guests"].push_back(std::move(drawn));
      guests_.push_back(std::move(guest));
    }
    scale_.copy = wire_time({memory}, scale_.bandwidth);
  }

  void add_traffic() {
    for (std::uint64_t n = draw_.one_in(3) ? draw_.between(1, 2) : 0; n > 0; --n)
      document_["traffic"].push_back(
          {{"guest", draw_.pick(guests_).name},
           {"peer", draw_.pick(nodes_)},
           {"rate", bandwidth(draw_.scaled(scale_.bandwidth.value / 64, scale_.bandwidth.value))}});
  }

  void add_migration() {
    Guest& guest = guests_[draw_.below(guests_.size())];
    const std::string strategy = strategy_name();
    Json migration{{"guest", guest.name}};
    if (scenarios::find_strategy(strategy)->options.plan.goes_on) {
      migration["to"] = {
          {"file", fmt::format("soak-{}.ckpt", migrations_)},
          {"bandwidth", bandwidth(draw_.scaled(scale_.bandwidth.value / 4, scale_.bandwidth.value * 4))}};
    } else {
      guest.lives_on = other_host(guest.lives_on);
      migration["to"] = guest.lives_on;
    }
    if (!draw_.one_in(3)) migration["at"] = time(draw_, Nanos{1}, scale_.copy * 2);
    if (guest.moves && !draw_.one_in(4)) migration["after"] = guest.name;
    if (!guest.moves && draw_.one_in(3)) add_forerunner(migration);
    guest.moves = true;
    if (draw_.one_in(4)) migration["goal"]["downtime"] = time(draw_, Nanos{10'000}, scale_.copy * 2);
    if (draw_.one_in(6))
      migration["goal"]["bandwidth"] = bandwidth(draw_.scaled(scale_.bandwidth.value / 4, scale_.bandwidth.value));
    if (!draw_.one_in(3)) migration["connection_timeout"] = time(draw_, Nanos{1'000}, scale_.copy * 2);
    migration["strategy"] = draw_strategy(draw_, scale_, strategy, migration.value("goal", Json::object()));
    document_["migrations"].push_back(std::move(migration));
    ++migrations_;
  }

  /// Where there is one host, nobody can move.
  std::string strategy_name() {
    while (true) {
      const scenarios::Strategy& strategy = draw_.pick(scenarios::strategies());
      if (hosts_.size() > 1 || strategy.options.plan.goes_on) return strategy.name();
    }
  }

  std::string other_host(const std::string& than) {
    while (true)
      if (const std::string& host = draw_.pick(hosts_); host != than) return host;
  }

  void add_forerunner(Json& migration) {
    std::vector<std::string> earlier;
    for (const Guest& each : guests_)
      if (each.moves) earlier.push_back(each.name);
    if (!earlier.empty()) migration["after"] = draw_.pick(earlier);
  }

  void add_event() {
    const scenarios::TableInfo table = scenarios::event_table().info();
    const std::size_t kind = draw_.below(table.variants.size());
    Json event{{table.discriminator, table.variants[kind]}};
    for (const scenarios::FieldInfo& field : table.fields) {
      if ((field.variants >> kind & 1u) == 0 || field.name == table.discriminator) continue;
      if (field.name == "link" && links_ == 0) return;
      if (field.required || !draw_.one_in(3)) event[field.name] = event_value(field);
    }
    document_["events"].push_back(std::move(event));
  }

  Json event_value(const scenarios::FieldInfo& field) {
    if (field.name == "at") return event_time();
    if (field.name == "when") return draw_.pick(field.schema()["enum"]);
    if (field.name == "migration") return draw_.below(migrations_);
    if (field.name == "link") return draw_.below(links_);
    if (field.name == "for") return time(draw_, Nanos{1'000}, scale_.copy * 2);
    if (field.name == "bandwidth") return bandwidth(draw_.scaled(scale_.bandwidth.value / 16, scale_.bandwidth.value));
    if (field.name == "share") return percent(draw_.between(0, 99));
    GODWIT_CHECK(field.name == "host");
    return draw_.pick(hosts_);
  }

  /// Near what it may come to meet: the request, the flight of a message, or the time of a copy.
  Json event_time() {
    if (draw_.one_in(6)) return time(Nanos{0});
    if (draw_.one_in(2)) return time(draw_, Nanos{1}, scale_.latency * 4);
    return time(draw_, Nanos{1'000}, scale_.copy * 8);
  }

  Draw draw_;
  Json document_ = Json::object();
  DrawScale scale_;
  std::vector<std::string> hosts_, nodes_;
  std::vector<Guest> guests_;
  std::uint64_t links_ = 0, migrations_ = 0;
};

}  // namespace

Json soak_scenario(std::uint64_t seed) { return ScenarioDrawer(seed).run(); }

void write_soak_recording(const std::filesystem::path& folder) {
  workloads::Trace trace{.page_count = kSoakRecordingPages, .interval = std::chrono::milliseconds(5)};
  Draw draw(0, kRecording);
  for (int interval = 0; interval < 40; ++interval) {
    std::vector<std::uint32_t> written(draw.below(12));
    for (std::uint32_t& page : written) page = static_cast<std::uint32_t>(draw.below(kSoakRecordingPages));
    trace.append(workloads::runs_of(written));
  }
  const auto path = folder / kSoakRecording;
  if (const workloads::TraceStatus trouble = workloads::write_trace(path, trace))
    throw std::runtime_error(path.string() + ": " + trouble->what);
}

}  // namespace godwit::studies
