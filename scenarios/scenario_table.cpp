#include "scenarios/profile.h"
#include "scenarios/spec.h"

namespace godwit::scenarios {
namespace {

using sim::PageClassOptions;
using sim::PageKind;

constexpr std::size_t kExpectationsMost = 1000;

/// A word that the format knows and this version does not do.
template <class E>
Codec<E> with_later(Codec<E> codec, std::string later) {
  codec.read = [inner = codec.read, later](const Node& node, E& value, Issues& issues) {
    if (!node.is(Node::Type::kString) || node.text != later) return inner(node, value, issues);
    return issues.at(node, later + " is not supported yet"), false;
  };
  return codec;
}

Table<HostSpec> make_host_table() {
  Table<HostSpec> table("host", "a machine that runs guests");
  table.field("name", &HostSpec::name, name(), "What the rest of the file calls it.");
  add_count(table, "So many of them, called NAME-0, NAME-1 ...; absent: one, called NAME.");
  table.field("cores", &HostSpec::cores, count(1, 65536), "Processor cores.").or_else(8);
  table.field("profile", &HostSpec::profile, profile(), "What its boundary between guest and hypervisor costs.")
      .or_else("modern-x86");
  return table;
}

Table<LinkSpec> make_link_table() {
  Table<LinkSpec> table("link", "a connection between two hosts or switches");
  table.takes_turns();
  add_count(table, "So many of them; of ends that stand for many the i-th link takes the i-th. Absent: one.");
  auto& between =
      table.field("between", &LinkSpec::between, list(name_of("the name of a host or a switch")), "The two ends.");
  between.kind = "list of two names of hosts or switches";
  between.read = [inner = between.read](const Node& node, LinkSpec& link, Issues& issues) {
    if (!inner(node, link, issues)) return false;
    if (link.between.size() == 2) return true;
    return issues.at(node, fmt::format("expected two ends, got {}", link.between.size())), false;
  };
  between.schema = [inner = between.schema] {
    Json schema = inner();
    schema["minItems"] = schema["maxItems"] = 2;
    return schema;
  };
  table.field("bandwidth", &LinkSpec::bandwidth, rate({"1 kbit/s", "10 Tbit/s"}), "Capacity, in each direction.")
      .or_else("1 Gbit/s");
  table.field("latency", &LinkSpec::latency, time({"0 s", "10 s"}), "One-way propagation delay.").or_else("50 us");
  table
      .field("model", &LinkSpec::model,
             with_later(choice<LinkModel>(
                            {{"fluid", LinkModel::kFluid, "Payload at capacity, max-min fair sharing, no overhead."}}),
                        "tcp"),
             "How transfers share it.")
      .or_else("fluid");
  return table;
}

void add_class_place(Table<PageClassOptions>& table) {
  const Codec<Bytes> offset = bytes({"0 B", "16 TiB"});
  auto& at = table.add("at", "\"high\", or an offset as " + offset.kind,
                       "Where it lies: at the top of memory below classes placed there before, or from an offset on; "
                       "absent: at the lowest place still unclaimed.");
  at.required = false;
  at.in_turn = true;
  at.schema = [=] { return Json{{"anyOf", {Json{{"const", "high"}}, offset.schema()}}}; };
  at.read = [=](const Node& node, PageClassOptions& o, Issues& issues) {
    o.at_high = node.is(Node::Type::kString) && node.text == "high";
    if (o.at_high) return true;
    if (node.is(Node::Type::kString) && node.text == "scattered")
      return issues.at(node, "scattered is not supported yet"), false;
    Bytes where;
    const bool ok = offset.read(node, where, issues);
    if (ok) o.at = where;
    return ok;
  };
  at.write = [=](const PageClassOptions& o) -> std::optional<Json> {
    if (o.at_high) return Json("high");
    return o.at ? std::optional<Json>(offset.write(*o.at)) : std::nullopt;
  };
}

Table<PageClassOptions> make_page_class_table() {
  Table<PageClassOptions> table("page_class", "a part of a guest's memory that is not plain");
  table.takes_turns();
  table.field("class", &PageClassOptions::kind,
              choice<PageKind>({{"zero", PageKind::kZero, "Never written: full of zeroes."},
                                {"free", PageKind::kFree, "In use by nobody, whatever is in it."},
                                {"page_cache", PageKind::kPageCache, "Clean copies of what a disk has."}}),
              "What it is.");
  table.field("share", &PageClassOptions::share, share({"0 %", "100 %"}), "Of the guest's memory.");
  add_class_place(table);
  return table;
}

Table<GuestSpec> make_guest_table() {
  Table<GuestSpec> table("guest", "a virtual machine");
  table.takes_turns();
  table.field("name", &GuestSpec::name, name(), "What the rest of the file calls it.");
  add_count(table, "So many of them, called NAME-0, NAME-1 ...; absent: one, called NAME.");
  table.maybe("host", &GuestSpec::host_name, name_of("the name of a host"),
              "Where it runs at first; absent: on the first host. Of a host that stands for many: on each in turn.");
  table.field("memory", &GuestSpec::memory, bytes({"1 MiB", "16 TiB"}), "All its memory, a multiple of page_size.");
  table
      .field("page_size", &GuestSpec::page_size, bytes({"4 KiB", "2 MiB"}), "What is tracked and sent; a power of two.")
      .or_else("4 KiB");
  table.field("vcpus", &GuestSpec::vcpus, count(1, 65536), "Virtual CPUs.").or_else(1);
  table
      .field("cpu_demand", &GuestSpec::cpu_demand, share({"0 %", "100 %"}),
             "Of all its virtual CPUs, for a paced workload.")
      .or_else("0 %");
  table
      .field("device_state", &GuestSpec::device_state, bytes({"0 B", "64 GiB"}),
             "State of devices and processors, sent while the guest is stopped.")
      .or_else("0 B");
  table
      .field(
          "contents", &GuestSpec::contents,
          choice<sim::Contents>(
              {{"versions", sim::Contents::kVersions, "Nothing: the page oracle knows which pages were written."},
               {"bytes", sim::Contents::kBytes,
                "Real bytes, through the real encoder, checksum, zero test and decoder. At most 64 MiB of memory."}}),
          "What pages hold. The result is the same.")
      .or_else("versions");
  table
      .field("pages", &GuestSpec::pages, list(object("page_class", "page classes", &page_class_table), 0, 1000),
             "Parts of the memory that are not plain.")
      .or_else(Json::array());
  table
      .field("workload", &GuestSpec::workload, object("workload", "a workload", &workload_table),
             "What the guest writes.")
      .or_else(Json{{"kind", "idle"}});
  return table;
}

Table<TrafficSpec> make_traffic_table() {
  Table<TrafficSpec> table("traffic", "what a guest and somebody else send each other");
  table.field("guest", &TrafficSpec::guest, name_of("the name of a guest"), "The guest.");
  table.field("peer", &TrafficSpec::peer, name_of("the name of a host or a switch"), "The other end.");
  table.field("rate", &TrafficSpec::rate, rate({"0 bit/s", "10 Tbit/s"}),
              "In each direction, while the guest runs; it flows from wherever the guest is.");
  table
      .field("kind", &TrafficSpec::kind,
             choice<TrafficKind>({{"request", TrafficKind::kRequest, "Requests and their answers, evenly."}}),
             "What kind of traffic it is.")
      .or_else("request");
  return table;
}

Table<Goal> make_goal_table() {
  Table<Goal> table("goal", "what every strategy is asked for");
  table.maybe("downtime", &Goal::downtime, time({"0 s", "1 h"}), "The longest downtime that is wanted.");
  table.maybe("bandwidth", &Goal::bandwidth, rate({"1 kbit/s", "10 Tbit/s"}), "The most that the migration may send.");
  return table;
}

void add_strategy(Table<MigrationSpec>& table) {
  auto& strategy =
      table.add("strategy", fmt::format("one of {}, or an object with a name and parameters", joined(strategy_names())),
                "How. Its parameters override the goal.");
  strategy.schema = [] { return Json{{"$ref", "#/definitions/strategy"}}; };
  strategy.read = [](const Node& node, MigrationSpec& m, Issues& issues) {
    const std::string parent = node.pointer.substr(0, node.pointer.rfind('/'));
    return read_strategy(node, m.goal, parent + "/goal", m.strategy, issues);
  };
  strategy.write = [](const MigrationSpec& m) -> std::optional<Json> { return write_strategy(m.strategy); };
}

Table<sim::FileOptions> make_file_table() {
  Table<sim::FileOptions> table("file", "a file for a checkpoint");
  table.field("file", &sim::FileOptions::path, text(), "Its path, relative to where godwit runs.");
  table
      .field("bandwidth", &sim::FileOptions::bandwidth, rate({"1 kbit/s", "10 Tbit/s"}),
             "Of the storage, from each host. The default is that of a plain NVMe drive.")
      .or_else("1 GB/s");
  return table;
}

void add_target(Table<MigrationSpec>& table) {
  const Codec<std::string> host = name_of("the name of a host");
  const Codec<sim::FileOptions> file = object("file", "a file", &file_table);
  auto& to = table.add("to", "the name of a host, or an object with a file for a checkpoint",
                       "Where to. Of a host that stands for many: to each in turn.");
  to.schema = [=] { return Json{{"anyOf", {host.schema(), file.schema()}}}; };
  to.read = [=](const Node& node, MigrationSpec& m, Issues& issues) {
    if (!node.is(Node::Type::kObject)) return host.read(node, m.to, issues);
    return file.read(node, m.file.emplace(), issues);
  };
  to.write = [=](const MigrationSpec& m) -> std::optional<Json> {
    return m.file ? file.write(*m.file) : host.write(m.to);
  };
}

Table<MigrationSpec> make_migration_table() {
  Table<MigrationSpec> table("migration", "a guest's move to another host");
  table.maybe("guest", &MigrationSpec::guest, name_or_all_of("the name of a guest"),
              "Who moves; may be absent where there is one guest. \"vm-*\": all whose names begin with vm-, in order.");
  add_target(table);
  table.field("at", &MigrationSpec::at, time({"0 s", "10000 h"}), "When it is asked for; with after, how long after.")
      .or_else("0 s");
  table.maybe("after", &MigrationSpec::after, name_of("the name of a guest"),
              "It begins when the migration of this guest, earlier in the list, has ended.");
  auto& goal = table.field("goal", &MigrationSpec::goal, object("goal", "a goal", &goal_table),
                           "Common to all strategies; each maps it to its own parameters.");
  goal.or_else(Json::object());
  table
      .field("connection_timeout", &MigrationSpec::connection_timeout, time({"1 us", "10000 h"}),
             "Without any progress for this long the connection is given up. The default is Linux's: 15 "
             "retransmissions.")
      .or_else("924.6 s");
  add_strategy(table);
  return table;
}

Table<Expectation> make_expectation_table() {
  Table<Expectation> table("expectation", "what a value of the result must be");
  const auto number = [&](const char* field, std::optional<double> Expectation::*member, const char* doc) {
    auto& added = table.add(field, "number", doc).optional();
    added.schema = [] { return Json{{"type", "number"}}; };
    added.read = [=](const Node& node, Expectation& e, Issues& issues) {
      if (!node.is(Node::Type::kNumber)) return issues.at(node, "expected a number, got " + shown(node)), false;
      return e.*member = Json::parse(node.text).get<double>(), true;
    };
    added.write = [=](const Expectation& e) { return e.*member ? std::optional<Json>(*(e.*member)) : std::nullopt; };
  };
  number("at_least", &Expectation::at_least, "It must not be less.");
  number("at_most", &Expectation::at_most, "It must not be more.");
  auto& equals = table.add("equals", "number, text, true, false or null", "It must be this.").optional();
  equals.schema = [] { return Json{{"type", {"number", "string", "boolean", "null"}}}; };
  equals.read = [](const Node& node, Expectation& e, Issues& issues) {
    if (node.is(Node::Type::kObject) || node.is(Node::Type::kArray))
      return issues.at(node, "expected a number, a text, true, false or null, got " + shown(node)), false;
    return e.equals = to_json(node), true;
  };
  equals.write = [](const Expectation& e) { return e.equals; };
  return table;
}

void add_expect(Table<ScenarioSpec>& table) {
  auto& expect = table.add("expect", "object: a JSON pointer into the result, and what must be there",
                           "What godwit check holds the result against.");
  expect.schema = [] {
    return Json{{"type", "object"},
                {"maxProperties", kExpectationsMost},
                {"propertyNames", {{"pattern", "^/"}}},
                {"additionalProperties", {{"$ref", "#/definitions/expectation"}}}};
  };
  expect.read = [](const Node& node, ScenarioSpec& s, Issues& issues) {
    if (!node.is(Node::Type::kObject))
      return issues.at(node, "expected an object of pointers into the result, got " + shown(node)), false;
    if (node.children.size() > kExpectationsMost)
      return issues.at(node, fmt::format("expected at most {} expectations, got {}", kExpectationsMost,
                                         node.children.size())),
             false;
    bool ok = true;
    for (const Node& child : node.children) {
      Expectation& expectation = s.expect.emplace_back();
      expectation.pointer = child.key;
      if (!child.key.starts_with("/"))
        ok = false, issues.at_name(child, "expected a JSON pointer such as /migrations/0/downtime_ms");
      ok &= expectation_table().read(child, expectation, issues);
    }
    return ok;
  };
  expect.write = [](const ScenarioSpec& s) -> std::optional<Json> {
    Json object = Json::object();
    for (const Expectation& each : s.expect) object[each.pointer] = expectation_table().write(each);
    return object;
  };
  expect.or_else(Json::object());
}

Table<ScenarioSpec> make_scenario_table() {
  Table<ScenarioSpec> table("scenario", "a scenario");
  auto& schema = table.add("$schema", "text", "Where an editor finds the schema.").optional();
  schema.schema = [] { return Json{{"type", "string"}}; };
  schema.read = [](const Node&, ScenarioSpec&, Issues&) { return true; };
  table.field("name", &ScenarioSpec::name, name(), "What reports call it; absent: the name of the file.")
      .or_else("scenario");
  table.maybe("question", &ScenarioSpec::question, text(), "What the scenario is there to answer.");
  table.maybe("notes", &ScenarioSpec::notes, text(),
              "Where its numbers come from, and whatever else a reader should know.");
  table.field("seed", &ScenarioSpec::seed, whole_number(0, INT64_MAX), "Of all random numbers.").or_else(1);
  table.field("horizon", &ScenarioSpec::horizon, time({"1 us", "10000 h"}), "When the run ends at the latest.")
      .or_else("1 h");
  table
      .field("max_parallel", &ScenarioSpec::max_parallel, count(0, 1'000'000),
             "How many migrations run at the same time; 0: no bound.")
      .or_else(0);
  table.field("hosts", &ScenarioSpec::hosts, list(object("host", "hosts", &host_table), 1), "The machines.");
  table.field("switches", &ScenarioSpec::switches, list(name()), "Names of switches, which links may join.")
      .or_else(Json::array());
  table.field("links", &ScenarioSpec::links, list(many(object("link", "links", &link_table))), "What connects them.")
      .or_else(Json::array());
  table
      .field("guests", &ScenarioSpec::guests, list(many(object("guest", "guests", &guest_table))),
             "The virtual machines.")
      .or_else(Json::array());
  table
      .field("traffic", &ScenarioSpec::traffic, list(object("traffic", "traffic", &traffic_table)),
             "What else uses the links.")
      .or_else(Json::array());
  table
      .field("migrations", &ScenarioSpec::migrations, list(object("migration", "migrations", &migration_table)),
             "Who moves, when, where to and how.")
      .or_else(Json::array());
  table
      .field("events", &ScenarioSpec::events, list(object("event", "events", &event_table)),
             "Faults and commands during the run.")
      .or_else(Json::array());
  add_expect(table);
  return table;
}

}  // namespace

const Table<ScenarioSpec>& scenario_table() {
  static const Table<ScenarioSpec> table = make_scenario_table();
  return table;
}

const Table<HostSpec>& host_table() {
  static const Table<HostSpec> table = make_host_table();
  return table;
}

const Table<LinkSpec>& link_table() {
  static const Table<LinkSpec> table = make_link_table();
  return table;
}

const Table<GuestSpec>& guest_table() {
  static const Table<GuestSpec> table = make_guest_table();
  return table;
}

const Table<PageClassOptions>& page_class_table() {
  static const Table<PageClassOptions> table = make_page_class_table();
  return table;
}

const Table<TrafficSpec>& traffic_table() {
  static const Table<TrafficSpec> table = make_traffic_table();
  return table;
}

const Table<MigrationSpec>& migration_table() {
  static const Table<MigrationSpec> table = make_migration_table();
  return table;
}

const Table<sim::FileOptions>& file_table() {
  static const Table<sim::FileOptions> table = make_file_table();
  return table;
}

const Table<Goal>& goal_table() {
  static const Table<Goal> table = make_goal_table();
  return table;
}

const Table<Expectation>& expectation_table() {
  static const Table<Expectation> table = make_expectation_table();
  return table;
}

}  // namespace godwit::scenarios
