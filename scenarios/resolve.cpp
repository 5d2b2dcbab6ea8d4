#include "scenarios/resolve.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "scenarios/guest_check.h"

namespace godwit::scenarios {
namespace {

using Indices = std::map<std::string, std::uint32_t, std::less<>>;

class Resolver {
 public:
  Resolver(ScenarioSpec& spec, const std::filesystem::path& base_dir, Issues& issues)
      : spec_(spec), issues_(issues), guest_checker_(base_dir, issues) {}

  sim::RunOptions run() {
    options_.name = spec_.name;
    options_.seed = spec_.seed;
    options_.horizon = spec_.horizon;
    options_.max_parallel = spec_.max_parallel;
    add_nodes();
    add_links();
    add_guests();
    add_traffic();
    add_migrations();
    add_events();
    return std::move(options_);
  }

 private:
  static constexpr std::uint32_t kNobody = UINT32_MAX;

  void add_nodes() {
    for (std::size_t i = 0; i < spec_.hosts.size(); ++i)
      name_node(spec_.hosts[i].name, fmt::format("/hosts/{}/name", i));
    for (std::size_t i = 0; i < spec_.switches.size(); ++i)
      name_node(spec_.switches[i], fmt::format("/switches/{}", i));
    options_.hosts = spec_.hosts;
    options_.switches = spec_.switches;
  }

  void name_node(const std::string& name, const std::string& pointer) {
    const auto index = static_cast<std::uint32_t>(node_names_.size());
    node_names_.push_back(name);
    if (!nodes_.emplace(name, index).second && !name.empty())
      complain(pointer, fmt::format("another host or switch is called {} already", name));
  }

  void add_links() {
    group_.resize(node_names_.size());
    std::iota(group_.begin(), group_.end(), 0u);
    for (std::size_t i = 0; i < spec_.links.size(); ++i) {
      const LinkSpec& link = spec_.links[i];
      const std::string pointer = fmt::format("/links/{}/between", i);
      if (link.between.size() != 2) continue;  // said by the table
      const std::uint32_t from = node(link.between[0], pointer + "/0");
      const std::uint32_t to = node(link.between[1], pointer + "/1");
      if (from == kNobody || to == kNobody) continue;
      if (from == to) complain(pointer, fmt::format("the two ends are the same: {}", link.between[0]));
      group_[group(from)] = group(to);
      options_.links.push_back({from, to, link.bandwidth, link.latency});
    }
  }

  void add_guests() {
    for (std::size_t i = 0; i < spec_.guests.size(); ++i) {
      GuestSpec& guest = spec_.guests[i];
      const std::string pointer = fmt::format("/guests/{}", i);
      if (!guests_.emplace(guest.name, static_cast<std::uint32_t>(i)).second && !guest.name.empty())
        complain(pointer + "/name", fmt::format("another guest is called {} already", guest.name));
      if (!guest.host_name && !spec_.hosts.empty()) guest.host_name = spec_.hosts.front().name;
      sim::GuestOptions& added = options_.guests.emplace_back(guest);
      if (guest.host_name) added.host = host(*guest.host_name, pointer + "/host");
      if (!issues_.any_under(pointer)) guest_checker_.check(added, pointer);
      lives_on_.push_back(added.host);
    }
    moved_by_.resize(spec_.guests.size());
  }

  void add_traffic() {
    for (std::size_t i = 0; i < spec_.traffic.size(); ++i) {
      const TrafficSpec& traffic = spec_.traffic[i];
      const std::string pointer = fmt::format("/traffic/{}", i);
      options_.traffic.push_back(
          {guest(traffic.guest, pointer + "/guest"), node(traffic.peer, pointer + "/peer"), traffic.rate});
    }
  }

  void add_migrations() {
    for (std::size_t i = 0; i < spec_.migrations.size(); ++i) {
      MigrationSpec& migration = spec_.migrations[i];
      const std::string pointer = fmt::format("/migrations/{}", i);
      if (!migration.guest && spec_.guests.size() == 1) migration.guest = spec_.guests.front().name;
      sim::MigrationOptions added;
      added.at = migration.at;
      added.connection_timeout = migration.connection_timeout;
      added.strategy = migration.strategy.options;
      added.guest = kNobody;
      if (migration.guest)
        added.guest = guest(*migration.guest, pointer + "/guest");
      else if (!issues_.any_under("/guests"))
        complain(pointer, "the field guest is missing, and there is not exactly one guest");
      added.file = migration.file;
      added.to = migration.file ? kNobody : host(migration.to, pointer + "/to");
      check_kind(added, pointer);
      if (migration.after) added.after = predecessor(*migration.after, pointer + "/after");
      if (added.guest != kNobody && added.to != kNobody) check_route(added, pointer);
      if (added.guest != kNobody) moved_by_[added.guest] = static_cast<std::uint32_t>(i);
      options_.migrations.push_back(std::move(added));
    }
  }

  /// A checkpoint goes to a file, and nothing else does.
  void check_kind(const sim::MigrationOptions& migration, const std::string& pointer) {
    const bool checkpoint = migration.strategy.plan.goes_on;
    if (migration.file && !checkpoint)
      complain(pointer + "/strategy",
               fmt::format("{} goes to a host; self-checkpoint is what goes to a file", migration.strategy.name));
    if (migration.file && migration.file->path.empty()) complain(pointer + "/to/file", "the path is empty");
    if (!migration.file && checkpoint)
      complain(pointer + "/to", fmt::format("{} goes to a file: expected an object such as {{\"file\": \"web.ckpt\"}}",
                                            migration.strategy.name));
  }

  void add_events() {
    for (std::size_t i = 0; i < spec_.events.size(); ++i) {
      EventSpec& event = spec_.events[i];
      const std::string pointer = fmt::format("/events/{}", i);
      using enum sim::EventKind;
      const bool on_host = event.kind == kHostCrash || event.kind == kMemoryRefused;
      const bool on_migration =
          event.kind == kCancel || event.kind == kRecover || event.kind == kCorrupt || event.phase;
      if (on_host) event.host = host(event.host_name, pointer + "/host");
      if (on_migration && event.migration >= spec_.migrations.size())
        complain(pointer + "/migration", fmt::format("there are {} migrations", spec_.migrations.size()));
      if (!on_host && event.kind != kCancel && event.kind != kRecover && event.kind != kCorrupt &&
          event.link >= spec_.links.size())
        complain(pointer + "/link", fmt::format("there are {} links", spec_.links.size()));
      options_.events.push_back(event);
    }
  }

  /// The last migration so far that moves `name`.
  std::optional<std::uint32_t> predecessor(const std::string& name, const std::string& pointer) {
    const std::uint32_t whose = guest(name, pointer);
    if (whose == kNobody) return std::nullopt;
    if (!moved_by_[whose]) complain(pointer, fmt::format("no migration of {} comes before this one in the list", name));
    return moved_by_[whose];
  }

  void check_route(const sim::MigrationOptions& migration, const std::string& pointer) {
    std::uint32_t& from = lives_on_[migration.guest];
    if (from == kNobody) return;
    const std::string& source = node_names_[from];
    if (from == migration.to)
      complain(pointer + "/to", fmt::format("{} is on {} already", spec_.guests[migration.guest].name, source));
    else if (!issues_.any_under("/links") && group(from) != group(migration.to))
      complain(pointer + "/to", fmt::format("no links lead from {} to {}", source, node_names_[migration.to]));
    from = migration.to;
  }

  std::uint32_t node(const std::string& name, const std::string& pointer) {
    return find(name, nodes_, node_names_.size(), "host or switch", pointer);
  }

  std::uint32_t host(const std::string& name, const std::string& pointer) {
    const std::uint32_t index = find(name, nodes_, spec_.hosts.size(), "host", pointer);
    if (index == kNobody || index < spec_.hosts.size()) return index;
    return complain(pointer, fmt::format("expected a host, but {} is a switch", name)), kNobody;
  }

  std::uint32_t guest(const std::string& name, const std::string& pointer) {
    return find(name, guests_, spec_.guests.size(), "guest", pointer);
  }

  /// What `name` stands for in `in`. The first `known_count` there are offered where it is none of them.
  std::uint32_t find(const std::string& name, const Indices& in, std::size_t known_count, const char* what,
                     const std::string& pointer) {
    if (const auto found = in.find(name); found != in.end()) return found->second;
    // Where a definition failed to give a name, this may be the one.
    if (known_count == 0 || name.empty() || in.contains("")) return kNobody;
    std::vector<std::string> names;
    for (const auto& [each, index] : in)
      if (index < known_count) names.push_back(each);
    const std::string hint = did_you_mean(name, names);
    const std::string known = names.size() <= 20 ? "; known are " + joined(names) : "";
    complain(pointer, fmt::format("there is no {} called {}{}", what, name, hint.empty() ? known : hint));
    return kNobody;
  }

  std::uint32_t group(std::uint32_t node) {
    while (group_[node] != node) node = group_[node] = group_[group_[node]];
    return node;
  }

  void complain(const std::string& pointer, std::string message) {
    if (!issues_.any_under(pointer)) issues_.at_pointer(pointer, std::move(message));
  }

  ScenarioSpec& spec_;
  Issues& issues_;
  GuestChecker guest_checker_;
  sim::RunOptions options_;
  Indices nodes_, guests_;
  std::vector<std::string> node_names_;
  std::vector<std::uint32_t> group_;                    // union-find over nodes that links join
  std::vector<std::uint32_t> lives_on_;                 // per guest, after the migrations so far
  std::vector<std::optional<std::uint32_t>> moved_by_;  // per guest, the last of the migrations so far
};

}  // namespace

sim::RunOptions resolve(ScenarioSpec& spec, const std::filesystem::path& base_dir, Issues& issues) {
  return Resolver(spec, base_dir, issues).run();
}

}  // namespace godwit::scenarios
