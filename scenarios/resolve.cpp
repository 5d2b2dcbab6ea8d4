#include "scenarios/resolve.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "scenarios/guest_check.h"

namespace godwit::scenarios {
namespace {

/// What a name stands for: one thing, or all that an entry with a count makes, in a row.
struct Meaning {
  std::uint32_t first = 0;
  std::optional<std::uint32_t> count;
};

/// Everything of one kind that can be named.
struct Names {
  const char* kind;
  std::vector<std::string> list;  ///< The name of each by its index.
  std::map<std::string, Meaning, std::less<>> meanings;
};

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
  /// In place of the place, among those that its entry stands for, of what names something: it stands for itself alone.
  static constexpr std::uint32_t kAlone = UINT32_MAX;

  void add_nodes() {
    for (std::size_t i = 0; i < spec_.hosts.size(); ++i) {
      const HostSpec& host = spec_.hosts[i];
      define(nodes_, host.name, host.count, fmt::format("/hosts/{}/name", i));
      options_.hosts.resize(nodes_.list.size(), host);
    }
    for (std::size_t i = 0; i < options_.hosts.size(); ++i) options_.hosts[i].name = nodes_.list[i];
    for (std::size_t i = 0; i < spec_.switches.size(); ++i)
      define(nodes_, spec_.switches[i], {}, fmt::format("/switches/{}", i));
    options_.switches = spec_.switches;
  }

  /// How many of `count` more of a kind there may be, of which there are `so_far`. Says so where they are too many.
  std::uint32_t allowed(std::size_t count, std::size_t so_far, const std::string& pointer) {
    if (count + so_far > kManyMax) complain(pointer, fmt::format("there may be {} in all at most", kManyMax));
    return static_cast<std::uint32_t>(std::min(count, kManyMax - std::min<std::size_t>(so_far, kManyMax)));
  }

  /// Gives `name` its meaning, and where there is a count also NAME-0, NAME-1 ...
  void define(Names& names, const std::string& name, std::optional<std::uint32_t> count, const std::string& pointer) {
    const Meaning meaning{static_cast<std::uint32_t>(names.list.size()), count};
    bool fresh = names.meanings.emplace(name, meaning).second;
    if (!count) names.list.push_back(name);
    const std::uint32_t more = count ? allowed(*count, names.list.size(), pointer) : 0;
    for (std::uint32_t k = 0; k < more; ++k) {
      names.list.push_back(name_of_one(name, k));
      fresh &= names.meanings.emplace(names.list.back(), Meaning{meaning.first + k, {}}).second;
    }
    if (!fresh && !name.empty()) complain(pointer, fmt::format("another {} is called {} already", names.kind, name));
  }

  void add_links() {
    group_.resize(nodes_.list.size());
    std::iota(group_.begin(), group_.end(), 0u);
    for (std::size_t i = 0; i < spec_.links.size(); ++i) {
      const Many<LinkSpec>& links = spec_.links[i];
      const std::string pointer = fmt::format("/links/{}/between", i);
      const auto& between = links.first().between;
      if (between.size() != 2) continue;  // said by the table
      const std::uint32_t count = allowed(links.first().count.value_or(1), options_.links.size(), pointer);
      for (std::uint32_t k = 0; k < count; ++k) {
        const std::uint32_t place = links.first().count ? k : kAlone;
        const std::uint32_t from = node(between[0], pointer + "/0", place);
        const std::uint32_t to = node(between[1], pointer + "/1", place);
        if (from == kNobody || to == kNobody) break;
        if (from == to) complain(pointer, fmt::format("the two ends are the same: {}", nodes_.list[from]));
        group_[group(from)] = group(to);
        options_.links.push_back({from, to, links.of(k).bandwidth, links.of(k).latency});
      }
    }
  }

  void add_guests() {
    for (std::size_t i = 0; i < spec_.guests.size(); ++i) {
      Many<GuestSpec>& guests = spec_.guests[i];
      const std::string pointer = fmt::format("/guests/{}", i);
      const std::string name = guests.first().name;
      const std::uint32_t first = static_cast<std::uint32_t>(guests_.list.size());
      define(guests_, name, guests.first().count, pointer + "/name");
      std::vector<sim::GuestOptions> versions;
      const std::uint64_t copies = guests_.list.size() - first, made = guests.versions.size();
      for (std::size_t v = 0; v < made; ++v) {
        GuestSpec& version = guests.versions[v];
        if (!version.host_name && !spec_.hosts.empty()) version.host_name = default_host(version.count.has_value());
        versions.emplace_back(version);
        if (!issues_.any_under(pointer)) guest_checker_.check(versions.back(), (copies + made - 1 - v) / made, pointer);
      }
      for (std::uint32_t k = 0; first + k < guests_.list.size(); ++k) {
        const std::uint32_t place = guests.first().count ? k : kAlone;
        sim::GuestOptions& added = options_.guests.emplace_back();
        if (issues_.empty()) added = versions[k % versions.size()];  // else nobody will need them
        added.name = guests_.list[first + k];
        if (guests.first().host_name) added.host = host(*guests.first().host_name, pointer + "/host", place);
        lives_on_.push_back(added.host);
      }
    }
    moved_by_.resize(guests_.list.size());
  }

  /// Where a guest is that says nothing of it.
  std::string default_host(bool many) const {
    const HostSpec& first = spec_.hosts.front();
    return first.count && !many ? name_of_one(first.name, 0) : first.name;
  }

  void add_traffic() {
    for (std::size_t i = 0; i < spec_.traffic.size(); ++i) {
      const TrafficSpec& traffic = spec_.traffic[i];
      const std::string pointer = fmt::format("/traffic/{}", i);
      options_.traffic.push_back(
          {guest(traffic.guest, pointer + "/guest"), node(traffic.peer, pointer + "/peer", kAlone), traffic.rate});
    }
  }

  void add_migrations() {
    for (std::size_t i = 0; i < spec_.migrations.size(); ++i) {
      MigrationSpec& migration = spec_.migrations[i];
      const std::string pointer = fmt::format("/migrations/{}", i);
      if (!migration.guest && guests_.list.size() == 1) migration.guest = guests_.list.front();
      sim::MigrationOptions added;
      added.at = migration.at;
      added.connection_timeout = migration.connection_timeout;
      added.strategy = migration.strategy.options;
      added.file = migration.file;
      check_kind(added, pointer);
      if (migration.after) added.after = predecessor(*migration.after, pointer + "/after");
      if (!migration.guest) {
        if (!issues_.any_under("/guests"))
          complain(pointer, "the field guest is missing, and there is not exactly one guest");
      } else if (migration.guest->ends_with('*')) {
        migrate_all(*migration.guest, added, migration.to, pointer);
      } else {
        added.guest = guest(*migration.guest, pointer + "/guest");
        migrate(added, migration.to, pointer, kAlone);
      }
    }
  }

  /// All guests whose names begin as `pattern` does before its star, in order.
  void migrate_all(std::string pattern, sim::MigrationOptions added, const std::string& to,
                   const std::string& pointer) {
    pattern.pop_back();
    const std::vector<std::uint32_t> all = guests_beginning_with(pattern);
    const std::uint32_t most = allowed(all.size(), options_.migrations.size(), pointer + "/guest");
    for (std::uint32_t i = 0; i < most; ++i) {
      added.guest = all[i];
      migrate(added, to, pointer, i);
    }
    if (all.empty() && !issues_.any_under("/guests"))
      complain(pointer + "/guest", fmt::format("there is no guest whose name begins with {}", pattern));
    if (all.size() > 1 && added.file)
      complain(pointer + "/to", fmt::format("{} guests cannot go to one file", all.size()));
  }

  std::vector<std::uint32_t> guests_beginning_with(const std::string& prefix) const {
    std::vector<std::uint32_t> found;
    for (auto at = guests_.meanings.lower_bound(prefix); at != guests_.meanings.end(); ++at) {
      const auto& [name, meaning] = *at;
      if (!name.starts_with(prefix)) break;
      if (!meaning.count) found.push_back(meaning.first);
    }
    std::ranges::sort(found);
    return found;
  }

  void migrate(sim::MigrationOptions& added, const std::string& to, const std::string& pointer, std::uint32_t place) {
    added.to = added.file ? kNobody : host(to, pointer + "/to", place);
    if (added.guest != kNobody && added.to != kNobody) check_route(added, pointer);
    if (added.guest != kNobody) moved_by_[added.guest] = static_cast<std::uint32_t>(options_.migrations.size());
    options_.migrations.push_back(added);
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
      const bool commands = event.kind == kCancel || event.kind == kRecover || event.kind == kCorrupt;
      if (on_host) event.host = host(event.host_name, pointer + "/host", kAlone);
      if ((commands || event.phase) && event.migration >= options_.migrations.size())
        complain(pointer + "/migration", fmt::format("there are {} migrations", options_.migrations.size()));
      if (!on_host && !commands && event.link >= options_.links.size())
        complain(pointer + "/link", fmt::format("there are {} links", options_.links.size()));
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
    const std::string& source = nodes_.list[from];
    if (from == migration.to)
      complain(pointer + "/to", fmt::format("{} is on {} already", guests_.list[migration.guest], source));
    else if (group(from) != group(migration.to) && !issues_.any_under("/links"))
      complain(pointer + "/to", fmt::format("no links lead from {} to {}", source, nodes_.list[migration.to]));
    from = migration.to;
  }

  std::uint32_t node(const std::string& name, const std::string& pointer, std::uint32_t place) {
    return find(name, nodes_, nodes_.list.size(), "host or switch", pointer, place);
  }

  std::uint32_t host(const std::string& name, const std::string& pointer, std::uint32_t place) {
    const std::uint32_t index = find(name, nodes_, options_.hosts.size(), "host", pointer, place);
    if (index == kNobody || index < options_.hosts.size()) return index;
    return complain(pointer, fmt::format("expected a host, but {} is a switch", name)), kNobody;
  }

  std::uint32_t guest(const std::string& name, const std::string& pointer) {
    return find(name, guests_, guests_.list.size(), "guest", pointer, kAlone);
  }

  /// The index of what `name` means, said by the one at `place`. The first `known` of `names` are what may be meant.
  std::uint32_t find(const std::string& name, const Names& names, std::size_t known, const char* what,
                     const std::string& pointer, std::uint32_t place) {
    if (const auto found = names.meanings.find(name); found != names.meanings.end()) {
      const auto& [first, count] = found->second;
      if (!count) return first;
      if (place != kAlone) return first + place % *count;
      complain(pointer, fmt::format("{} stands for {}, {} to {}: expected one of them", name, *count,
                                    name_of_one(name, 0), name_of_one(name, *count - 1)));
      return kNobody;
    }
    // Where a definition failed, or gave no name, this may be the one.
    if (name.empty() || names.meanings.contains("") || (known == 0 && !issues_.empty())) return kNobody;
    const std::vector<std::string> list(names.list.begin(), names.list.begin() + static_cast<std::ptrdiff_t>(known));
    const std::string hint = did_you_mean(name, list);
    const std::string all = known == 0 ? ", nor any other" : known <= 20 ? "; known are " + joined(list) : "";
    complain(pointer, fmt::format("there is no {} called {}{}", what, name, hint.empty() ? all : hint));
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
  Names nodes_{"host or switch", {}, {}};
  Names guests_{"guest", {}, {}};
  std::vector<std::uint32_t> group_;                    // union-find over nodes that links join
  std::vector<std::uint32_t> lives_on_;                 // per guest, after the migrations so far
  std::vector<std::optional<std::uint32_t>> moved_by_;  // per guest, the last of the migrations so far
};

}  // namespace

sim::RunOptions resolve(ScenarioSpec& spec, const std::filesystem::path& base_dir, Issues& issues) {
  return Resolver(spec, base_dir, issues).run();
}

}  // namespace godwit::scenarios
