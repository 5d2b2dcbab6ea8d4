#include "report/check_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "report/changes_table.h"
#include "report/columns.h"
#include "report/format.h"
#include "studies/record_text.h"

namespace godwit::report {
namespace {

using studies::Check;
using studies::Moved;

std::string expectations(const Check& check) {
  const std::size_t all = check.scenario.expect.size(), unmet = check.outcome->unmet.size();
  if (all == 0) return "none";
  return unmet == 0 ? fmt::format("{} met", all) : fmt::format("{} of {} unmet", unmet, all);
}

/// The fields that people look at first, and how many others there are.
std::string headline(const Moved& moved) {
  static constexpr std::array<std::string_view, 4> kFirst = {"/status", "/downtime_ms", "/total_time_ms",
                                                             "/transferred_bytes"};
  constexpr std::size_t kShownMax = 3;
  std::vector<std::string> texts;
  for (const std::string_view each : kFirst) {
    const auto found =
        std::ranges::find_if(moved.changes, [&](const auto& change) { return change.pointer.ends_with(each); });
    if (found == moved.changes.end() || texts.size() == kShownMax) continue;
    const std::string by = relative(*found);
    texts.push_back(fmt::format("{} {}", each.substr(1), by.empty() ? "other" : by));
  }
  const std::size_t others = moved.changes.size() - texts.size();
  if (others > 0) texts.push_back(plural(others, texts.empty() ? "field" : "more field"));
  return texts.empty() ? "records only" : fmt::format("{}", fmt::join(texts, ", "));
}

std::string overview(std::span<const Check> checks) {
  Columns table({{"scenario", Align::kLeft},
                 {"expectations", Align::kLeft},
                 {"golden", Align::kLeft},
                 {"what moved", Align::kLeft}});
  for (const Check& each : checks) {
    const std::string& name = each.scenario.options.name;
    if (!each.outcome) {
      table.add({name, "-", "-", "not run"});
      continue;
    }
    table.add({name, expectations(each), std::string(golden_state(each)),
               each.outcome->moved ? headline(*each.outcome->moved) : ""});
  }
  return table.text();
}

/// What of two records is not the same: "at another instant, with another value".
std::string in_what(const studies::RecordWords& from, const studies::RecordWords& to) {
  if (from.kind != to.kind) return "something else happens";
  if (from.guest != to.guest) return "it happens to another guest";
  if (from.at == to.at) return "the same happens with another value";
  return from.value == to.value ? "the same happens at another instant"
                                : "the same happens at another instant, with another value";
}

void add_record(Columns& table, const std::string& label, const std::optional<std::string>& record,
                const std::string& absent) {
  const auto words = record ? studies::record_words(*record) : std::nullopt;
  if (words) {
    table.add({label, words->at, words->guest, words_of(words->kind), words_of(words->value)});
  } else {
    table.add({label, absent, "", "", ""});
  }
}

std::string first_record(const Moved& moved) {
  const studies::RecordDifference& difference = *moved.record;
  const bool kept = difference.among == 0;
  std::string text =
      kept ? fmt::format("  record {} is the first that differs", difference.index + 1)
           : fmt::format("  the first record that differs is among the {} from {} on, which the golden keeps as a hash",
                         difference.among, difference.index + 1);
  text += fmt::format(" (of {}, now {})", moved.records_from, moved.records_to);
  if (difference.from && difference.to)
    text += ": " + in_what(*studies::record_words(*difference.from), *studies::record_words(*difference.to));
  Columns table({{"", Align::kLeft}, {"at"}, {"guest", Align::kLeft}, {"what", Align::kLeft}, {"value", Align::kLeft}});
  if (difference.before) add_record(table, "before", difference.before, "");
  add_record(table, "golden", difference.from, kept ? "nothing more" : "not known");
  add_record(table, "now", difference.to, "nothing more");
  return text + "\n" + table.text(4);
}

std::string account_of(const Moved& moved, const Check& check) {
  std::string text = fmt::format("  {} {}, which godwit {} made\n", check.golden_written ? "replaced" : "differs from",
                                 check.golden_path.string(), moved.version);
  if (moved.scenario_changed) text += "  the scenario itself has been changed since\n";
  if (moved.digest_from != moved.digest_to)
    text += fmt::format("  digest {} -> {}\n", moved.digest_from, moved.digest_to);
  text +=
      moved.record ? first_record(moved) : fmt::format("  all {} are the same\n", plural(moved.records_to, "record"));
  if (moved.changes.empty()) return text + "  no field of the result moved\n";
  return text + fmt::format("  {} of the result moved\n", plural(moved.changes.size(), "field")) +
         changes_table(moved.changes, 4);
}

std::string totals(std::span<const Check> checks) {
  std::size_t passed = 0, failed = 0, left = 0, none = 0;
  for (const Check& each : checks) {
    if (!each.outcome) {
      ++left;
      continue;
    }
    ++(each.passed() ? passed : failed);
    none += golden_state(each) == "none" ? 1 : 0;
  }
  std::string text = fmt::format("{}: {} passed, {} failed", plural(checks.size(), "scenario"), passed, failed);
  if (left > 0) text += fmt::format(", {} not run", left);
  if (none > 0) text += fmt::format("; {} without a golden, held against expectations only", none);
  return text + "\n";
}

}  // namespace

std::string_view golden_state(const Check& check) {
  if (check.golden_written) return check.golden ? "rewritten" : "new";
  if (check.golden) return check.outcome->moved ? "differs" : "same";
  return check.golden_required ? "missing" : "none";
}

std::string check_account(const Check& check) {
  std::string text;
  for (const studies::Unmet& each : check.outcome->unmet)
    text += fmt::format("  unmet: {}: expected {}, found {}\n", each.pointer, each.expected, each.found);
  if (golden_state(check) == "missing") text += fmt::format("  there is no golden {}\n", check.golden_path.string());
  if (check.outcome->moved) text += account_of(*check.outcome->moved, check);
  return text;
}

std::string check_table(std::span<const Check> checks) {
  std::string text = overview(checks);
  for (const Check& each : checks) {
    const std::string account = each.outcome ? check_account(each) : "";
    if (!account.empty()) text += fmt::format("\n{} ({})\n{}", each.scenario.options.name, each.scenario.file, account);
  }
  return text + "\n" + totals(checks);
}

}  // namespace godwit::report
