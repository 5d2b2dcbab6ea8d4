#include "studies/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <set>

namespace godwit::studies {
namespace {

using scenarios::Json;
using MemberNames = std::vector<const char*>;

/// Of each element what `members` say, with commas between. Nothing where one lacks a member, or two say the same.
std::optional<std::vector<std::string>> names_by(const Json& list, const MemberNames& members) {
  std::vector<std::string> names;
  for (const Json& element : list) {
    std::vector<std::string> words;
    for (const char* member : members) {
      if (!element.is_object() || !element.contains(member) || !element[member].is_primitive()) return std::nullopt;
      words.push_back(element[member].is_string() ? element[member].get<std::string>() : element[member].dump());
    }
    names.push_back(fmt::format("{}", fmt::join(words, ", ")));
  }
  if (std::set<std::string>(names.begin(), names.end()).size() != names.size()) return std::nullopt;
  return names;
}

std::vector<std::string> shared_names(const std::vector<std::string>& names, const std::vector<std::string>& others) {
  std::vector<std::string> shared;
  for (const std::string& each : names)
    if (std::ranges::find(others, each) != others.end()) shared.push_back(each);
  return shared;
}

struct NamedLists {
  std::vector<std::string> from, to;
};

std::optional<NamedLists> named(const Json& from, const Json& to) {
  static const std::vector<MemberNames> kNamings = {{"name"}, {"payer", "host", "activity"}, {"seed"}};
  for (const MemberNames& members : kNamings) {
    const auto first = names_by(from, members), second = names_by(to, members);
    if (first && second && shared_names(*first, *second) == shared_names(*second, *first))
      return NamedLists{*first, *second};
  }
  return std::nullopt;
}

/// Walks two documents at once.
class Comparing {
 public:
  void values(const std::string& pointer, const Json* from, const Json* to) {
    if (from && to && from->is_object() && to->is_object()) return objects(pointer, *from, *to);
    if (from && to && from->is_array() && to->is_array()) return lists(pointer, *from, *to);
    if (from && to && *from == *to) return;
    Change& change = found.emplace_back(Change{pointer, item_, std::nullopt, std::nullopt});
    if (from) change.from = *from;
    if (to) change.to = *to;
  }

  std::vector<Change> found;

 private:
  void objects(const std::string& pointer, const Json& from, const Json& to) {
    const auto step = [&](const std::string& name) { return pointer + "/" + scenarios::escape_step(name); };
    for (const auto& [name, value] : from.items())
      values(step(name), &value, to.contains(name) ? &to.at(name) : nullptr);
    for (const auto& [name, value] : to.items())
      if (!from.contains(name)) values(step(name), nullptr, &value);
  }

  void lists(const std::string& pointer, const Json& from, const Json& to) {
    const auto step = [&](std::size_t place) { return fmt::format("{}/{}", pointer, place); };
    if (const auto names = named(from, to)) return named_lists(pointer, from, to, *names);
    for (std::size_t i = 0; i < std::max(from.size(), to.size()); ++i)
      values(step(i), i < from.size() ? &from[i] : nullptr, i < to.size() ? &to[i] : nullptr);
  }

  void named_lists(const std::string& pointer, const Json& from, const Json& to, const NamedLists& names) {
    const std::string outer = item_;
    const auto element = [&](const std::string& name, std::size_t place, const Json* first, const Json* second) {
      item_ = name;
      values(fmt::format("{}/{}", pointer, place), first, second);
    };
    for (std::size_t i = 0; i < from.size(); ++i) {
      const auto place = static_cast<std::size_t>(std::ranges::find(names.to, names.from[i]) - names.to.begin());
      const bool both = place < to.size();
      element(names.from[i], both ? place : i, &from[i], both ? &to[place] : nullptr);
    }
    for (std::size_t i = 0; i < to.size(); ++i)
      if (std::ranges::find(names.from, names.to[i]) == names.from.end()) element(names.to[i], i, nullptr, &to[i]);
    item_ = outer;
  }

  std::string item_;
};

}  // namespace

std::optional<double> Change::relative() const {
  if (!from || !to || !from->is_number() || !to->is_number()) return std::nullopt;
  const double before = from->get<double>();
  if (before == 0) return std::nullopt;
  return (to->get<double>() - before) / std::abs(before);
}

std::vector<Change> changes(const Json& from, const Json& to) {
  Comparing comparing;
  comparing.values("", &from, &to);
  return std::move(comparing.found);
}

}  // namespace godwit::studies
