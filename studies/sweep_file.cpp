#include "studies/sweep_file.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/units.h"
#include "scenarios/fields.h"
#include "scenarios/load.h"
#include "studies/spacing.h"

namespace godwit::studies {
namespace {

using scenarios::Issue;
using scenarios::Issues;
using scenarios::Json;
using scenarios::Node;

constexpr std::uint32_t kSeedsMost = 1'000'000;
constexpr std::size_t kValuesMost = 100'000;

struct SweepSpec {
  Sweep sweep;
  std::filesystem::path dir;  ///< Of the sweep's file.
};

bool read_base(const Node& node, SweepSpec& spec, Issues& issues) {
  Sweep& sweep = spec.sweep;
  if (node.is(Node::Type::kObject)) {
    sweep.base = scenarios::to_node(to_json(node));
    return true;
  }
  if (!node.is(Node::Type::kString)) return issues.at(node, "expected a scenario, or the name of its file"), false;
  const std::filesystem::path path = spec.dir / node.text;
  Issues inner(path.string());
  std::optional<Node> read = scenarios::read_document(path, inner);
  for (const Issue& each : inner.take()) issues.add(each);
  if (!read) return false;
  sweep.base = std::move(*read);
  sweep.base_file = path.string();
  sweep.base_dir = path.parent_path();
  return true;
}

std::vector<Json> values_of(const Node& node, Issues& issues) {
  if (node.is(Node::Type::kObject)) return spaced_values(node, issues);
  std::vector<Json> values;
  if (!node.is(Node::Type::kArray) || node.children.empty()) {
    issues.at(node, "expected a list of one value at least, or an object with from, to and steps, got " + shown(node));
  } else if (node.children.size() > kValuesMost) {
    issues.at(node, fmt::format("expected at most {} values, got {}", kValuesMost, node.children.size()));
  } else {
    for (const Node& child : node.children) values.push_back(to_json(child));
  }
  return values;
}

bool read_axes(const Node& node, SweepSpec& spec, Issues& issues) {
  if (!node.is(Node::Type::kObject)) return issues.at(node, "expected an object, got " + shown(node)), false;
  const std::size_t before = issues.size();
  std::vector<Axis>& axes = spec.sweep.axes;
  for (const Node& child : node.children) {
    const auto hides = [&](const Axis& each) { return (each.pointer + "/").starts_with(child.key + "/"); };
    if (const auto hidden = std::ranges::find_if(axes, hides); hidden != axes.end())
      issues.at_name(child, fmt::format("this would replace what {} sets before it", hidden->pointer));
    Axis axis{child.key, values_of(child, issues)};
    std::set<std::string> seen;
    for (const Json& value : axis.values)
      if (!seen.insert(value.dump()).second) issues.at(child, "there twice: " + value.dump());
    axes.push_back(std::move(axis));
  }
  return issues.size() == before;
}

const scenarios::Table<SweepSpec>& sweep_table() {
  static const scenarios::Table<SweepSpec> table = [] {
    scenarios::Table<SweepSpec> made("sweep", "a sweep");
    made.add("$schema", "", "").optional().read = [](const Node&, SweepSpec&, Issues&) { return true; };
    made.field(
            "name", [](SweepSpec& s) -> std::string& { return s.sweep.name; }, scenarios::name(), "")
        .optional();
    made.maybe(
        "question", [](SweepSpec& s) -> std::optional<std::string>& { return s.sweep.question; }, scenarios::text(),
        "");
    made.add("base", "a scenario, or the name of its file", "").read = &read_base;
    made.add("vary", "for each pointer into the scenario, its values", "").read = &read_axes;
    made.field(
            "seeds", [](SweepSpec& s) -> std::uint32_t& { return s.sweep.seeds; }, scenarios::count(1, kSeedsMost), "")
        .or_else(1);
    return made;
  }();
  return table;
}

Node placed(const Sweep& sweep, const Point& point, std::optional<std::string>& wrong) {
  Node root = sweep.base;
  for (std::size_t i = 0; i < sweep.axes.size() && !wrong; ++i)
    wrong = scenarios::set_at(root, sweep.axes[i].pointer, sweep.axes[i].values[point.values[i]]);
  return root;
}

std::vector<Issue> issues_at(const Sweep& sweep, const Point& point) {
  std::optional<std::string> wrong;
  const Node root = placed(sweep, point, wrong);
  if (wrong) return {{sweep.base_file, 0, 0, "", *wrong}};
  auto options = scenarios::options_of(root, sweep.base_file, sweep.base_dir);
  if (auto* issues = std::get_if<std::vector<Issue>>(&options)) return std::move(*issues);
  return {};
}

/// Says what is wrong with each value, once where several are wrong in the same way.
void check_values(const Sweep& sweep, const Node& vary, Issues& issues) {
  Point first, last;
  for (const Axis& axis : sweep.axes) {
    first.values.push_back(0);
    last.values.push_back(static_cast<std::uint32_t>(axis.values.size() - 1));
  }
  std::set<std::string> said;
  const auto say = [&](const Node& node, const std::vector<Issue>& found) {
    for (const Issue& each : found) {
      std::string text = each.pointer.empty() ? each.message : each.pointer + ": " + each.message;
      if (said.insert(text).second) issues.at(node, std::move(text));
    }
  };
  if (sweep.axes.empty()) say(vary, issues_at(sweep, first));
  for (std::size_t i = 0; i < sweep.axes.size(); ++i) {
    const Node* axis = vary.find(sweep.axes[i].pointer);
    GODWIT_CHECK(axis != nullptr);
    for (std::uint32_t value = 0; value < sweep.axes[i].values.size() && !issues.full(); ++value) {
      Point low = first, high = last;
      low.values[i] = high.values[i] = value;
      const std::vector<Issue> found = issues_at(sweep, low);
      if (found.empty() || issues_at(sweep, high).empty()) continue;
      say(axis->is(Node::Type::kArray) ? axis->children[value] : *axis, found);
    }
  }
}

void check_size(const Sweep& sweep, const Node& root, Issues& issues) {
  u128 points = sweep.seeds;
  constexpr u128 kUncountable = u128{1} << 100;
  for (const Axis& axis : sweep.axes) points = std::min<u128>(points * axis.values.size(), kUncountable);
  if (points <= Sweep::kPointsMost) return;
  issues.at(root, points > UINT64_MAX
                      ? fmt::format("more points than can be counted; expected at most {}", Sweep::kPointsMost)
                      : fmt::format("{} points; expected at most {}", static_cast<std::uint64_t>(points),
                                    Sweep::kPointsMost));
}

}  // namespace

std::uint64_t Sweep::points() const {
  std::uint64_t points = seeds;
  for (const Axis& axis : axes) points *= axis.values.size();
  return points;
}

Json Sweep::document() const {
  Json vary = Json::object();
  for (const Axis& axis : axes) vary[axis.pointer] = axis.values;
  Json document{{"name", name}};
  if (question) document["question"] = *question;
  document["base"] = to_json(base);
  document["vary"] = std::move(vary);
  document["seeds"] = seeds;
  return document;
}

std::string Sweep::hash() const {
  const std::string text = document().dump();
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

Point point_at(const Sweep& sweep, std::uint64_t number) {
  GODWIT_CHECK(number < sweep.points());
  Point point;
  point.seed = static_cast<std::uint32_t>(number % sweep.seeds);
  number /= sweep.seeds;
  point.values.resize(sweep.axes.size());
  for (std::size_t i = sweep.axes.size(); i-- > 0;) {
    point.values[i] = static_cast<std::uint32_t>(number % sweep.axes[i].values.size());
    number /= sweep.axes[i].values.size();
  }
  return point;
}

Json scenario_at(const Sweep& sweep, std::uint64_t number) {
  const Point point = point_at(sweep, number);
  std::optional<std::string> wrong;
  Json document = to_json(placed(sweep, point, wrong));
  const auto seed = document.find("seed");
  const bool given = seed != document.end() && seed->is_number_unsigned();
  document["seed"] = (given ? seed->get<std::uint64_t>() : sim::RunOptions{}.seed) + point.seed;
  return document;
}

std::variant<sim::RunOptions, std::vector<Issue>> options_at(const Sweep& sweep, std::uint64_t number) {
  const Point point = point_at(sweep, number);
  std::optional<std::string> wrong;
  const Node root = placed(sweep, point, wrong);
  if (wrong) return std::vector<Issue>{{sweep.base_file, 0, 0, "", *wrong}};
  auto options = scenarios::options_of(root, sweep.base_file, sweep.base_dir);
  if (auto* found = std::get_if<sim::RunOptions>(&options)) found->seed += point.seed;
  return options;
}

std::variant<Sweep, std::vector<Issue>> load_sweep(const std::filesystem::path& path) {
  Issues issues(path.string());
  const std::optional<Node> root = scenarios::read_document(path, issues);
  if (!root) return issues.take();
  issues.set_root(&*root);
  SweepSpec spec;
  spec.dir = path.parent_path();
  Sweep& sweep = spec.sweep;
  sweep.base_file = path.string();
  sweep.base_dir = path.parent_path();
  sweep.name = path.stem().string();
  sweep_table().read(*root, spec, issues);
  if (issues.empty()) check_size(sweep, *root, issues);
  if (issues.empty()) check_values(sweep, *root->find("vary"), issues);
  if (!issues.empty()) return issues.take();
  return std::move(sweep);
}

}  // namespace godwit::studies
