#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/quantity.h"
#include "scenarios/strategy.h"
#include "sim/run.h"
#include "studies/child.h"
#include "studies/soak.h"
#include "studies/soak_scenario.h"

namespace godwit::studies {
namespace {

using scenarios::Json;

constexpr std::size_t kTrials = 1500;
constexpr std::chrono::seconds kTrialCpuMost{10};    // for one trial
constexpr std::size_t kTrialsOfWhatDoesNotEnd = 50;  // each of which takes all of that

using Trial = std::function<bool(const Json&)>;

/// Tries smaller scenarios, and keeps what still fails, until nothing smaller does.
class Shrinker {
 public:
  Shrinker(Json scenario, Trial fails, std::size_t trials)
      : best_(std::move(scenario)), fails_(std::move(fails)), trials_left_(trials) {}

  Json run() {
    while (trials_left_ > 0 && pass()) continue;
    return std::move(best_);
  }

 private:
  /// Tries all ways once. Whether any of them led on.
  bool pass() {
    const bool entries = drop_entries();
    const bool members = drop_members(Json::json_pointer());
    const bool simpler = simplify();
    return entries || members || simpler;
  }

  /// Keeps `smaller` if it fails too.
  bool keep(Json smaller) {
    if (smaller == best_ || trials_left_ == 0) return false;
    --trials_left_;
    if (!fails_(smaller)) return false;
    best_ = std::move(smaller);
    return true;
  }

  /// Whatever the scenario lists, together with what refers to it, from the last entry to the first.
  bool drop_entries() {
    bool any = false;
    for (const char* list : {"events", "traffic", "migrations", "guests", "links", "switches", "hosts"})
      for (std::size_t i = size_of(list); i-- > 0;) any |= keep(without(list, i));
    return any;
  }

  std::size_t size_of(const char* list) const { return best_.contains(list) ? best_[list].size() : 0; }

  Json without(const std::string& list, std::size_t index) const {
    Json smaller = best_;
    const Json gone = smaller[list][index];
    smaller[list].erase(index);
    if (smaller[list].empty() && list != "hosts") smaller.erase(list);
    if (list == "migrations") renumber(smaller, "migration", index);
    if (list == "links") renumber(smaller, "link", index);
    if (list == "guests") {
      drop_where(smaller, "traffic", "guest", gone["name"]);
      drop_where(smaller, "migrations", "after", gone["name"]);
      drop_where(smaller, "migrations", "guest", gone["name"]);
    }
    return smaller;
  }

  /// Entries of `list` whose `field` is `name`.
  static void drop_where(Json& scenario, const char* list, const char* field, const Json& name) {
    if (!scenario.contains(list)) return;
    for (std::size_t i = scenario[list].size(); i-- > 0;) {
      if (!scenario[list][i].contains(field) || scenario[list][i][field] != name) continue;
      scenario[list].erase(i);
      if (std::string_view(list) == "migrations") renumber(scenario, "migration", i);
    }
    if (scenario[list].empty()) scenario.erase(list);
  }

  /// Events go by number: those of what is gone go with it.
  static void renumber(Json& scenario, const char* field, std::size_t gone) {
    if (!scenario.contains("events")) return;
    Json& events = scenario["events"];
    for (std::size_t i = events.size(); i-- > 0;) {
      const bool counts = events[i].contains(field);
      if (counts && events[i][field] == gone) {
        events.erase(i);
      } else if (counts && events[i][field] > gone) {
        events[i][field] = events[i][field].get<std::size_t>() - 1;
      }
    }
    if (events.empty()) scenario.erase("events");
  }

  /// Every member that may stay away has a default.
  bool drop_members(const Json::json_pointer& at) {
    bool any = false;
    if (best_[at].is_array())
      for (std::size_t i = best_[at].size(); i-- > 0;) any |= drop_members(at / i);
    if (!best_[at].is_object()) return any;
    std::vector<std::string> names;
    for (const auto& [name, member] : best_[at].items()) names.push_back(name);
    for (const std::string& name : names) {
      if (name == "seed" || name == "name" || name == "horizon") continue;
      Json smaller = best_;
      smaller[at].erase(name);
      if (keep(std::move(smaller)))
        any = true;
      else
        any |= drop_members(at / name);
    }
    return any;
  }

  /// What has a simpler kind becomes that, and what is large becomes smaller.
  bool simplify() {
    bool any = halve(Json::json_pointer("/horizon"), scenarios::Dimension::kTime, 1);
    for (std::size_t i = 0; i < size_of("hosts"); ++i)
      any |= replace(Json::json_pointer("/hosts") / i / "profile", "ideal");
    for (std::size_t i = 0; i < size_of("guests"); ++i) {
      const Json::json_pointer guest = Json::json_pointer("/guests") / i;
      any |= simplify_workload(guest / "workload");
      any |= halve(guest / "memory", scenarios::Dimension::kBytes, page_size(guest));
    }
    return any;
  }

  bool simplify_workload(const Json::json_pointer& at) {
    if (!best_.contains(at)) return false;
    const Json workload = best_[at];
    bool any = false;
    for (const char* inner : {"parts", "phases"}) {
      if (!workload.contains(inner)) continue;
      for (const Json& each : workload[inner])
        if (replace(at, each.contains("workload") ? each["workload"] : each)) return true;
    }
    const Json uniform{{"kind", "uniform"}, {"write_rate", workload.value("write_rate", "1000 pages/s")}};
    if (workload["kind"] != "idle" && workload["kind"] != "uniform") any |= replace(at, uniform);
    return any | halve(at / "write_rate", scenarios::Dimension::kWriteRate, 1);
  }

  std::uint64_t page_size(const Json::json_pointer& guest) const {
    const auto size = scenarios::parse_quantity(scenarios::Dimension::kBytes, best_[guest].value("page_size", "4 KiB"));
    return std::get<std::uint64_t>(size);
  }

  bool replace(const Json::json_pointer& at, Json by) {
    Json smaller = best_;
    smaller[at] = std::move(by);
    return keep(std::move(smaller));
  }

  /// To multiples of `unit`, and not to nothing.
  bool halve(const Json::json_pointer& at, scenarios::Dimension dimension, std::uint64_t unit) {
    bool any = false;
    while (best_.contains(at) && best_[at].is_string()) {
      const auto value = scenarios::parse_quantity(dimension, best_[at].get<std::string>());
      const std::uint64_t half = std::get<std::uint64_t>(value) / 2 / unit * unit;
      if (half == 0 || !replace(at, scenarios::format_quantity(dimension, half))) break;
      any = true;
    }
    return any;
  }

  Json best_;
  Trial fails_;
  std::size_t trials_left_;
};

/// How the scenario fails; empty: it does not, or does not load.
std::string failure_of_scenario(const Json& scenario, const std::filesystem::path& folder, bool thoroughly) {
  return failure_of([&] {
    limit_cpu(kTrialCpuMost);
    const auto loaded = scenarios::load_document(scenario, "soak", folder);
    if (!std::holds_alternative<scenarios::Loaded>(loaded)) return;
    try {
      if (thoroughly)
        soak_thoroughly(std::get<scenarios::Loaded>(loaded));
      else
        sim::run(std::get<scenarios::Loaded>(loaded).options);
    } catch (const std::runtime_error&) {
      return;  // it asks for what cannot be
    }
  });
}

}  // namespace

SoakReplay shrink(const SoakFailure& failure, const std::filesystem::path& folder) {
  const auto fails = [&](bool thoroughly) {
    return [&failure, &folder, thoroughly](const Json& scenario) {
      return failure_of_scenario(scenario, folder, thoroughly) == failure.what;
    };
  };
  SoakReplay replay;
  const Json scenario = soak_scenario(failure.seed);
  replay.by_run = fails(false)(scenario);
  const std::size_t trials = failure.what == kDoesNotEnd ? kTrialsOfWhatDoesNotEnd : kTrials;
  replay.scenario = Shrinker(scenario, fails(!replay.by_run), trials).run();
  return replay;
}

}  // namespace godwit::studies
