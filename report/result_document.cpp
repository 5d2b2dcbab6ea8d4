#include "report/result_document.h"

#include <fmt/format.h>

#include <optional>

#include "report/changes_table.h"
#include "report/format.h"
#include "scenarios/json_reader.h"

namespace godwit::report {
namespace {

using scenarios::Issues;
using scenarios::Node;

bool has_list(const Node& root, std::string_view name) {
  const Node* found = root.find(name);
  return found && found->is(Node::Type::kArray);
}

void judge(const Node& root, Issues& issues) {
  const Node* producer = root.find("godwit");
  const Node* format = producer ? producer->find("result_version") : nullptr;
  const std::string known = producer_json().at("result_version").dump();
  const Node* scenario = root.find("scenario");
  const bool has_scenario = scenario && scenario->is(Node::Type::kObject);
  if (format == nullptr || !has_scenario || (!has_list(root, "migrations") && !has_list(root, "strategies"))) {
    issues.at(root, "expected a result, as godwit run --json or godwit compare --json write it");
  } else if (format->text != known) {
    issues.at(*format, fmt::format("expected a result of format {}, got one of format {}", known, shown(*format)));
  }
}

/// A document without who made it and without what was run.
Json outcome_of(Json document) {
  document.erase("godwit");
  document.erase("scenario");
  return document;
}

std::string described(const Json& document) {
  const auto text = [&](const char* pointer) {
    const Json value = document.value(Json::json_pointer(pointer), Json());
    return value.is_string() ? value.get<std::string>() : value.dump();
  };
  return fmt::format("{}, by godwit {}", text("/scenario/name"), text("/godwit/version"));
}

}  // namespace

std::variant<Json, std::vector<scenarios::Issue>> read_result(std::string_view text, const std::string& file) {
  Issues issues(file);
  const std::optional<Node> root = scenarios::read_json(text, issues);
  if (root) judge(*root, issues);
  if (!issues.empty()) return issues.take();
  return to_json(*root);
}

ResultDifference difference(const Json& from, const Json& to) {
  return {studies::changes(from.at("scenario"), to.at("scenario")), studies::changes(outcome_of(from), outcome_of(to))};
}

std::string difference_table(const ResultDifference& difference, const Json& from, const Json& to) {
  std::string text = fmt::format("from  {}\nto    {}\n", described(from), described(to));
  if (!difference.any()) return text + "\nthe same scenario, the same result\n";
  const auto section = [&](const char* what, const std::vector<studies::Change>& changes) {
    if (changes.empty()) {
      text += fmt::format("\nthe {} is the same\n", what);
    } else {
      text += fmt::format("\n{} of the {} moved\n{}", plural(changes.size(), "field"), what, changes_table(changes, 2));
    }
  };
  section("scenario", difference.scenario);
  section("result", difference.result);
  return text;
}

}  // namespace godwit::report
