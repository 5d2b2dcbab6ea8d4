#include "report/soak_report.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "report/columns.h"
#include "report/format.h"
#include "sim/names.h"

namespace godwit::report {
namespace {

constexpr std::array<std::string_view, studies::kSoakChecks> kChecks = {"oracles", "repeats", "contents", "effective",
                                                                        "checkpoint"};
constexpr std::array<std::string_view, studies::kSoakChecks> kCheckDocs = {
    "every page, byte and home, its end, its figures and what caused them", "run again, it came to the same",
    "with real bytes and without, it came to the same", "with every default written out, it came to the same",
    "its checkpoint started; cut short or altered it was refused"};

std::string name_of_outcome(sim::Status status, const std::string& reason) {
  const std::string name(sim::name_of(status));
  return reason.empty() ? name : fmt::format("{}: {}", name, reason);
}

std::string outcomes(const studies::SoakSummary& summary) {
  Columns table({{"outcome", Align::kLeft}, {"migrations"}});
  for (const auto& [outcome, count] : summary.outcomes)
    table.add({words_of(name_of_outcome(outcome.first, outcome.second)), grouped(count)});
  return table.text();
}

std::string strategies(const studies::SoakSummary& summary) {
  Columns table({{"strategy", Align::kLeft}, {"migrations"}, {"completed"}});
  for (const auto& [name, counts] : summary.strategies)
    table.add({name, grouped(counts.migrations), grouped(counts.completed)});
  return table.text();
}

std::string kinds(std::string title, const std::map<std::string, std::uint64_t>& counts) {
  Columns table({{std::move(title), Align::kLeft}, {"scenarios"}});
  for (const auto& [name, count] : counts) table.add({words_of(name), grouped(count)});
  return table.text();
}

std::string checks(const studies::SoakSummary& summary) {
  Columns table({{"looked at", Align::kLeft}, {"runs"}, {"", Align::kLeft}});
  for (std::size_t i = 0; i < studies::kSoakChecks; ++i)
    table.add({std::string(kChecks[i]), grouped(summary.checks[i]), std::string(kCheckDocs[i])});
  return table.text();
}

std::string headline(const studies::SoakSummary& summary) {
  std::string text = fmt::format("{} from {} on, {}", plural(summary.seeds, "seed"), summary.first,
                                 plural(summary.migrations, "migration"));
  if (summary.refused > 0)
    text += fmt::format("; {} asked a guest to move itself that is too small for that", grouped(summary.refused));
  return text;
}

}  // namespace

std::string soak_table(const studies::SoakSummary& summary, const std::vector<SoakFinding>& findings) {
  std::string text = headline(summary) + "\n\n" + outcomes(summary) + "\n" + strategies(summary) + "\n" +
                     kinds("workload", summary.workloads) + "\n" + kinds("event", summary.events) + "\n" +
                     checks(summary) + fmt::format("\ndigest {:016x}\n", summary.digest);
  if (findings.empty()) return text + "no violation\n";
  for (const SoakFinding& each : findings)
    text += fmt::format("\nviolation: {}\n  {} in {}, first with seed {}; to replay it:\n  {}\n", each.first.what,
                        "found", plural(each.seeds, "seed"), each.first.seed, each.replay);
  return text;
}

Json soak_json(const studies::SoakSummary& summary, const std::vector<SoakFinding>& findings) {
  Json outcomes = Json::array(), strategies = Json::object(), looked_at = Json::object(), found = Json::array();
  for (const auto& [outcome, count] : summary.outcomes)
    outcomes.push_back({{"status", sim::name_of(outcome.first)},
                        {"reason", outcome.second.empty() ? Json(nullptr) : Json(outcome.second)},
                        {"migrations", count}});
  for (const auto& [name, counts] : summary.strategies)
    strategies[name] = {{"migrations", counts.migrations}, {"completed", counts.completed}};
  for (std::size_t i = 0; i < studies::kSoakChecks; ++i) looked_at[std::string(kChecks[i])] = summary.checks[i];
  for (const SoakFinding& each : findings)
    found.push_back(
        {{"what", each.first.what}, {"seed", each.first.seed}, {"seeds", each.seeds}, {"replay", each.replay}});
  return {{"godwit", producer_json()},
          {"first_seed", summary.first},
          {"seeds", summary.seeds},
          {"refused", summary.refused},
          {"migrations", summary.migrations},
          {"outcomes", std::move(outcomes)},
          {"strategies", std::move(strategies)},
          {"workloads", summary.workloads},
          {"events", summary.events},
          {"looked_at", std::move(looked_at)},
          {"digest", fmt::format("{:016x}", summary.digest)},
          {"violations", std::move(found)}};
}

}  // namespace godwit::report
