#include "studies/golden.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>

#include "scenarios/fields.h"
#include "scenarios/json_reader.h"
#include "studies/record_text.h"

namespace godwit::studies {
namespace {

using scenarios::Issues;
using scenarios::Json;
using scenarios::Node;

constexpr std::uint64_t kGoldenVersion = 1;
constexpr std::size_t kRecordsInFull = 800;
constexpr std::size_t kMigrationsInFull = 10;
constexpr std::size_t kRoundsInFull = 30;

/// Each migration of a result's document as a golden keeps it.
std::vector<Json> kept_migrations(const Json& document) {
  std::vector<Json> migrations(document.at("migrations").begin(), document.at("migrations").end());
  for (Json& each : migrations) {
    Json& rounds = each.at("iterations");
    while (rounds.size() > kRoundsInFull) rounds.erase(rounds.size() - 1);
  }
  return migrations;
}

Json what_is_run(Json document) {
  for (const char* each : {"$schema", "name", "question", "notes", "expect"}) document.erase(each);
  return document;
}

template <class T>
std::span<const T> beyond(const std::vector<T>& all, std::size_t in_full) {
  return std::span<const T>(all).subspan(std::min(all.size(), in_full));
}

/// As it lies in its file.
Golden shortened(Golden golden) {
  if (const auto rest = beyond(golden.records, kRecordsInFull); !rest.empty()) {
    golden.more_records = tail_of(rest);
    golden.records.resize(kRecordsInFull);
  }
  if (const auto rest = beyond(golden.migrations, kMigrationsInFull); !rest.empty()) {
    golden.more_migrations = tail_of(migration_lines(rest));
    golden.migrations.resize(kMigrationsInFull);
  }
  return golden;
}

// ---------------------------------------------------------------- the file

/// Who made it, in which format.
struct Producer {
  std::string version;
  std::uint64_t golden_version = kGoldenVersion;
};

scenarios::Codec<std::string> hash() {
  auto codec = scenarios::text();
  codec.kind = "16 hexadecimal digits";
  codec.read = [](const Node& node, std::string& value, Issues& issues) {
    const bool right = node.is(Node::Type::kString) && node.text.size() == 16 &&
                       node.text.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!right) issues.at(node, "expected 16 hexadecimal digits, got " + shown(node));
    value = node.text;
    return right;
  };
  return codec;
}

scenarios::Codec<std::string> record() {
  auto codec = scenarios::text();
  codec.kind = "record";
  codec.read = [](const Node& node, std::string& value, Issues& issues) {
    const bool right = node.is(Node::Type::kString) && record_words(node.text);
    if (!right)
      issues.at(node,
                "expected a record such as \"1.234567890 s web log_read set 9f86d081884c7d65\", got " + shown(node));
    value = node.text;
    return right;
  };
  return codec;
}

scenarios::Codec<Json> any_object() {
  scenarios::Codec<Json> codec;
  codec.kind = "object";
  codec.read = [](const Node& node, Json& value, Issues& issues) {
    if (!node.is(Node::Type::kObject)) return issues.at(node, "expected an object, got " + shown(node)), false;
    return value = to_json(node), true;
  };
  codec.write = [](const Json& value) { return value; };
  return codec;
}

const scenarios::Table<Producer>& producer_table() {
  using namespace scenarios;
  static const Table<Producer> table = [] {
    Table<Producer> made("godwit", "who made the golden");
    made.field("version", &Producer::version, text(), "Of Godwit.");
    made.field("golden_version", &Producer::golden_version, whole_number(kGoldenVersion, kGoldenVersion),
               "Of this format.");
    return made;
  }();
  return table;
}

scenarios::Table<Golden> make_golden_table() {
  using namespace scenarios;
  Table<Golden> table("golden", "the golden of a scenario");
  auto& producer = table.add("godwit", "object with version and golden_version", "Who made it.");
  producer.read = [](const Node& node, Golden& golden, Issues& issues) {
    Producer read;
    const bool right = producer_table().read(node, read, issues);
    golden.version = read.version;
    return right;
  };
  producer.write = [](const Golden& golden) { return producer_table().write({golden.version, kGoldenVersion}); };
  table.field("scenario", &Golden::scenario, hash(), "Of what was run.");
  table.field("seed", &Golden::seed, whole_number(0, UINT64_MAX), "Of the run.");
  table.field("digest", &Golden::digest, hash(), "Over the records.");
  table.field("records", &Golden::records, list(record()), "What happened.");
  table.maybe("more_records", &Golden::more_records, object("tail", "object", &tail_table), "The other records.");
  table.field("migrations", &Golden::migrations, list(any_object()), "What came of them.");
  table.maybe("more_migrations", &Golden::more_migrations, object("tail", "object", &tail_table),
              "The other migrations.");
  return table;
}

const scenarios::Table<Golden>& golden_table() {
  static const scenarios::Table<Golden> table = make_golden_table();
  return table;
}

/// Another format has other fields, about which nothing can be said.
bool is_of_this_format(const Node& root, Issues& issues) {
  const Node* producer = root.find("godwit");
  const Node* format = producer ? producer->find("golden_version") : nullptr;
  if (format == nullptr || format->text == std::to_string(kGoldenVersion)) return true;
  const Node* version = producer->find("version");
  issues.at(*format, fmt::format("expected a golden of format {}, got one of format {}, made by godwit {}",
                                 kGoldenVersion, shown(*format), version ? version->text : "of an unknown version"));
  return false;
}

bool is_flat(const Json& value) {
  return std::ranges::all_of(value, [](const Json& each) { return each.is_primitive(); });
}

/// The members of `value`, each as `member` says it, with `between` between them.
template <class Member>
std::string joined_members(const Json& value, const std::string& between, Member member) {
  std::vector<std::string> members;
  for (const auto& [name, each] : value.items())
    members.push_back((value.is_object() ? Json(name).dump() + ": " : "") + member(each));
  return fmt::format("{}", fmt::join(members, between));
}

/// JSON that is read and compared line by line: an element of a list is one line where it holds no other list or
/// object, and so is whatever else fits.
std::string pretty(const Json& value, std::size_t indent, bool in_list) {
  constexpr std::size_t kLine = 100;
  if (value.is_primitive()) return value.dump();
  const char open = value.is_object() ? '{' : '[', close = value.is_object() ? '}' : ']';
  if (is_flat(value)) {
    const std::string line = joined_members(value, ", ", [](const Json& each) { return each.dump(); });
    if (in_list || line.size() < kLine) return fmt::format("{}{}{}", open, line, close);
  }
  const std::string end = "\n" + std::string(indent, ' '), begin = end + "  ";
  const auto member = [&](const Json& each) { return pretty(each, indent + 2, value.is_array()); };
  return fmt::format("{}{}{}{}{}", open, begin, joined_members(value, "," + begin, member), end, close);
}

}  // namespace

Golden golden_of(const sim::RunResult& result, const scenarios::Loaded& scenario, const Json& document) {
  Golden golden;
  golden.version = document.at("godwit").at("version").get<std::string>();
  golden.scenario = hash_of(what_is_run(scenario.document).dump());
  golden.seed = result.seed;
  golden.digest = fmt::format("{:016x}", result.digest);
  for (const sim::SemanticRecord& each : result.records)
    golden.records.push_back(record_text(each, scenario.options.guests.at(each.guest).name));
  golden.migrations = kept_migrations(document);
  return golden;
}

std::string golden_text(const Golden& golden) {
  return pretty(golden_table().write(shortened(golden)), 0, false) + "\n";
}

std::variant<Golden, std::vector<scenarios::Issue>> read_golden(std::string_view text, const std::string& file) {
  Issues issues(file);
  const std::optional<Node> root = scenarios::read_json(text, issues);
  if (!root || !is_of_this_format(*root, issues)) return issues.take();
  Golden golden;
  golden_table().read(*root, golden, issues);
  if (!issues.empty()) return issues.take();
  return golden;
}

std::vector<std::string> migration_lines(std::span<const Json> migrations) {
  std::vector<std::string> lines;
  for (const Json& each : migrations) lines.push_back(each.dump());
  return lines;
}

std::filesystem::path golden_path(const std::filesystem::path& scenario) {
  return scenario.parent_path() / "golden" / (scenario.stem().string() + ".json");
}

}  // namespace godwit::studies
