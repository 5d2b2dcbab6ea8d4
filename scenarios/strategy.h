#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/fields.h"
#include "scenarios/sourced.h"
#include "sim/options.h"

namespace godwit::scenarios {

/// What every strategy is asked for, so that a comparison is one between equals.
struct Goal {
  std::optional<Nanos> downtime;
  std::optional<BitsPerSecond> bandwidth;
};

/// A name under which a strategy lets one of its mechanisms be set.
struct Parameter {
  std::string name;
  std::string doc;
  std::string sets;                     ///< The mechanism; empty for a choice.
  std::optional<Node> also;             ///< Further mechanisms that setting it sets.
  std::map<std::string, Node> choices;  ///< Of a choice: the mechanisms that each value sets.
  std::string chosen;                   ///< Of a choice: the default.
};

/// A migration algorithm as data: a named choice of mechanisms and numbers.
struct Strategy {
  std::string summary;
  std::string models;      ///< What of the original it has, and what it leaves out.
  std::string validation;  ///< What it was held against, and how far off it was, in Markdown of docs/strategies.
  sim::StrategyOptions options;
  std::vector<Parameter> parameters;
  std::string downtime_parameter;  ///< What the goal sets; empty: it has no such parameter.
  std::string bandwidth_parameter;
  Sources sources;

  const std::string& name() const { return options.name; }
  const Parameter* find(std::string_view parameter) const;
  std::vector<std::string> parameter_names() const;
};

/// A strategy with its parameters set.
struct StrategySpec {
  sim::StrategyOptions options;
  std::map<std::string, std::string> chosen;  ///< Of parameters that are choices.
};

/// All of them, sorted by name.
const std::vector<std::reference_wrapper<const Strategy>>& strategies();

/// The strategy called `name`, or null.
const Strategy* find_strategy(std::string_view name);

std::vector<std::string> strategy_names();

/// The strategy as it is when nobody sets anything.
StrategySpec default_of(const Strategy& strategy);

/// What a parameter takes: "time, 0 s to 1 h".
std::string kind_of(const Parameter& parameter);

/// The schema of a mechanism's value. Requires it to exist.
Json mechanism_schema(std::string_view name);

/// The mechanisms of the core that a strategy chooses among. All may stay away: an absent one stays what it is.
const Table<sim::StrategyOptions>& mechanism_table();

/// Reads a strategy, a name or an object with a name and parameters, under `goal`, whose pointer is `goal_pointer`.
bool read_strategy(const Node& node, const Goal& goal, const std::string& goal_pointer, StrategySpec& spec,
                   Issues& issues);

/// The strategy with all its parameters written out.
Json write_strategy(const StrategySpec& spec);

/// The text of a strategy file.
std::optional<Strategy> parse_strategy(std::string_view text, Issues& issues);

}  // namespace godwit::scenarios
