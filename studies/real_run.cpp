#include "studies/real_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "scenarios/codec.h"
#include "scenarios/json_reader.h"

namespace godwit::studies {
namespace {

using scenarios::Issue;
using scenarios::Issues;
using scenarios::Node;

std::optional<double> number_of(const Node& node) {
  double value = 0;
  const char* end = node.text.data() + node.text.size();
  const bool whole = std::from_chars(node.text.data(), end, value).ptr == end;
  if (!node.is(Node::Type::kNumber) || !whole || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::uint64_t rounded(double value) { return static_cast<std::uint64_t>(std::llround(value)); }
std::uint64_t thousandfold(double value) { return rounded(value * 1000); }

/// Reads the members of one object of a record; what is wrong is said once, where it is.
class Members {
 public:
  Members(const Node* object, Issues& issues) : object_(object), issues_(issues) {}

  Members inside(const char* name) const {
    const Node* child = need(name, "an object");
    if (child == nullptr) return {nullptr, issues_};
    if (!child->is(Node::Type::kObject)) return wrong(*child, "an object"), Members{nullptr, issues_};
    return {child, issues_};
  }

  /// The member, unless it is absent or null.
  const Node* find(const char* name) const {
    const Node* child = object_ == nullptr ? nullptr : object_->find(name);
    return child == nullptr || child->is(Node::Type::kNull) ? nullptr : child;
  }

  std::string text(const char* name) const {
    const Node* child = need(name, "a text");
    if (child == nullptr) return {};
    if (!child->is(Node::Type::kString)) wrong(*child, "a text");
    return child->text;
  }

  template <class E>
  E choice(const char* name, std::vector<scenarios::Choice<E>> choices) const {
    E value = choices.front().value;
    if (const Node* child = need(name, "a text")) scenarios::choice(std::move(choices)).read(*child, value, issues_);
    return value;
  }

  /// A number that is not negative.
  std::optional<double> maybe(const char* name, double most = 1e18) const {
    const Node* child = find(name);
    if (child == nullptr) return std::nullopt;
    const std::optional<double> value = number_of(*child);
    if (value && *value >= 0 && *value <= most) return value;
    wrong(*child, fmt::format("a number from 0 to {}", most));
    return std::nullopt;
  }

  std::optional<std::uint64_t> maybe_whole(const char* name, double most = 1e18) const {
    const std::optional<double> value = maybe(name, most);
    if (!value) return std::nullopt;
    return rounded(*value);
  }

  std::uint64_t whole(const char* name, double most = 1e18) const {
    return need(name, "a number") == nullptr ? 0 : maybe_whole(name, most).value_or(0);
  }

  /// A number above 0.
  double positive(const char* name, double most) const {
    const Node* child = need(name, "a number above 0");
    const double value = child == nullptr ? 1 : maybe(name, most).value_or(1);
    if (value <= 0) wrong(*child, "a number above 0");
    return value;
  }

  bool says(const char* name, const char* what) const {
    const Node* child = find(name);
    return child != nullptr && child->text == what;
  }

  /// True for a number other than 0, or `true`.
  bool flag(const char* name) const {
    const Node* child = find(name);
    return child != nullptr && child->text != "0" && child->text != "false";
  }

  void wrong(const Node& node, const std::string& expected) const {
    issues_.at(node, fmt::format("expected {}, got {}", expected, scenarios::shown(node)));
  }

 private:
  const Node* need(const char* name, const char* expected) const {
    if (object_ == nullptr) return nullptr;  // said already
    const Node* child = find(name);
    if (child == nullptr) issues_.at(*object_, fmt::format("the field {} is missing: expected {}", name, expected));
    return child;
  }

  const Node* object_;
  Issues& issues_;
};

constexpr double kRamMax = 16 << 20;  // 16 TiB in MiB

void read_pattern(const Members& in, RealGuest& guest) {
  using enum RealGuest::Pattern;
  guest.pattern = in.choice<RealGuest::Pattern>(
      "pattern", {{"uniform", kUniform, ""}, {"seq", kSequential, ""}, {"hot", kHot, ""}, {"zipf", kZipf, ""}});
  if (guest.pattern == kHot) {
    guest.hot_mib = in.whole("hotmem", static_cast<double>(guest.written_mib));
    guest.hot_permille = in.whole("hotshare", 1000);
  }
  if (guest.pattern == kZipf) guest.exponent_thousandths = in.whole("zipf", 10'000);
}

RealGuest read_guest(const Members& params, const Members& guest) {
  const Members in = params.inside("guest");
  RealGuest read;
  read.ram_mib = rounded(params.positive("guest_ram_mib", kRamMax));
  read.touched_mib = in.whole("mem", static_cast<double>(read.ram_mib));
  const auto touched = static_cast<double>(read.touched_mib);
  read.written_mib = in.maybe_whole("wset", touched).value_or(0);
  if (read.written_mib == 0) read.written_mib = read.touched_mib;
  read.spins = in.flag("spin");
  read.write_rate = guest.whole("rate_before", 1e12);
  if (!read.spins && in.whole("rate", 1e12) == 0) read.write_rate = 0;
  read_pattern(in, read);
  read.bytes_per_write = in.maybe_whole("wbytes", 4096).value_or(0);
  read.filled_zero = in.says("fill", "zero");
  read.writes_zero = in.says("wcontent", "zero");
  return read;
}

RealLink read_link(const Members& in) {
  using enum RealLink::Kind;
  RealLink link;
  link.kind = in.choice<RealLink::Kind>("kind", {{"unix", kUnix, ""}, {"tcp", kTcp, ""}, {"relay", kRelay, ""}});
  if (link.kind != kRelay) return link;
  link.bytes_per_s = rounded(in.positive("bytes_per_s", 1e12));
  link.delay_us = in.maybe_whole("delay_us", 1e7).value_or(0);
  return link;
}

RealMigration read_migration(const Members& in) {
  RealMigration migration;
  migration.max_bandwidth = in.whole("max_bandwidth", 1e12);
  migration.downtime_limit_ms = in.whole("downtime_limit_ms", 2e6);
  migration.cap_ms = thousandfold(in.positive("cap_s", 1e6));
  if (const Node* list = in.find("capabilities")) {
    if (!list->is(Node::Type::kArray)) in.wrong(*list, "a list of capabilities");
    for (const Node& each : list->children) migration.capabilities.push_back(each.text);
  }
  if (const Node* given = in.find("parameters")) {
    if (!given->is(Node::Type::kObject)) in.wrong(*given, "an object of parameters");
    for (const Node& each : given->children) migration.parameters.emplace_back(each.key, each.text);
  }
  if (const auto after = in.maybe("postcopy_after_s", 1e6)) migration.postcopy_after_ms = thousandfold(*after);
  migration.postcopy_after_pass = in.maybe_whole("postcopy_after_pass", 1e6);
  return migration;
}

Outcome read_outcome(const Members& in) {
  Outcome outcome;
  outcome.completed = in.choice<bool>("status", {{"completed", true, ""}, {"cancelled", false, ""}});
  if (outcome.completed) {
    outcome.total_time_ms = in.maybe("total_time_ms");
    outcome.stop_to_resume_ms = in.maybe("stop_to_resume_ms");
  }
  outcome.transferred_bytes = in.whole("transferred_bytes");
  outcome.normal_pages = in.whole("normal_pages");
  outcome.duplicate_pages = in.whole("duplicate_pages");
  outcome.dirty_sync_count = in.whole("dirty_sync_count");
  outcome.throttle_max_percent = in.maybe_whole("throttle_max_percent", 100).value_or(0);
  return outcome;
}

RealRun read_record(const Node& root, Issues& issues) {
  if (!root.is(Node::Type::kObject)) {
    issues.at(root, "expected an object: one migration, " + scenarios::shown(root) + " is none");
    return {};
  }
  const Members in(&root, issues);
  const Members params = in.inside("params");
  RealRun run;
  run.cell = in.text("cell");
  run.group = in.text("group");
  run.rep = in.maybe_whole("rep").value_or(0);
  if (const Node* accel = params.find("accel")) run.kvm = accel->text.starts_with("kvm");
  run.guest = read_guest(params, in.inside("guest"));
  run.link = read_link(params.inside("link"));
  run.migration = read_migration(params.inside("migration"));
  run.measured = read_outcome(in.inside("result"));
  return run;
}

}  // namespace

bool RealMigration::has(std::string_view capability) const {
  return std::ranges::find(capabilities, capability) != capabilities.end();
}

std::variant<std::vector<RealRun>, std::vector<Issue>> read_real_runs(std::string_view text, const std::string& file) {
  std::vector<RealRun> runs;
  std::vector<Issue> wrong;
  std::uint32_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Issues issues(file);
    const std::optional<Node> root = scenarios::read_json(line, issues);
    if (root) runs.push_back(read_record(*root, issues));
    for (Issue& each : issues.take()) {
      each.line += each.line > 0 ? number - 1 : number;
      wrong.push_back(std::move(each));
    }
  }
  if (wrong.empty() && runs.empty()) wrong.push_back({file, 0, 0, "", "no migration: expected one JSON object a line"});
  if (!wrong.empty()) return wrong;
  return runs;
}

}  // namespace godwit::studies
