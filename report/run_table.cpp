#include "report/run_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "report/columns.h"
#include "report/format.h"
#include "sim/names.h"

namespace godwit::report {
namespace {

constexpr std::size_t kInFull = 4;     ///< As many migrations are shown with their rounds.
constexpr std::size_t kLinesMax = 40;  ///< And as many at all.

std::string field(std::string_view name, const std::string& value, const std::string& detail) {
  std::string line = fmt::format("  {:<12}{:>11}   {}", name, value, detail);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string outcome(const sim::MigrationResult& migration) {
  std::string text = words_of(name_of(migration.status));
  if (!migration.reason.empty()) text += " (" + words_of(migration.reason) + ")";
  return text;
}

std::string where(const sim::MigrationResult& migration) {
  return migration.home == sim::Home::kNowhere ? "runs nowhere"
                                               : fmt::format("runs at the {}", name_of(migration.home));
}

std::string downtime_parts(const sim::MigrationResult& migration) {
  std::string text;
  for (std::size_t i = 0; i < sim::kParts; ++i) {
    if (migration.parts[i] == Nanos{0}) continue;
    if (!text.empty()) text += " + ";
    text += fmt::format("{} {}", words_of(name_of(static_cast<sim::Part>(i))), human(migration.parts[i]));
  }
  return text;
}

std::string volume(const sim::MigrationResult& migration) {
  std::string text = fmt::format("of {} memory: {} before the stop, {} in the downtime", human(migration.total_bytes),
                                 human(migration.precopy), human(migration.in_downtime));
  if (migration.postcopy.value > 0) text += fmt::format(", {} after it", human(migration.postcopy));
  return text;
}

std::string pages(const sim::MigrationResult& migration) {
  std::string text =
      fmt::format("{} as zero, {} skipped", grouped(migration.duplicate.value), grouped(migration.skipped.value));
  if (migration.free.value > 0) text += fmt::format(", {} left out as free", grouped(migration.free.value));
  return text;
}

std::string effect(const sim::MigrationResult& migration) {
  std::string text = plural(migration.write_faults, "write fault");
  if (migration.postcopy_stall > Nanos{0})
    text += fmt::format(", stalled {} by post-copy", human(migration.postcopy_stall));
  if (migration.dropped.value > 0)
    text += fmt::format(", {} of page cache dropped, which take {} to read again",
                        plural(migration.dropped.value, "page"), human(migration.reread));
  if (migration.stunned > 0)
    text +=
        fmt::format(", {} of its processes stunned, together for {}", migration.stunned, human(migration.stunned_time));
  const auto& own = migration.self_dirtied;
  const std::uint64_t dirtied =
      own.in_flight.value + own.rings_and_stack.value + own.bitmap.value + own.page_tables.value;
  if (dirtied > 0)
    text += fmt::format("; its sending dirties {} (in flight {}, rings and stack {}, bitmap {}, page tables {})",
                        plural(dirtied, "page"), grouped(own.in_flight.value), grouped(own.rings_and_stack.value),
                        grouped(own.bitmap.value), grouped(own.page_tables.value));
  return text;
}

/// One line for each payer and host, in the order of the bills.
std::string cpu(const sim::MigrationResult& migration) {
  struct Payer {
    std::string who;
    Nanos total{0};
    std::string activities;
  };
  std::vector<Payer> payers;
  for (const sim::Bill& bill : migration.costs) {
    if (bill.cpu == Nanos{0}) continue;
    const std::string who = fmt::format("{} on {}", bill.payer, bill.host);
    auto payer = std::ranges::find(payers, who, &Payer::who);
    if (payer == payers.end()) payer = payers.insert(payer, {.who = who, .activities = {}});
    payer->total += bill.cpu;
    payer->activities +=
        fmt::format("{}{} {}", payer->activities.empty() ? "" : ", ", name_of(bill.activity), human(bill.cpu));
  }
  std::string text;
  for (const Payer& payer : payers)
    text += field(text.empty() ? "CPU" : "", human(payer.total), fmt::format("{}: {}", payer.who, payer.activities));
  return text;
}

std::string rounds(const sim::MigrationResult& migration) {
  if (migration.iterations.empty()) return {};
  Columns table({{"round"},
                 {"start"},
                 {"took"},
                 {"pages sent"},
                 {"zero"},
                 {"skipped"},
                 {"bytes sent"},
                 {"newly dirty"},
                 {"pending after"},
                 {"rate limit"},
                 {"throttle"}});
  const std::size_t count = migration.iterations.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (count > kLinesMax && i == kLinesMax / 2) i = count - kLinesMax / 2;
    const sim::Iteration& each = migration.iterations[i];
    const core::RoundStats& round = each.round;
    const std::string name = round.stopped ? "stopped" : round.post_copy ? "post" : std::to_string(round.index);
    table.add({name, human(round.began - migration.requested_at), human(round.took), grouped(round.sent.value),
               grouped(round.zero.value), grouped(round.skipped.value), human(round.bytes),
               grouped(round.new_dirty.value), grouped(round.pending_after.value),
               round.rate_limit.value > 0 ? human(round.rate_limit) : "-",
               each.throttle > 0 ? human_percent(each.throttle) : "-"});
  }
  std::string text = "\n" + table.text(2);
  if (count > kLinesMax) text += fmt::format("  (the {} rounds in the middle are left out)\n", count - kLinesMax);
  return text;
}

std::string in_full(const sim::MigrationResult& migration) {
  std::string text = fmt::format("{}: {} -> {} by {}: {}; the guest {}; memory {}\n", migration.guest, migration.source,
                                 migration.destination, migration.strategy, outcome(migration), where(migration),
                                 migration.verified ? "verified" : "not verified");
  text += field("total time", human(migration.total_time), fmt::format("setup {}", human(migration.setup_time)));
  text += field("downtime", human(migration.downtime), downtime_parts(migration));
  if (migration.pauses > 1)
    text += field("paused", human(migration.paused_total), fmt::format("in {} pauses", migration.pauses));
  text += field("service gap", human(migration.service_gap), "as a client sees it");
  text += field("sent", human(migration.transferred), volume(migration));
  text += field("pages", grouped(migration.normal.value), pages(migration));
  text += field("work lost", human(migration.work_lost), effect(migration));
  text += cpu(migration);
  if (!migration.goal_ignored.empty())
    text +=
        fmt::format("  this strategy has no parameter for the goal's {}\n", fmt::join(migration.goal_ignored, ", "));
  return text + rounds(migration);
}

std::string in_brief(const sim::RunResult& result) {
  Columns table({{"guest", Align::kLeft},
                 {"from", Align::kLeft},
                 {"to", Align::kLeft},
                 {"strategy", Align::kLeft},
                 {"outcome", Align::kLeft},
                 {"requested at"},
                 {"total time"},
                 {"downtime"},
                 {"sent"},
                 {"rounds"},
                 {"verified"}});
  for (std::size_t i = 0; i < std::min(result.migrations.size(), kLinesMax); ++i) {
    const sim::MigrationResult& each = result.migrations[i];
    table.add({each.guest, each.source, each.destination, each.strategy, outcome(each), human(each.requested_at),
               human(each.total_time), human(each.downtime), human(each.transferred),
               std::to_string(each.iterations.size()), each.verified ? "yes" : "no"});
  }
  std::string text = table.text();
  if (result.migrations.size() > kLinesMax)
    text += fmt::format("... and {} more (--json has all)\n", grouped(result.migrations.size() - kLinesMax));
  return text;
}

/// "9 completed, 1 failed", and what they took together.
std::string totals(const sim::RunResult& result) {
  std::map<sim::Status, std::uint64_t> statuses;
  std::vector<Nanos> downtimes;
  Bytes sent{0};
  for (const sim::MigrationResult& each : result.migrations) {
    ++statuses[each.status];
    downtimes.push_back(each.downtime);
    sent += each.transferred;
  }
  std::ranges::sort(downtimes);
  std::string text = plural(result.migrations.size(), "migration") + ":";
  for (const auto& [status, count] : statuses)
    text += fmt::format("{} {} {}", status == statuses.begin()->first ? "" : ",", grouped(count),
                        words_of(name_of(status)));
  return fmt::format("{}; downtime median {}, most {}; {} sent; over after {}\n", text,
                     human(downtimes[downtimes.size() / 2]), human(downtimes.back()), human(sent),
                     human(result.ended_at));
}

}  // namespace

std::string run_table(const sim::RunResult& result, const Title& title) {
  std::string text = title.name;
  if (!title.question.empty()) text += ": " + title.question;
  text += "\n";
  if (result.migrations.empty()) return text + "\nno migration; nothing to show\n";
  if (result.migrations.size() > kInFull) {
    text += "\n" + in_brief(result) + "\n" + totals(result);
  } else {
    for (const sim::MigrationResult& each : result.migrations) text += "\n" + in_full(each);
  }
  return text + fmt::format("\nseed {}, digest {:016x}\n", result.seed, result.digest);
}

}  // namespace godwit::report
