#include <algorithm>
#include <string>
#include <string_view>
#include <variant>

#include "base/check.h"
#include "fuzz/target.h"
#include "scenarios/load.h"

// A scenario is refused with issues that say something, each in one line; or it loads, and then so does its effective
// scenario, to the same effective scenario. An input is the text of a scenario; each zero byte in it, which no JSON has,
// begins what a --set would be given.
namespace {

using namespace godwit::scenarios;

/// Takes the front of `text` up to its first zero byte.
std::string_view take_piece(std::string_view& text) {
  const std::string_view piece = text.substr(0, text.find('\0'));
  text.remove_prefix(std::min(text.size(), piece.size() + 1));
  return piece;
}

LoadResult load(std::string_view text, const Overrides& overrides) {
  return load_text(text, "fuzz.json", GODWIT_SOURCE_DIR "/fuzz", overrides);
}

void check(const std::vector<Issue>& issues) {
  GODWIT_CHECK(!issues.empty());
  for (const Issue& issue : issues) {
    GODWIT_CHECK(!issue.message.empty());
    GODWIT_CHECK(issue.to_string().find('\n') == std::string::npos);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view text = take_piece(input);
  Overrides overrides;
  while (!input.empty()) overrides.emplace_back(take_piece(input));

  const LoadResult first = load(text, overrides);
  if (const auto* issues = std::get_if<std::vector<Issue>>(&first)) return check(*issues), 0;
  const Json& effective = std::get<Loaded>(first).effective;
  const LoadResult second = load(effective.dump(), {});
  GODWIT_CHECK(std::holds_alternative<Loaded>(second));
  GODWIT_CHECK(std::get<Loaded>(second).effective == effective);
  return 0;
}
