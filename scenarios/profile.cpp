#include "scenarios/profile.h"

#include "base/check.h"
#include "scenarios/embedded.h"
#include "scenarios/json_reader.h"
#include "scenarios/sourced.h"

namespace godwit::scenarios {
namespace {

using models::CostProfile;
using models::Tracker;
using models::TrackerCosts;

// What 16 TiB cost by the page still fits 64 bits of nanoseconds, several such costs added.
constexpr Range kPerPage{"0 s", "100 ms"};
constexpr Range kPerBatch{"0 s", "1 s"};
constexpr Range kPerOccasion{"0 s", "1 h"};

Table<TrackerCosts> make_tracker_table() {
  Table<TrackerCosts> table("tracker_costs", "what one way of noticing writes costs");
  table
      .field("first_write", &TrackerCosts::first_write, time(kPerPage),
             "Fault of the first write to a protected page, paid on the virtual CPU that writes.")
      .optional();
  table
      .field("read_per_gib", &TrackerCosts::read_per_gib, time(kPerOccasion),
             "Reading the log of 1 GiB, whatever is in it.")
      .optional();
  table
      .field("clear_per_gib", &TrackerCosts::clear_per_gib, time(kPerOccasion),
             "Protecting 1 GiB again, whatever is in it.")
      .optional();
  table
      .field("per_page", &TrackerCosts::per_page, time(kPerPage),
             "On top of these, for each page that the log reports.")
      .optional();
  return table;
}

void add_tracker(Table<CostProfile>& table, const char* name, Tracker which, const char* doc) {
  table
      .field(
          name, [=](CostProfile& p) -> TrackerCosts& { return p.trackers[static_cast<std::size_t>(which)]; },
          object("tracker_costs", "costs of a tracker", &tracker_table), doc)
      .optional();
}

Table<CostProfile> make_cost_table() {
  Table<CostProfile> table("costs", "what the boundary between guest, hypervisor and network costs on a kind of host");
  const auto cost = [&](const char* name, Nanos CostProfile::*member, Range range, const char* doc) {
    table.field(name, member, time(range), doc).optional();
  };
  table
      .field("cpu_unlimited", &CostProfile::cpu_unlimited, flag(),
             "Work takes the times below but never waits for a core.")
      .optional();
  cost("copy_page", &CostProfile::copy_page, kPerPage, "Reading a page and handing it to the network, at the sender.");
  cost("zero_test_page", &CostProfile::zero_test_page, kPerPage, "Testing a page for zeroes.");
  cost("zero_page", &CostProfile::zero_page, kPerPage,
       "Finding that a page is zero, on top of the test: at the sender, and again at a receiver that looks.");
  cost("delta_page", &CostProfile::delta_page, kPerPage,
       "Finding what has changed in a page since it was sent, in place of copy_page.");
  cost("protocol_page", &CostProfile::protocol_page, kPerPage,
       "Network protocol work per page, at the sender and again at the receiver.");
  cost("apply_page", &CostProfile::apply_page, kPerPage, "Putting an arrived page in its place.");
  cost("first_touch_page", &CostProfile::first_touch_page, kPerPage,
       "First touch of a page of the destination's memory, on top of apply_page.");
  cost("missing_fault", &CostProfile::missing_fault, kPerOccasion,
       "At the destination of a post-copy, from a touch of a missing page until the request for it goes out.");
  cost("map_batch", &CostProfile::map_batch, kPerBatch, "Mapping 1024 foreign pages to read them from outside.");
  cost("shadow_copy_page", &CostProfile::shadow_copy_page, kPerPage, "Copying a page aside into the shadow.");
  cost("pause", &CostProfile::pause, kPerOccasion, "Stopping the virtual CPUs.");
  cost("resume", &CostProfile::resume, kPerOccasion, "Starting them again.");
  cost("device_load", &CostProfile::device_load, kPerOccasion, "Restoring the devices at the destination.");
  cost("inflate_table", &CostProfile::inflate_table, kPerPage, "Remapping one page-table page after arrival.");
  cost("announce", &CostProfile::announce, kPerOccasion, "From resume until the network sends to the new place.");
  table
      .field("send_buffer", &CostProfile::send_buffer, bytes({"0 B", "1 GiB"}),
             "What the kernel has taken over of a connection while its sender is ahead of the link: a post-copy's page "
             "that "
             "is asked for goes after it, unless it has a connection of its own.")
      .optional();
  cost("free_scan_per_gib", &CostProfile::free_scan_per_gib, kPerOccasion,
       "Finding out which pages of 1 GiB nobody uses, for a guest that leaves them out itself.");
  cost("free_block", &CostProfile::free_block, kPerOccasion, "Telling a hypervisor of a free block of 4 MiB.");
  cost("balloon_page", &CostProfile::balloon_page, kPerPage,
       "Giving one page to a balloon, from the guest's allocator to the host's.");
  cost("disk_read_per_gib", &CostProfile::disk_read_per_gib, kPerOccasion,
       "Reading 1 GiB from a disk again, for a guest that has come here without its page cache.");
  add_tracker(table, "shadow_page_tables", Tracker::kShadowPageTables,
              "The hypervisor keeps shadow page tables and logs writes in them.");
  add_tracker(table, "ept_write_protect", Tracker::kEptWriteProtect,
              "The hypervisor write-protects second-level pages.");
  add_tracker(table, "pml", Tracker::kPml, "The processor logs written pages (page-modification logging).");
  add_tracker(table, "dirty_ring", Tracker::kDirtyRing, "The hypervisor reports written pages in a ring.");
  add_tracker(table, "guest_page_tables", Tracker::kGuestPageTables, "The guest write-protects its own page tables.");
  add_tracker(table, "tcg", Tracker::kTcg, "QEMU translates the guest's code, and what writes along with it.");
  return table;
}

/// The members of `now` that `before` has otherwise.
Json difference(const Json& before, const Json& now) {
  Json changed = Json::object();
  for (const auto& [name, value] : now.items()) {
    if (before.contains(name) && before[name] == value) continue;
    changed[name] = value.is_object() && before.contains(name) ? difference(before[name], value) : value;
  }
  return changed;
}

bool begin_with(const Node& node, CostProfile& value, Issues& issues) {
  const Profile* base = node.is(Node::Type::kString) ? find_profile(node.text) : nullptr;
  if (base == nullptr) return issues.at(node, not_one_of(node, profile_names())), false;
  return value = base->costs, true;
}

bool read_spelled(const Node& node, CostProfile& value, Issues& issues) {
  Node costs = node;
  std::string label;
  bool ok = begin_with(to_node(Json("modern-x86")), value, issues);
  if (const Node* base = node.find("base")) ok = begin_with(*base, value, issues);
  if (const Node* given = node.find("name")) ok &= name().read(*given, label, issues);
  std::erase_if(costs.children, [](const Node& child) { return child.key == "base" || child.key == "name"; });
  ok &= cost_table().read(costs, value, issues);
  if (!label.empty()) value.name = label;
  return ok;
}

Json write_profile(const CostProfile& value) {
  const Profile* same = find_profile(value.name);
  if (same != nullptr && cost_table().write(same->costs) == cost_table().write(value)) return value.name;
  const Profile* base = same != nullptr ? same : find_profile("modern-x86");
  Json spelled{{"base", base->costs.name}};
  if (value.name != base->costs.name) spelled["name"] = value.name;
  spelled.update(difference(cost_table().write(base->costs), cost_table().write(value)));
  return spelled;
}

std::vector<Profile> load_profiles() {
  std::vector<Profile> all;
  for (const embedded::File& file : embedded::profiles()) {
    Issues issues{std::string(file.name)};
    std::optional<Profile> profile = parse_profile(file.text, issues);
    GODWIT_CHECK(profile.has_value() && issues.empty());
    all.push_back(std::move(*profile));
  }
  return all;
}

}  // namespace

const Table<TrackerCosts>& tracker_table() {
  static const Table<TrackerCosts> table = make_tracker_table();
  return table;
}

const Table<CostProfile>& cost_table() {
  static const Table<CostProfile> table = make_cost_table();
  return table;
}

Codec<Tracker> tracker() {
  return choice<Tracker>(
      {{"shadow-page-tables", Tracker::kShadowPageTables, "Shadow page tables (Xen before 2010)."},
       {"ept-write-protect", Tracker::kEptWriteProtect, "Write-protected second-level pages (KVM)."},
       {"pml", Tracker::kPml, "Page-modification logging by the processor."},
       {"dirty-ring", Tracker::kDirtyRing, "A ring of written pages (KVM dirty ring)."},
       {"guest-page-tables", Tracker::kGuestPageTables, "The guest's own page tables."},
       {"tcg", Tracker::kTcg, "QEMU's translator. Reading its log waits until a throttled virtual CPU runs again."}});
}

Codec<CostProfile> profile() {
  return {
      [](const Node& node, CostProfile& value, Issues& issues) {
        return node.is(Node::Type::kObject) ? read_spelled(node, value, issues) : begin_with(node, value, issues);
      },
      &write_profile,
      [] {
        return Json{
            {"anyOf", {Json{{"type", "string"}, {"enum", profile_names()}}, Json{{"$ref", "#/definitions/profile"}}}}};
      },
      fmt::format("one of {}, or an object with a base and the costs that differ", joined(profile_names()))};
}

const std::vector<Profile>& profiles() {
  static const std::vector<Profile> all = load_profiles();
  return all;
}

const Profile* find_profile(std::string_view name) {
  for (const Profile& each : profiles())
    if (each.costs.name == name) return &each;
  return nullptr;
}

std::vector<std::string> profile_names() {
  std::vector<std::string> names;
  for (const Profile& each : profiles()) names.push_back(each.costs.name);
  return names;
}

std::optional<Profile> parse_profile(std::string_view text, Issues& issues) {
  const std::optional<Node> root = read_json(text, issues);
  if (!root) return std::nullopt;
  Profile profile;
  Table<Profile> table("profile_file", "a cost profile");
  table.field(
      "name", [](Profile& p) -> std::string& { return p.costs.name; }, name(), "What scenarios call it.");
  table.field("summary", &Profile::summary, scenarios::text(), "What kind of host it stands for.");
  table.add("costs", "costs", "The costs, each with its source.").read = [](const Node& node, Profile& p, Issues& all) {
    p.costs.cpu_unlimited = false;
    return cost_table().read(without_sources(node, p.sources, all), p.costs, all);
  };
  if (!table.read(*root, profile, issues)) return std::nullopt;
  return profile;
}

}  // namespace godwit::scenarios
