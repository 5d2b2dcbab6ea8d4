#include "studies/expectations.h"

#include <fmt/format.h>

#include <cstddef>
#include <exception>

namespace godwit::studies {
namespace {

using scenarios::Expectation;
using scenarios::Json;

std::string described(const Expectation& expectation) {
  std::vector<std::string> bounds;
  if (expectation.at_least) bounds.push_back(fmt::format("at least {}", Json(*expectation.at_least).dump()));
  if (expectation.at_most) bounds.push_back(fmt::format("at most {}", Json(*expectation.at_most).dump()));
  if (expectation.equals) bounds.push_back(expectation.equals->dump());
  return fmt::format("{}", fmt::join(bounds, " and "));
}

bool meets(const Json& found, const Expectation& expectation) {
  if (expectation.equals && found != *expectation.equals) return false;
  if (!expectation.at_least && !expectation.at_most) return true;
  if (!found.is_number()) return false;
  const double number = found.get<double>();
  return (!expectation.at_least || number >= *expectation.at_least) &&
         (!expectation.at_most || number <= *expectation.at_most);
}

const Json* at(const Json& document, const std::string& pointer) {
  try {
    return &document.at(Json::json_pointer(pointer));
  } catch (const std::exception&) {  // no such place
    return nullptr;
  }
}

}  // namespace

std::vector<Unmet> unmet(const Json& result, const std::vector<Expectation>& expected) {
  std::vector<Unmet> all;
  for (const Expectation& each : expected) {
    const Json* found = at(result, each.pointer);
    if (found && meets(*found, each)) continue;
    all.push_back({each.pointer, described(each), found ? found->dump() : "nothing there"});
  }
  return all;
}

}  // namespace godwit::studies
