#include "scenarios/spec.h"
#include "sim/names.h"

namespace godwit::scenarios {
namespace {

using core::Phase;
using sim::EventKind;

constexpr std::uint32_t bit(EventKind kind) { return 1u << static_cast<std::uint32_t>(kind); }

std::vector<Choice<EventKind>> event_kinds() {
  return {{"cancel", EventKind::kCancel, "The operator calls a migration off."},
          {"recover", EventKind::kRecover, "The operator connects the two ends of a paused post-copy again."},
          {"link_down", EventKind::kLinkDown, "Nothing gets through a link any more."},
          {"link_up", EventKind::kLinkUp, "A link has its bandwidth again."},
          {"bandwidth", EventKind::kBandwidth, "A link has another bandwidth."},
          {"loss", EventKind::kLoss, "A share of what a link carries is lost and sent again."},
          {"corrupt", EventKind::kCorrupt, "The next record of a migration arrives damaged."},
          {"host_crash", EventKind::kHostCrash, "A host stops for good, and what runs there with it."},
          {"memory_refused", EventKind::kMemoryRefused, "A host accepts no more guests."}};
}

Codec<Phase> phase() {
  using enum Phase;
  std::vector<Choice<Phase>> choices;
  for (const Phase each :
       {kSetup, kPreCopy, kStop, kHarvest, kCopy, kShadow, kDeviceState, kInflate, kCommit, kResume, kPostCopy})
    choices.push_back({std::string(sim::name_of(each)), each, ""});
  return choice(choices);
}

Table<EventSpec> make_event_table() {
  Table<EventSpec> table("event", "a fault or a command during the run");
  std::vector<std::string> names;
  for (const Choice<EventKind>& each : event_kinds()) names.push_back(each.name);
  table.set_variants("do", names, [](const EventSpec& e) { return static_cast<std::uint32_t>(e.kind); });
  table.field("do", &EventSpec::kind, choice(event_kinds()), "What happens.");
  table.field("at", &EventSpec::at, time({"0 s", "10000 h"}), "When; with when, how long after.").or_else("0 s");
  table.maybe("when", &EventSpec::phase, phase(), "Not at a time but when migration enters this phase the first time.");
  table
      .field("migration", &EventSpec::migration, count(0, 1'000'000),
             "Which migration, by its place in the list from 0 on.")
      .or_else(0);
  constexpr std::uint32_t on_link =
      bit(EventKind::kLinkDown) | bit(EventKind::kLinkUp) | bit(EventKind::kBandwidth) | bit(EventKind::kLoss);
  table.field("link", &EventSpec::link, count(0, 1'000'000), "Which link, by its place in the list from 0 on.")
      .or_else(0)
      .only_for(on_link);
  table
      .maybe("for", &EventSpec::lasts, time({"1 ns", "10000 h"}), "Then the link is as it was built; absent: for good.")
      .only_for(on_link & ~bit(EventKind::kLinkUp));
  table.field("bandwidth", &EventSpec::bandwidth, rate({"1 kbit/s", "10 Tbit/s"}), "In each direction.")
      .only_for(bit(EventKind::kBandwidth));
  table.field("share", &EventSpec::loss, share({"0 %", "99 %"}), "What is lost.").only_for(bit(EventKind::kLoss));
  table.field("host", &EventSpec::host_name, name_of("the name of a host"), "Which host.")
      .only_for(bit(EventKind::kHostCrash) | bit(EventKind::kMemoryRefused));
  return table;
}

}  // namespace

const Table<EventSpec>& event_table() {
  static const Table<EventSpec> table = make_event_table();
  return table;
}

}  // namespace godwit::scenarios
