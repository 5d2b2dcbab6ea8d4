#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scenarios/fields.h"
#include "scenarios/many.h"
#include "scenarios/strategy.h"
#include "sim/options.h"

/// A scenario as its file says it: names instead of indices. Everything else is already what the layers below take.
namespace godwit::scenarios {

enum class LinkModel : std::uint8_t { kFluid };
enum class TrafficKind : std::uint8_t { kRequest };

struct HostSpec : sim::HostOptions {
  std::optional<std::uint32_t> count;
};

struct LinkSpec {
  std::optional<std::uint32_t> count;
  std::vector<std::string> between;
  BitsPerSecond bandwidth{0};
  Nanos latency{0};
  LinkModel model = LinkModel::kFluid;
};

struct GuestSpec : sim::GuestOptions {
  std::optional<std::uint32_t> count;
  std::optional<std::string> host_name;
};

struct TrafficSpec {
  std::string guest, peer;
  BitsPerSecond rate{0};
  TrafficKind kind = TrafficKind::kRequest;
};

struct MigrationSpec {
  std::optional<std::string> guest;  ///< Or, with a * at its end, all whose names begin so.
  std::string to;
  std::optional<sim::FileOptions> file;  ///< Instead of `to`.
  Nanos at{0};
  std::optional<std::string> after;
  Goal goal;
  Nanos connection_timeout{0};
  StrategySpec strategy;
};

struct EventSpec : sim::EventOptions {
  std::string host_name;
};

/// What a number of the result, at `pointer`, must be.
struct Expectation {
  std::string pointer;
  std::optional<double> at_most, at_least;
  std::optional<Json> equals;
};

struct ScenarioSpec {
  std::string name;
  std::optional<std::string> question, notes;
  std::uint64_t seed = 1;
  Nanos horizon{0};
  std::uint32_t max_parallel = 0;
  std::vector<HostSpec> hosts;
  std::vector<std::string> switches;
  std::vector<Many<LinkSpec>> links;
  std::vector<Many<GuestSpec>> guests;
  std::vector<TrafficSpec> traffic;
  std::vector<MigrationSpec> migrations;
  std::vector<EventSpec> events;
  std::vector<Expectation> expect;
};

const Table<ScenarioSpec>& scenario_table();
const Table<HostSpec>& host_table();
const Table<LinkSpec>& link_table();
const Table<GuestSpec>& guest_table();
const Table<sim::PageClassOptions>& page_class_table();
const Table<workloads::Options>& workload_table();
const Table<workloads::Options>& part_table();  ///< A workload inside another.
const Table<workloads::Options::Phase>& phase_table();
const Table<TrafficSpec>& traffic_table();
const Table<MigrationSpec>& migration_table();
const Table<sim::FileOptions>& file_table();
const Table<Goal>& goal_table();
const Table<EventSpec>& event_table();
const Table<Expectation>& expectation_table();

}  // namespace godwit::scenarios
