#include "scenarios/strategy.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <mutex>
#include <optional>

#include "base/check.h"
#include "scenarios/embedded.h"
#include "scenarios/json_reader.h"

namespace godwit::scenarios {
namespace {

using sim::StrategyOptions;
using Mechanism = Table<StrategyOptions>::Field;

const Mechanism* find_mechanism(std::string_view name) {
  for (const Mechanism& each : mechanism_table().fields())
    if (each.name == name) return &each;
  return nullptr;
}

std::vector<std::string> mechanism_names() {
  std::vector<std::string> names;
  for (const Mechanism& each : mechanism_table().fields()) names.push_back(each.name);
  return names;
}

bool set(const Parameter& parameter, const Node& node, StrategySpec& spec, Issues& issues) {
  if (!parameter.sets.empty()) {
    if (!find_mechanism(parameter.sets)->read(node, spec.options, issues)) return false;
    if (parameter.also) GODWIT_CHECK(mechanism_table().read(*parameter.also, spec.options, issues));
    return true;
  }
  const auto chosen = parameter.choices.find(node.is(Node::Type::kString) ? node.text : "");
  if (chosen == parameter.choices.end()) {
    std::vector<std::string> names;
    for (const auto& [name, sets] : parameter.choices) names.push_back(name);
    return issues.at(node, not_one_of(node, names)), false;
  }
  spec.chosen[parameter.name] = chosen->first;
  return mechanism_table().read(chosen->second, spec.options, issues);
}

bool apply_goal(const Strategy& strategy, const char* field, const std::string& parameter,
                const std::optional<Json>& value, const std::string& goal_pointer, StrategySpec& spec, Issues& issues) {
  if (!value) return true;
  if (parameter.empty()) return spec.options.goal_ignored.push_back(field), true;
  return set(*strategy.find(parameter), to_node(*value, goal_pointer + "/" + field), spec, issues);
}

/// Those that set one mechanism, or the choices among several. In the strategy's own order: a parameter that sets several
/// mechanisms comes before those that set one of them.
bool apply_parameters(const Strategy& strategy, const Node& node, bool choices, StrategySpec& spec, Issues& issues) {
  bool ok = true;
  for (const Parameter& parameter : strategy.parameters) {
    const Node* child = node.find(parameter.name);
    if (child != nullptr && parameter.sets.empty() == choices) ok &= set(parameter, *child, spec, issues);
  }
  return ok;
}

bool check_names(const Strategy& strategy, const Node& node, Issues& issues) {
  bool ok = true;
  for (const Node& child : node.children) {
    if (child.key == "name" || strategy.find(child.key) != nullptr) continue;
    std::vector<std::string> names = strategy.parameter_names();
    const std::string hint = did_you_mean(child.key, names);
    issues.at_name(child, fmt::format("{} has no such parameter{}", strategy.name(),
                                      hint.empty() ? "; it has " + joined(names) : hint));
    ok = false;
  }
  return ok;
}

bool check(const Node& node, const StrategyOptions& options, Issues& issues) {
  const core::Plan& plan = options.plan;
  const std::size_t before = issues.size();
  if (plan.rate != core::RateLaw::kUnlimited && plan.rate_max.value == 0)
    issues.at(node, "this rate law needs a bandwidth of at most what to send: give max_bandwidth or rate_max");
  if (plan.rate == core::RateLaw::kAdaptive && plan.rate_start.value == 0)
    issues.at(node, "rate adaptive needs a rate_start above 0 bit/s");
  if (plan.rate == core::RateLaw::kAdaptive && plan.rate_start > plan.rate_max)
    issues.at(node, "rate_start is above the highest rate");
  if (plan.deltas && plan.channels > 0)
    issues.at(node, "deltas (xbzrle) and channels (multifd) exclude each other, as QEMU refuses them together");
  if (plan.dirty_limit.on && plan.throttle.on)
    issues.at(node, "dirty_limit and throttle (auto_converge) exclude each other, as QEMU refuses them together");
  if (plan.dirty_limit.on && options.tracker != models::Tracker::kDirtyRing)
    issues.at(node, "dirty_limit needs a dirty ring, as in QEMU: with dirty_log dirty-ring (accel kvm-dirty-ring)");
  if (plan.postcopy.preempt && plan.switch_over != core::Switch::kPostCopy)
    issues.at(node, "postcopy_preempt needs post-copy, as in QEMU: with switch post_copy (postcopy on)");
  if (!std::has_single_bit(plan.delta_cache.value))
    issues.at(node, "delta_cache (xbzrle_cache_size) must be a power of two");
  const bool looks = plan.round_rule == core::RoundRule::kBelowThreshold;
  if (plan.switch_over == core::Switch::kPostCopy && looks != plan.postcopy.on_request())
    issues.at(node, looks ? "post-copy must be asked for: give postcopy_after_rounds or postcopy_after"
                          : "postcopy_after_rounds and postcopy_after need round_rule below_threshold");
  if (plan.clear_chunk.value % 64 != 0) issues.at(node, "clear_chunk must be a multiple of 64 pages");
  if (plan.round_rule == core::RoundRule::kBelowThreshold && !plan.stop.budget)
    issues.at(node, "round_rule below_threshold needs the budget, whose threshold it uses");
  return issues.size() == before;
}

// ---- strategy files

/// Those of a strategy that is based on another take the place of the other's.
void add_sources(const Sources& more, const std::string& prefix, Sources& sources) {
  for (const auto& [field, source] : more) {
    const auto known = std::ranges::find(sources, prefix + field, &Sources::value_type::first);
    if (known == sources.end())
      sources.emplace_back(prefix + field, source);
    else
      known->second = source;
  }
}

bool read_choices(const Node& node, Parameter& parameter, Sources& sources, Issues& issues) {
  StrategyOptions scratch;
  for (const Node& child : node.children) {
    Sources found;
    const Node bare = without_sources(child, found, issues);
    if (!mechanism_table().read(bare, scratch, issues)) return false;
    parameter.choices[child.key] = bare;
    add_sources(found, fmt::format("{} {}: ", parameter.name, child.key), sources);
  }
  return true;
}

Parameter read_parameter(const Node& node, Sources& sources, Issues& issues) {
  Parameter parameter;
  parameter.name = node.key;
  Table<Parameter> table("parameter", "a parameter of a strategy");
  table.field("sets", &Parameter::sets, text(), "The mechanism.").optional();
  table.field("doc", &Parameter::doc, text(), "What it means.").optional();
  table.add("also", "", "").optional().read = [](const Node& also, Parameter& p, Issues& all) {
    StrategyOptions scratch;
    p.also = also;
    return mechanism_table().read(also, scratch, all);
  };
  table.add("choices", "", "").optional().read = [&sources](const Node& choices, Parameter& p, Issues& all) {
    return read_choices(choices, p, sources, all);
  };
  table.field("default", &Parameter::chosen, text(), "Of a choice.").optional();
  if (!table.read(node, parameter, issues)) return parameter;
  const Mechanism* mechanism = find_mechanism(parameter.sets);
  if (parameter.choices.empty() && mechanism == nullptr)
    issues.at(node, "expected a mechanism to set" + did_you_mean(parameter.sets, mechanism_names()));
  if (!parameter.choices.empty() && !parameter.choices.contains(parameter.chosen))
    issues.at(node, "expected the default to be one of the choices");
  if (parameter.doc.empty() && mechanism != nullptr) parameter.doc = mechanism->doc;
  return parameter;
}

/// Makes parameters of the mechanisms that `node` lists, or with true of all that no other parameter sets.
bool open_mechanisms(const Node& node, Strategy& strategy, Issues& issues) {
  std::vector<std::string> names;
  if (node.is(Node::Type::kBoolean)) names = mechanism_names();
  for (const Node& child : node.children) names.push_back(child.text);
  for (const std::string& name : names) {
    const Mechanism* mechanism = find_mechanism(name);
    if (mechanism == nullptr) return issues.at(node, "unknown mechanism " + name), false;
    const bool taken = std::any_of(strategy.parameters.begin(), strategy.parameters.end(),
                                   [&](const Parameter& p) { return p.sets == name || p.name == name; });
    if (!taken)
      strategy.parameters.push_back(
          {.name = name, .doc = mechanism->doc, .sets = name, .also = {}, .choices = {}, .chosen = {}});
  }
  return true;
}

/// One of the same name gives way.
void add_parameter(Parameter added, Strategy& strategy) {
  for (Parameter& known : strategy.parameters)
    if (known.name == added.name) return known = std::move(added), void();
  strategy.parameters.push_back(std::move(added));
}

bool start_from(const Node& node, Strategy& strategy, Issues& issues) {
  for (const embedded::File& file : embedded::strategies()) {
    if (file.name != node.text) continue;
    const std::optional<Strategy> base = parse_strategy(file.text, issues);
    if (base) strategy = *base;
    return base.has_value();
  }
  return issues.at(node, "there is no strategy file of that name"), false;
}

Table<Strategy> strategy_file_table() {
  Table<Strategy> table("strategy_file", "a strategy");
  table.add("based_on", "the name of another strategy, from which it differs in what follows", "").optional().read =
      &start_from;
  table.field(
      "name", [](Strategy& s) -> std::string& { return s.options.name; }, name(), "");
  table.field("summary", &Strategy::summary, text(), "");
  table.field("models", &Strategy::models, text(), "");
  table.field("validation", &Strategy::validation, text(), "");
  table.add("plan", "mechanisms", "").optional().read = [](const Node& node, Strategy& s, Issues& issues) {
    Sources found;
    const Node bare = without_sources(node, found, issues);
    add_sources(found, "", s.sources);
    return mechanism_table().read(bare, s.options, issues);
  };
  table.add("parameters", "parameters", "").optional().read = [](const Node& node, Strategy& s, Issues& issues) {
    for (const Node& child : node.children) add_parameter(read_parameter(child, s.sources, issues), s);
    return true;
  };
  table.add("open", "mechanisms", "").optional().read = &open_mechanisms;
  table.add("goal", "", "").optional().read = [](const Node& node, Strategy& s, Issues& issues) {
    Table<Strategy> goal("goal", "what the common goal sets");
    goal.field("downtime", &Strategy::downtime_parameter, text(), "").optional();
    goal.field("bandwidth", &Strategy::bandwidth_parameter, text(), "").optional();
    return goal.read(node, s, issues);
  };
  return table;
}

/// The strategy of the `i`-th file, which bears its name. Read when it is asked for first: most runs need one of them.
const Strategy& strategy_of_file(std::size_t i) {
  struct Slot {
    std::once_flag once;
    std::optional<Strategy> strategy;
  };
  static const auto slots = std::make_unique<Slot[]>(embedded::strategies().size());
  Slot& slot = slots[i];
  std::call_once(slot.once, [&] {
    const embedded::File& file = embedded::strategies()[i];
    Issues issues{std::string(file.name)};
    slot.strategy = parse_strategy(file.text, issues);
    GODWIT_CHECK(slot.strategy.has_value() && issues.empty() && slot.strategy->name() == file.name);
  });
  return *slot.strategy;
}

}  // namespace

const Parameter* Strategy::find(std::string_view parameter) const {
  for (const Parameter& each : parameters)
    if (each.name == parameter) return &each;
  return nullptr;
}

std::vector<std::string> Strategy::parameter_names() const {
  std::vector<std::string> names;
  for (const Parameter& each : parameters) names.push_back(each.name);
  return names;
}

const std::vector<std::reference_wrapper<const Strategy>>& strategies() {
  static const auto all = [] {
    std::vector<std::reference_wrapper<const Strategy>> each;
    for (std::size_t i = 0; i < embedded::strategies().size(); ++i) each.emplace_back(strategy_of_file(i));
    return each;
  }();
  return all;
}

const Strategy* find_strategy(std::string_view name) {
  const std::span<const embedded::File> files = embedded::strategies();
  const auto found = std::ranges::find(files, name, &embedded::File::name);
  return found == files.end() ? nullptr : &strategy_of_file(static_cast<std::size_t>(found - files.begin()));
}

std::vector<std::string> strategy_names() {
  std::vector<std::string> names;
  for (const embedded::File& file : embedded::strategies()) names.emplace_back(file.name);
  return names;
}

StrategySpec default_of(const Strategy& strategy) {
  StrategySpec spec{strategy.options, {}};
  for (const Parameter& parameter : strategy.parameters)
    if (!parameter.choices.empty()) spec.chosen[parameter.name] = parameter.chosen;
  return spec;
}

std::string kind_of(const Parameter& parameter) {
  if (!parameter.sets.empty()) return find_mechanism(parameter.sets)->kind;
  std::vector<std::string> names;
  for (const auto& [name, sets] : parameter.choices) names.push_back(name);
  return "one of " + joined(names);
}

Json mechanism_schema(std::string_view name) { return find_mechanism(name)->schema(); }

bool read_strategy(const Node& node, const Goal& goal, const std::string& goal_pointer, StrategySpec& spec,
                   Issues& issues) {
  const Node* named = node.is(Node::Type::kObject) ? node.find("name") : &node;
  if (named == nullptr) return issues.at(node, "the field name is missing: one of " + joined(strategy_names())), false;
  const Strategy* strategy = named->is(Node::Type::kString) ? find_strategy(named->text) : nullptr;
  if (strategy == nullptr) return issues.at(*named, not_one_of(*named, strategy_names())), false;

  spec = default_of(*strategy);
  std::optional<Json> downtime, bandwidth;
  if (goal.downtime) downtime = format_quantity(Dimension::kTime, static_cast<std::uint64_t>(goal.downtime->count()));
  if (goal.bandwidth) bandwidth = format_quantity(Dimension::kRate, goal.bandwidth->value);
  // A policy sets its own limits, which the goal replaces, and a parameter of its own the goal's.
  const bool object = node.is(Node::Type::kObject);
  bool ok = !object || apply_parameters(*strategy, node, true, spec, issues);
  ok &= apply_goal(*strategy, "downtime", strategy->downtime_parameter, downtime, goal_pointer, spec, issues);
  ok &= apply_goal(*strategy, "bandwidth", strategy->bandwidth_parameter, bandwidth, goal_pointer, spec, issues);
  if (object) ok &= apply_parameters(*strategy, node, false, spec, issues) && check_names(*strategy, node, issues);
  return ok && check(node, spec.options, issues);
}

Json write_strategy(const StrategySpec& spec) {
  const Strategy* strategy = find_strategy(spec.options.name);
  GODWIT_CHECK(strategy != nullptr);
  Json object{{"name", spec.options.name}};
  for (const Parameter& parameter : strategy->parameters) {
    if (parameter.sets.empty())
      object[parameter.name] = spec.chosen.at(parameter.name);
    else
      object[parameter.name] = *find_mechanism(parameter.sets)->write(spec.options);
  }
  return object;
}

std::optional<Strategy> parse_strategy(std::string_view text, Issues& issues) {
  const std::optional<Node> root = read_json(text, issues);
  if (!root) return std::nullopt;
  Strategy strategy;
  const bool ok = strategy_file_table().read(*root, strategy, issues);
  for (const std::string& parameter : {strategy.downtime_parameter, strategy.bandwidth_parameter})
    if (!parameter.empty() && strategy.find(parameter) == nullptr)
      issues.at(*root, "the goal sets the parameter " + parameter + ", which is not there");
  if (!ok || !issues.empty()) return std::nullopt;
  return strategy;
}

}  // namespace godwit::scenarios
