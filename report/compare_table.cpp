#include "report/compare_table.h"

#include <fmt/format.h>

#include <cstddef>
#include <vector>

#include "report/columns.h"
#include "report/format.h"
#include "sim/names.h"
#include "studies/difference.h"

namespace godwit::report {
namespace {

using studies::Spread;
using studies::StrategyFigures;

template <class T, class Format>
std::string range(const Spread<T>& spread, Format format) {
  std::string median = format(spread.median);
  if (spread.is_point()) return median;
  return fmt::format("{} ({} to {})", median, format(spread.least), format(spread.most));
}

const auto kHuman = [](auto value) { return human(value); };

std::string outcomes(const StrategyFigures& strategy) {
  if (strategy.completed) return strategy.verified ? "completed" : "completed, not verified";
  for (const studies::RunFigures& run : strategy.runs)
    if (run.outcome != "completed") return words_of(run.outcome);
  return "completed";
}

std::string overview(const studies::Comparison& comparison) {
  Columns table({{"strategy", Align::kLeft},
                 {"outcome", Align::kLeft},
                 {"downtime"},
                 {"total time"},
                 {"sent"},
                 {"rounds"},
                 {"work lost"}});
  for (const StrategyFigures& each : comparison.strategies)
    table.add({each.name, outcomes(each), range(each.downtime, kHuman), range(each.total_time, kHuman),
               range(each.sent, kHuman), range(each.rounds, [](auto n) { return std::to_string(n); }),
               range(each.work_lost, kHuman)});
  return table.text();
}

std::string parts(const studies::Comparison& comparison) {
  std::vector<Columns::Column> columns{{"strategy", Align::kLeft}};
  std::vector<std::size_t> shown;
  for (std::size_t part = 0; part < sim::kParts; ++part) {
    bool some = false;
    for (const StrategyFigures& each : comparison.strategies) some |= each.typical().parts[part] != Nanos{0};
    if (!some) continue;
    shown.push_back(part);
    columns.push_back({words_of(name_of(static_cast<sim::Part>(part)))});
  }
  columns.push_back({"= downtime"});
  Columns table(std::move(columns));
  for (const StrategyFigures& each : comparison.strategies) {
    std::vector<std::string> row{each.name};
    for (const std::size_t part : shown) row.push_back(human(each.typical().parts[part]));
    row.push_back(human(each.typical().downtime));
    table.add(std::move(row));
  }
  return "Where the downtime goes (the run with the median downtime):\n" + table.text(2);
}

std::string payers(const studies::Comparison& comparison) {
  const std::vector<std::string> names = comparison.payers();
  if (names.empty()) return "No CPU is paid for: the hosts' work costs nothing.\n";
  std::vector<Columns::Column> columns{{"strategy", Align::kLeft}};
  for (const std::string& name : names) columns.push_back({name});
  Columns table(std::move(columns));
  for (const StrategyFigures& each : comparison.strategies) {
    std::vector<std::string> row{each.name};
    for (const std::string& name : names) row.push_back(human(each.paid_by(name).median));
    table.add(std::move(row));
  }
  return "CPU time, by who pays it (median):\n" + table.text(2);
}

/// "80 ms less of copy and 2 ms more of inflate"
std::string reasons(const StrategyFigures& first, const StrategyFigures& second) {
  std::vector<std::string> texts;
  for (const auto& [part, difference] : studies::part_differences(first, second))
    texts.push_back(fmt::format("{} {}: {}", human(std::chrono::abs(difference)),
                                difference < Nanos{0} ? "less" : "more", words_of(name_of(part))));
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string downtime_sentence(const StrategyFigures& first, const StrategyFigures& second) {
  switch (studies::verdict(first.downtime, second.downtime)) {
    case studies::Verdict::kSame: return "is down exactly as long";
    case studies::Verdict::kNoneProven: return "no difference in downtime beyond the spread over the seeds";
    case studies::Verdict::kLess:
      return fmt::format("is down {} less ({})", human(first.downtime.median - second.downtime.median),
                         reasons(first, second));
    case studies::Verdict::kMore:
      return fmt::format("is down {} longer ({})", human(second.downtime.median - first.downtime.median),
                         reasons(first, second));
  }
  return {};
}

std::string payment_sentence(const studies::Comparison& comparison, const StrategyFigures& first,
                             const StrategyFigures& second) {
  std::vector<std::string> texts;
  for (const std::string& payer : comparison.payers()) {
    const auto before = first.paid_by(payer), after = second.paid_by(payer);
    const studies::Verdict verdict = studies::verdict(before, after);
    if (verdict == studies::Verdict::kLess)
      texts.push_back(fmt::format("the {} pays {} less CPU", payer, human(before.median - after.median)));
    if (verdict == studies::Verdict::kMore)
      texts.push_back(fmt::format("the {} pays {} more CPU", payer, human(after.median - before.median)));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string explanation(const studies::Comparison& comparison) {
  const StrategyFigures& first = comparison.strategies.front();
  if (comparison.strategies.size() < 2) return {};
  std::string text = fmt::format("\nAgainst {}:\n", first.name);
  for (std::size_t i = 1; i < comparison.strategies.size(); ++i) {
    const StrategyFigures& second = comparison.strategies[i];
    if (!first.completed || !second.completed) {
      text += fmt::format("  {}: not compared, since {} did not complete\n", second.name,
                          first.completed ? "it" : first.name);
      continue;
    }
    text += fmt::format("  {}: {}\n", second.name, downtime_sentence(first, second));
    const std::string payment = payment_sentence(comparison, first, second);
    if (!payment.empty()) text += fmt::format("    {}\n", payment);
  }
  return text;
}

std::string notes(const studies::Comparison& comparison) {
  std::string text;
  for (const StrategyFigures& each : comparison.strategies)
    if (!each.goal_ignored.empty())
      text += fmt::format("{} has no parameter for the goal's {}\n", each.name, fmt::join(each.goal_ignored, ", "));
  if (comparison.caps_differ()) {
    std::vector<std::string> caps;
    for (const StrategyFigures& each : comparison.strategies)
      caps.push_back(each.name + " " + (each.rate_max.value == 0 ? "none" : human(each.rate_max)));
    text += fmt::format("warning: the bandwidth caps differ: {}\n", fmt::join(caps, ", "));
  }
  return text;
}

std::string seeds(const studies::Comparison& comparison) {
  const std::string pairing = comparison.pairing == studies::Pairing::kPaired
                                  ? "every strategy sees the same writes at the same times"
                                  : "the writes are drawn anew for each strategy, equal in distribution";
  return fmt::format("{} from {}; {}; a range is the least and the most over the seeds\n",
                     plural(comparison.seeds.size(), "seed"), comparison.seeds.front(), pairing);
}

}  // namespace

std::string compare_table(const studies::Comparison& comparison, const Title& title) {
  std::string text = title.name;
  if (!title.question.empty()) text += ": " + title.question;
  text += "\n\n" + overview(comparison) + "\n" + parts(comparison) + "\n" + payers(comparison);
  text += explanation(comparison);
  const std::string more = notes(comparison);
  if (!more.empty()) text += "\n" + more;
  return text + "\n" + seeds(comparison);
}

}  // namespace godwit::report
