#include "cli/sweep_store.h"

#include <fmt/format.h>

#include <variant>
#include <vector>

#include "cli/output.h"
#include "report/format.h"
#include "report/sweep_csv.h"
#include "studies/sweep.h"

namespace godwit::cli {

std::string write_csv(studies::SweepStore& store, const std::string& file) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  auto opened = Output::open(file);
  if (auto* trouble = std::get_if<std::string>(&opened)) return std::move(*trouble);
  Output output = std::get<Output>(std::move(opened));
  std::string text = report::csv_header(store.header().columns), trouble;
  store.for_each([&](const studies::Row& row) {
    text += report::csv_line(row);
    if (text.size() < kPiece || !trouble.empty()) return;
    trouble = output.append(text);
    text.clear();
  });
  return trouble.empty() ? output.write(text) : trouble;
}

std::string account_of(studies::SweepStore& store) {
  const studies::StoreHeader& header = store.header();
  const std::string name = header.sweep.value("name", "");
  std::string text = fmt::format("{}: {} of {} in {}\n", name, report::grouped(store.count()),
                                 report::plural(header.points, "point"), store.path());
  constexpr std::size_t kShown = 20;
  const auto outcomes = store.outcomes();
  std::size_t shown = 0;
  for (const auto& [outcome, count] : outcomes) {
    if (shown++ == kShown) break;
    text += fmt::format("  {:>13}  {}\n", report::grouped(count), report::words_of(outcome));
  }
  if (outcomes.size() > kShown) text += fmt::format("  and {} other outcomes\n", outcomes.size() - kShown);
  return text + fmt::format("content {}\n", store.content_hash());
}

std::string missing_of(studies::SweepStore& store) {
  const std::vector<std::uint64_t> missing = studies::missing_points(store);
  if (missing.empty()) return {};
  const studies::Shard& shard = store.header().shard;
  const std::string part = shard.count > 1 ? fmt::format(" --shard {}/{}", shard.index, shard.count) : "";
  return fmt::format("{} missing, the first of them {}; godwit sweep {} --resume{} --out {} runs them\n",
                     report::plural(missing.size(), "point"), missing.front(), store.header().file, part, store.path());
}

}  // namespace godwit::cli
