#include "report/junit.h"

#include <fmt/format.h>

#include <cstddef>
#include <filesystem>
#include <string_view>

#include "report/check_table.h"
#include "report/run_json.h"

namespace godwit::report {
namespace {

/// Valid UTF-8, with a sign in place of what is not.
std::string valid(std::string_view text) {
  return Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace)).get<std::string>();
}

/// As contents or the value of an attribute. XML has no way to say most control characters.
std::string escaped_xml(std::string_view text) {
  std::string xml;
  for (const char c : valid(text)) {
    switch (c) {
      case '&': xml += "&amp;"; break;
      case '<': xml += "&lt;"; break;
      case '>': xml += "&gt;"; break;
      case '"': xml += "&quot;"; break;
      case '\t':
      case '\n': xml += c; break;
      default: xml += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    }
  }
  return xml;
}

std::string message(const studies::Check& check) {
  std::string text;
  if (const std::size_t unmet = check.outcome->unmet.size(); unmet > 0)
    text = fmt::format("{} of {} expectations unmet", unmet, check.scenario.expect.size());
  const std::string_view state = golden_state(check);
  if (state != "differs" && state != "missing") return text;
  return fmt::format("{}{}golden {}", text, text.empty() ? "" : "; ", state);
}

std::string outcome(const studies::Check& check) {
  if (!check.outcome) return "      <skipped message=\"interrupted before it was run\"/>\n";
  if (check.passed()) return "";
  return fmt::format("      <failure message=\"{}\" type=\"regression\">{}</failure>\n", escaped_xml(message(check)),
                     escaped_xml(check_account(check)));
}

std::string test_case(const studies::Check& check) {
  const std::string& file = check.scenario.file;
  const std::string folder = std::filesystem::path(file).parent_path().string();
  const std::string open =
      fmt::format("    <testcase name=\"{}\" classname=\"{}\" file=\"{}\"", escaped_xml(check.scenario.options.name),
                  escaped_xml(folder.empty() ? "." : folder), escaped_xml(file));
  const std::string inside = outcome(check);
  return inside.empty() ? open + "/>\n" : fmt::format("{}>\n{}    </testcase>\n", open, inside);
}

}  // namespace

std::string junit_xml(std::span<const studies::Check> checks) {
  std::size_t failures = 0, skipped = 0;
  std::string cases;
  for (const studies::Check& each : checks) {
    if (!each.outcome) ++skipped;
    if (each.outcome && !each.passed()) ++failures;
    cases += test_case(each);
  }
  const std::string counts =
      fmt::format("tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\"", checks.size(), failures, skipped);
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"godwit\" {}>\n"
      "  <testsuite name=\"godwit check\" {}>\n{}  </testsuite>\n</testsuites>\n",
      counts, counts, cases);
}

}  // namespace godwit::report
