#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "scenarios/json_reader.h"
#include "scenarios/load.h"
#include "tests/support/command.h"

// Damage everywhere, in this process: whatever becomes of a scenario, it loads or is refused with issues.
namespace godwit::scenarios {
namespace {

/// Every section and nearly every field.
constexpr const char* kFull = R"({"name": "full", "question": "q", "notes": "n", "seed": 7, "horizon": "1 min",
"max_parallel": 1, "hosts": [{"name": "a", "cores": 2,
"profile": {"base": "ideal", "name": "mine", "copy_page": "1 us", "pml": {"first_write": "2 us"}}}, {"name": "b"}],
"switches": ["s"], "links": [{"between": ["a", "s"], "latency": "1 ms"}, {"between": ["s", "b"]}],
"guests": [{"name": "g", "host": "a", "memory": "64 MiB", "page_size": "4 KiB", "vcpus": 2, "device_state": "1 MiB",
"pages": [{"class": "free", "share": "12.5 %", "at": "16 MiB"}, {"class": "zero", "share": "1 %", "at": "high"}],
"workload": {"kind": "mix", "demand": "busy", "cpu_per_write": "1 us", "parts": [
{"kind": "zipf", "write_rate": "1 Mpages/s", "exponent": 0.99, "memory": "1 MiB"},
{"kind": "phased", "phases": [{"for": "1 s", "workload": {"kind": "idle"}}, {"for": "0.5 s", "workload":
{"kind": "recorded", "file": "tiny.gwt", "memory": "1 MiB", "speed": 2.5, "repeat": false}}]},
{"kind": "hot_set", "write_rate": "1 pages/s", "hot_memory": "4 KiB", "hot_share": "99.9 %"}]}}],
"traffic": [{"guest": "g", "peer": "s", "rate": "1 kbit/s"}],
"migrations": [{"guest": "g", "to": "b", "at": "1 s", "goal": {"downtime": "1 ms"}, "strategy": {"name": "pre-copy",
"rate": "fixed", "max_bandwidth": "1 Gbit/s", "rounds_max": 5}}],
"events": [{"do": "cancel", "when": "stop"}, {"do": "loss", "share": "1 %", "link": 1, "at": "1 s", "for": "1 ms"}],
"expect": {"/migrations/0/status": {"equals": "completed"}, "/migrations/0/downtime_ms": {"at_most": 3.5}}})";

const std::string kFolder = std::string(GODWIT_SOURCE_DIR) + "/fuzz";

/// Loads `text`. Whether it is refused; if not, its effective scenario must load to itself.
bool refuses(std::string_view text) {
  const LoadResult first = load_text(text, "bad.json", kFolder);
  if (const auto* issues = std::get_if<std::vector<Issue>>(&first)) {
    EXPECT_FALSE(issues->empty());
    for (const Issue& issue : *issues) EXPECT_FALSE(issue.message.empty());
    return true;
  }
  const Json& effective = std::get<Loaded>(first).effective;
  const LoadResult second = load_text(effective.dump(), "bad.json", kFolder);
  EXPECT_TRUE(std::holds_alternative<Loaded>(second)) << effective.dump();
  if (!std::holds_alternative<Loaded>(second)) return false;
  EXPECT_EQ(std::get<Loaded>(second).effective, effective);
  return false;
}

TEST(DamagedScenario, IsSoundBefore) { EXPECT_FALSE(refuses(kFull)); }

TEST(DamagedScenario, CutShortAnywhere) {
  const std::string_view text = kFull;
  for (std::size_t length = 0; length < text.size(); ++length) EXPECT_TRUE(refuses(text.substr(0, length))) << length;
}

TEST(DamagedScenario, WithAnySingleFlippedBit) {
  std::string text = kFull;
  int refused = 0;
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << bit % 8));
    refused += refuses(text) ? 1 : 0;
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << bit % 8));
  }
  EXPECT_GT(refused, static_cast<int>(text.size() * 4));  // others change a name, a number or a space
}

void each_place(const Json& value, const Json::json_pointer& at, std::vector<Json::json_pointer>& places) {
  places.push_back(at);
  for (const auto& [key, child] : value.items())
    if (value.is_object())
      each_place(child, at / key, places);
    else if (value.is_array())
      each_place(child, at / std::stoul(key), places);
}

TEST(DamagedScenario, WithAnyOtherTypeAnywhere) {
  const Json sound = Json::parse(kFull);
  std::vector<Json::json_pointer> places;
  each_place(sound, Json::json_pointer(), places);
  EXPECT_GT(places.size(), 100u);
  for (const Json::json_pointer& place : places) {
    for (const char* other :
         {"null", "true", "0", "-1", "1e300", "\"\"", "\"x\"", "\"1 GiB\"", "[]", "[[]]", "{}", "{\"x\": 1}"}) {
      Json damaged = sound;
      damaged[place] = Json::parse(other);
      const bool refused = refuses(damaged.dump());
      const bool any_scalar = place.to_string().ends_with("/equals");
      if (std::string(damaged[place].type_name()) != sound[place].type_name() && !any_scalar) {
        EXPECT_TRUE(refused) << place << " is " << other;
      }
    }
  }
}

TEST(DamagedScenario, WithAnyNameGivenTwice) {
  const std::string text = kFull;
  for (std::size_t at = text.find("\": "); at != std::string::npos; at = text.find("\": ", at + 1)) {
    const std::size_t begin = text.rfind('"', at - 1);
    const std::string name = text.substr(begin, at + 1 - begin);
    std::string twice = text;
    twice.insert(begin, name + ": null, ");
    const LoadResult result = load_text(twice, "bad.json", kFolder);
    const auto* issues = std::get_if<std::vector<Issue>>(&result);
    ASSERT_NE(issues, nullptr) << name;
    EXPECT_NE(to_string(*issues).find("given twice in this object, first in line"), std::string::npos) << name;
  }
}

TEST(JsonReader, SaysBothPlacesOfANameGivenTwice) {
  Issues issues("x.json");
  read_json("{\"a\": 1,\n  \"b\": {\"a\": 2},\n  \"a\": 3}", issues);
  const std::vector<Issue> found = issues.take();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].to_string(), "x.json:3:3: /a: \"a\" is given twice in this object, first in line 1, column 2");
}

TEST(JsonReader, KeepsToItsLimits) {
  const auto reads = [](std::string_view text, JsonLimits limits) {
    Issues issues("x.json");
    return read_json(text, issues, limits).has_value();
  };
  EXPECT_TRUE(reads("[[1]]", {.depth = 2}));
  EXPECT_FALSE(reads("[[1]]", {.depth = 1}));
  EXPECT_TRUE(reads("[1]", {.bytes = 3}));
  EXPECT_FALSE(reads("[1]", {.bytes = 2}));
  const std::string list = "[\"" + std::string(1000, 'x') + "\", 2, 3, 4]";
  EXPECT_TRUE(reads(list, {.memory = 10 * sizeof(Node) + 1050}));
  EXPECT_FALSE(reads(list, {.memory = 10 * sizeof(Node) + 1000}));
}

TEST(Issues, StopAtTheMost) {
  Issues issues("x.json");
  for (int i = 0; i < 99; ++i) issues.add({"x.json", 0, 0, "/a", "wrong"});
  EXPECT_FALSE(issues.full());
  EXPECT_FALSE(issues.any_under("/b"));
  for (int i = 0; i < 1000; ++i) issues.add({"x.json", 0, 0, "/a", "wrong"});
  EXPECT_TRUE(issues.full());
  EXPECT_EQ(issues.size(), 1099u);
  EXPECT_TRUE(issues.any_under("/b"));  // nobody knows
  const std::vector<Issue> found = issues.take();
  EXPECT_EQ(found.size(), 101u);
  EXPECT_EQ(found.back().to_string(), "x.json: these are the first 100; there may be more");
}

TEST(Issues, AreOneShortLineEach) {
  const Issue issue{"x.json", 1, 2, "/" + std::string(1000, 'p'), "a\nb\x1b[2J" + std::string(5000, 'm')};
  const std::string line = issue.to_string();
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_NE(line.find("a\\u000ab\\u001b[2J"), std::string::npos);
  EXPECT_LT(line.size(), 2500u);
}

TEST(Shortened, TearsNoCharacter) {
  EXPECT_EQ(shortened("abc", 3), "abc");
  EXPECT_EQ(shortened("abcd", 3), "abc...");
  EXPECT_EQ(shortened("ab\xc3\xa9", 3), "ab...");  // an e with an accent takes two bytes
}

}  // namespace
}  // namespace godwit::scenarios
