#include "report/outcome_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/charts.h"
#include "report/format.h"
#include "report/rounds_page.h"
#include "report/work_page.h"
#include "sim/names.h"

namespace godwit::report {
namespace {

constexpr std::size_t kOutcomesMost = 40;  ///< More bars than that nobody reads.

/// A migration of a run, or a strategy of a comparison in its typical run.
struct Outcome {
  std::string name;
  std::string outcome;
  Json figures;                                        ///< Fields as in the documents.
  std::vector<std::pair<std::string, double>> cpu_ms;  ///< By payer.
};

std::string text(const Json& number) { return number.dump(); }

Outcome outcome_of_migration(const Json& migration, const std::string& prefix) {
  Outcome outcome{
      prefix + migration.at("guest").get<std::string>() + " by " + migration.at("strategy").get<std::string>(),
      migration.at("status").get<std::string>(),
      migration,
      {}};
  if (migration.at("reason").is_string()) outcome.outcome += ": " + migration.at("reason").get<std::string>();
  outcome.figures["transferred_bytes"] = migration.at("ram").at("transferred_bytes");
  outcome.figures["work_lost_ms"] = migration.at("guest_effect").at("work_lost_ms");
  for (const Json& bill : migration.at("costs")) {
    const auto payer = bill.at("payer").get<std::string>();
    auto known = std::ranges::find(outcome.cpu_ms, payer, &std::pair<std::string, double>::first);
    if (known == outcome.cpu_ms.end()) known = outcome.cpu_ms.insert(known, {payer, 0.0});
    known->second += bill.at("cpu_ms").get<double>();
  }
  return outcome;
}

/// The run whose downtime is the median.
const Json& typical_run(const Json& strategy) {
  for (const Json& run : strategy.at("runs"))
    if (run.at("downtime_ms") == strategy.at("downtime_ms").at("median")) return run;
  return strategy.at("runs").at(0);
}

Outcome outcome_of_strategy(const Json& strategy, const std::string& prefix) {
  const Json& run = typical_run(strategy);
  Outcome outcome{prefix + strategy.at("name").get<std::string>(), run.at("outcome").get<std::string>(), run, {}};
  for (const auto& [payer, time] : run.at("cpu_ms").items()) outcome.cpu_ms.emplace_back(payer, time.get<double>());
  return outcome;
}

std::vector<Outcome> outcomes_of(const std::vector<ResultFile>& results) {
  std::vector<Outcome> all;
  for (const ResultFile& result : results) {
    const std::string prefix = results.size() > 1 ? result.file + ": " : "";
    if (result.document.contains("migrations"))
      for (const Json& each : result.document.at("migrations")) all.push_back(outcome_of_migration(each, prefix));
    else
      for (const Json& each : result.document.at("strategies")) all.push_back(outcome_of_strategy(each, prefix));
  }
  return all;
}

/// Each with what it came to, in words.
std::vector<std::pair<std::string, std::string>> names_of(const std::vector<Outcome>& outcomes) {
  std::vector<std::pair<std::string, std::string>> names;
  for (const Outcome& each : outcomes) names.emplace_back(each.name, words_of(each.outcome));
  return names;
}

/// Outcomes, each once, what is done first.
std::vector<std::string> each_once(std::vector<std::string> outcomes) {
  std::ranges::stable_sort(outcomes, [](const std::string& a, const std::string& b) {
    return std::pair(!is_done(a), a) < std::pair(!is_done(b), b);
  });
  outcomes.erase(std::unique(outcomes.begin(), outcomes.end()), outcomes.end());
  return outcomes;
}

Figure downtime_figure(const std::vector<Outcome>& outcomes) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < sim::kParts; ++i) {
    const std::string name(name_of(static_cast<sim::Part>(i)));
    const auto some = [&](const Outcome& each) { return each.figures.at("downtime_parts_ms").at(name) != 0; };
    if (std::ranges::any_of(outcomes, some)) parts.push_back(name);
  }
  Figure figure;
  figure.title = "Downtime, part by part";
  figure.text = "How long nothing of the guest ran, and what that time went to. The parts sum to the downtime exactly.";
  figure.table.columns = {"", "outcome", "downtime_ms"};
  Json records = Json::array();
  std::vector<std::string> names;
  for (const std::string& part : parts) {
    names.push_back(words_of(part));
    figure.table.columns.push_back(part + "_ms");
  }
  for (const Outcome& each : outcomes) {
    std::vector<std::string> row{each.name, words_of(each.outcome), text(each.figures.at("downtime_ms"))};
    for (const std::string& part : parts) {
      const Json& time = each.figures.at("downtime_parts_ms").at(part);
      row.push_back(text(time));
      records.push_back({{"who", each.name}, {"part", words_of(part)}, {"ms", time}});
    }
    figure.table.rows.push_back(std::move(row));
  }
  figure.spec = with_failures(stacked_bars(inline_data(std::move(records)), {"ms", "downtime [ms]"},
                                           {"who", "who", "nominal"}, {"part", "part", "nominal"}, names),
                              "who", names_of(outcomes));
  return figure;
}

Figure total_figure(const std::vector<Outcome>& outcomes, const char* field, const char* title, const char* axis,
                    const char* sentence) {
  Figure figure;
  figure.title = title;
  figure.text = sentence;
  figure.table.columns = {"", field};
  Json records = Json::array();
  for (const Outcome& each : outcomes) {
    figure.table.rows.push_back({each.name, text(each.figures.at(field))});
    records.push_back({{"who", each.name}, {"outcome", words_of(each.outcome)}, {"value", each.figures.at(field)}});
  }
  std::vector<std::string> outcome_names;
  for (const Outcome& each : outcomes) outcome_names.push_back(words_of(each.outcome));
  outcome_names = each_once(std::move(outcome_names));
  Json bars = stacked_bars(inline_data(std::move(records)), {"value", axis}, {"who", "who", "nominal"},
                           {"outcome", "outcome", "nominal"}, outcome_names);
  mark_outcomes(bars, "outcome", outcome_names);
  figure.spec = with_failures(std::move(bars), "who", names_of(outcomes));
  return figure;
}

Figure cpu_figure(const std::vector<Outcome>& outcomes) {
  const std::vector<std::string> payers{"guest", "hypervisor", "management", "destination"};
  Figure figure;
  figure.title = "CPU time, by who pays it";
  figure.text =
      "What the migration costs the guest itself, the hypervisor or management that moves it, and the host that it "
      "goes to.";
  figure.table.columns = {"", "guest_ms", "hypervisor_ms", "management_ms", "destination_ms"};
  Json records = Json::array();
  for (const Outcome& each : outcomes) {
    std::vector<std::string> row{each.name};
    for (const std::string& payer : payers) {
      const auto found = std::ranges::find(each.cpu_ms, payer, &std::pair<std::string, double>::first);
      // A sum of decimal numbers is one of as many digits again.
      const double ms = found == each.cpu_ms.end() ? 0.0 : std::round(found->second * 1e6) / 1e6;
      row.push_back(Json(ms).dump());
      records.push_back({{"who", each.name}, {"payer", payer}, {"ms", ms}});
    }
    figure.table.rows.push_back(std::move(row));
  }
  figure.spec = stacked_bars(inline_data(std::move(records)), {"ms", "CPU time [ms]"}, {"who", "who", "nominal"},
                             {"payer", "payer", "nominal"}, payers);
  return figure;
}

/// Every run of every strategy: what lies apart and what does not.
Figure seeds_figure(const std::vector<ResultFile>& results) {
  Figure figure;
  figure.title = "Downtime over the seeds";
  figure.text =
      "One mark for each seed. Where the marks of two strategies overlap, no difference is claimed. A cross is a seed "
      "that is "
      "not completed: its downtime is what it came to until then.";
  figure.table.columns = {"", "seed", "downtime_ms", "total_time_ms", "outcome"};
  Json records = Json::array();
  std::vector<std::string> outcomes;
  for (const ResultFile& result : results) {
    if (!result.document.contains("strategies")) continue;
    const std::string prefix = results.size() > 1 ? result.file + ": " : "";
    for (const Json& strategy : result.document.at("strategies"))
      for (const Json& run : strategy.at("runs")) {
        const std::string who = prefix + strategy.at("name").get<std::string>();
        const std::string outcome = words_of(run.at("outcome").get<std::string>());
        figure.table.rows.push_back(
            {who, text(run.at("seed")), text(run.at("downtime_ms")), text(run.at("total_time_ms")), outcome});
        outcomes.push_back(outcome);
        records.push_back(
            {{"who", who}, {"seed", run.at("seed")}, {"ms", run.at("downtime_ms")}, {"outcome", outcome}});
      }
  }
  const Channel x{"ms", "downtime [ms]"}, y{"who", "who", "nominal"}, color{"outcome", "outcome", "nominal"};
  Json y_json = axis_channel(y), x_json = axis_channel(x);
  y_json["sort"] = y_json["title"] = nullptr;
  y_json["axis"] = name_axis();
  x_json["axis"] = {{"labelExpr", "format(datum.value, '~s')"}, {"tickCount", 6}};
  x_json["scale"] = {{"padding", 14}, {"nice", false}};  // a mark at nought is seen whole
  outcomes = each_once(std::move(outcomes));
  Json range = Json::array(), shapes = Json::array();
  for (const std::string& each : outcomes) {
    range.push_back(is_done(each) ? "#0072b2" : "#8a8a8a");
    shapes.push_back(is_done(each) ? "M0,-1L0,1" : "M-.6,-.6L.6,.6M.6,-.6L-.6,.6");
  }
  figure.spec = {{"data", inline_data(std::move(records))},
                 {"width", "container"},
                 {"height", {{"step", 30}}},
                 {"mark", {{"type", "point"}, {"size", 250}, {"strokeWidth", 2}}},
                 {"encoding",
                  {{"y", std::move(y_json)},
                   {"x", std::move(x_json)},
                   {"color",
                    {{"field", "outcome"},
                     {"type", "nominal"},
                     {"title", "outcome"},
                     {"scale", {{"domain", outcomes}, {"range", std::move(range)}}}}},
                   {"shape",
                    {{"field", "outcome"},
                     {"type", "nominal"},
                     {"title", "outcome"},
                     {"scale", {{"domain", outcomes}, {"range", std::move(shapes)}}}}},
                   {"tooltip", tooltip({y, {"seed", "seed"}, x, color})}}}};
  return figure;
}

}  // namespace

Page outcomes_page(const std::vector<ResultFile>& results) {
  Page page;
  if (!results.empty()) {
    const Json& scenario = results.front().document.at("scenario");
    page.title = scenario.value("name", "results");
    page.text = scenario.value("question", "");
  }
  std::vector<Outcome> outcomes = outcomes_of(results);
  if (outcomes.size() > kOutcomesMost) {
    page.text += fmt::format(" The first {} of {} migrations are shown.", kOutcomesMost, grouped(outcomes.size()));
    outcomes.resize(kOutcomesMost);
  }
  if (!outcomes.empty()) {
    page.figures.push_back(downtime_figure(outcomes));
    page.figures.push_back(total_figure(outcomes, "total_time_ms", "Total time", "total time [ms]",
                                        "From the request to the guest's running at the destination."));
    page.figures.push_back(total_figure(outcomes, "transferred_bytes", "Bytes sent", "sent [bytes]",
                                        "All that the migration sent, pages sent again and headers among it."));
    page.figures.push_back(cpu_figure(outcomes));
  }
  if (std::ranges::any_of(results, [](const ResultFile& each) { return each.document.contains("strategies"); }))
    page.figures.push_back(seeds_figure(results));
  add_work(page, results);
  add_rounds(page, results);
  for (const ResultFile& result : results)
    page.recipes.push_back(
        {"The scenario of " + result.file + ", every default written out", result.document.at("scenario")});
  return page;
}

}  // namespace godwit::report
