#include "studies/sweep_store.h"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <memory>
#include <utility>

#include "base/check.h"

namespace godwit::studies {
namespace {

constexpr std::int64_t kApplication = 0x47645774;  // "GdWt", which file(1) and SQLite's application_id are for

std::string quoted(const std::string& name) { return "\"" + name + "\""; }

std::string texts(const SqlValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text ? *text : std::string();
}

std::int64_t integer(const SqlValue& value) {
  const auto* found = std::get_if<std::int64_t>(&value);
  return found ? *found : 0;
}

std::string runs_table(const std::vector<SweepColumn>& columns) {
  std::vector<std::string> parts;
  for (const SweepColumn& each : columns)
    parts.push_back(quoted(each.name) + " " + each.type + (each.role == Role::kPoint ? " PRIMARY KEY" : ""));
  return fmt::format("CREATE TABLE runs ({}) STRICT", fmt::join(parts, ", "));
}

void write_header(Database& database, const StoreHeader& header) {
  database.run(runs_table(header.columns));
  database.run(
      "CREATE TABLE columns (name TEXT PRIMARY KEY, position INTEGER, type TEXT, unit TEXT, description TEXT,"
      " pointer TEXT, role TEXT) STRICT");
  Statement column(database, "INSERT INTO columns VALUES (?, ?, ?, ?, ?, ?, ?)");
  for (std::size_t i = 0; i < header.columns.size(); ++i) {
    const SweepColumn& each = header.columns[i];
    const Row values{each.name,    static_cast<std::int64_t>(i),   each.type, each.unit, each.description,
                     each.pointer, std::string(name_of(each.role))};
    for (std::size_t k = 0; k < values.size(); ++k) column.bind(static_cast<int>(k + 1), values[k]);
    column.run();
  }
  database.run("CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT) STRICT");
  Statement about(database, "INSERT INTO about VALUES (?, ?)");
  const std::vector<std::pair<std::string, std::string>> facts{{"godwit_version", header.version},
                                                               {"file", header.file},
                                                               {"sweep", header.sweep.dump(2)},
                                                               {"sweep_hash", header.sweep_hash},
                                                               {"points", std::to_string(header.points)},
                                                               {"shard", std::to_string(header.shard.index)},
                                                               {"shards", std::to_string(header.shard.count)}};
  for (const auto& [name, value] : facts) {
    const SqlValue n = name, v = value;
    about.bind(1, n);
    about.bind(2, v);
    about.run();
  }
}

Role role_named(const std::string& name) {
  for (const Role each : {Role::kPoint, Role::kAxis, Role::kSeed})
    if (name_of(each) == name) return each;
  return Role::kResult;
}

Row row_of(const Statement& statement) {
  Row row;
  for (int i = 0; i < statement.columns(); ++i) row.push_back(statement.column(i));
  return row;
}

class ContentHash {
 public:
  ContentHash() { XXH3_128bits_reset(state_.get()); }
  void add(const SqlValue& value) {
    const auto kind = static_cast<unsigned char>(value.index());
    add(&kind, 1);
    if (const auto* whole = std::get_if<std::int64_t>(&value)) add(whole, sizeof *whole);
    if (const auto* real = std::get_if<double>(&value)) add(real, sizeof *real);
    if (const auto* text = std::get_if<std::string>(&value)) add(text->c_str(), text->size() + 1);
  }
  std::string text() const {
    const XXH128_hash_t hash = XXH3_128bits_digest(state_.get());
    return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
  }

 private:
  void add(const void* data, std::size_t size) { XXH3_128bits_update(state_.get(), data, size); }

  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> state_{XXH3_createState()};
};

}  // namespace

SweepStore SweepStore::create(const std::string& path, const StoreHeader& header) {
  SweepStore store(path, Database::Access::kCreate);
  Database& database = *store.database_;
  if (integer(database.value("SELECT count(*) FROM sqlite_master")) != 0)
    throw StoreError(path + ": this file is there already");
  database.run("BEGIN IMMEDIATE");
  write_header(database, header);
  database.run(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", kApplication, kFormat));
  database.run("COMMIT");
  store.header_ = header;
  return store;
}

SweepStore SweepStore::open(const std::string& path, Database::Access access) {
  SweepStore store(path, access);
  Database& database = *store.database_;
  const std::int64_t application = integer(database.value("PRAGMA application_id"));
  const std::int64_t format = integer(database.value("PRAGMA user_version"));
  if (application != kApplication) throw StoreError(path + ": this is not the output of a sweep");
  if (format != kFormat)
    throw StoreError(fmt::format("{}: a sweep's output of format {}; this godwit reads and writes format {}", path,
                                 format, kFormat));
  store.read_header();
  return store;
}

void SweepStore::read_header() {
  const auto about = [&](const std::string& name) {
    return texts(database_->value("SELECT value FROM about WHERE name = '" + name + "'"));
  };
  const auto number = [&](const std::string& name) {
    return static_cast<std::uint64_t>(
        integer(database_->value("SELECT CAST(value AS INTEGER) FROM about WHERE name = '" + name + "'")));
  };
  header_.version = about("godwit_version");
  header_.file = about("file");
  header_.sweep = scenarios::Json::parse(about("sweep"), nullptr, false);
  header_.sweep_hash = about("sweep_hash");
  header_.points = number("points");
  header_.shard = {static_cast<std::uint32_t>(number("shard")), static_cast<std::uint32_t>(number("shards"))};
  if (header_.sweep.is_discarded() || header_.points > Sweep::kPointsMost || header_.shard.index == 0 ||
      header_.shard.index > header_.shard.count)
    throw StoreError(path() + ": what the file says of itself is damaged");
  Statement columns(*database_, "SELECT name, type, unit, description, pointer, role FROM columns ORDER BY position");
  while (columns.step())
    header_.columns.push_back({texts(columns.column(0)), texts(columns.column(1)), texts(columns.column(2)),
                               texts(columns.column(3)), texts(columns.column(4)),
                               role_named(texts(columns.column(5)))});
}

std::vector<bool> SweepStore::present() {
  std::vector<bool> there(header_.points);
  Statement points(*database_, "SELECT point FROM runs");
  while (points.step()) {
    const auto number = static_cast<std::uint64_t>(integer(points.column(0)));
    if (number >= there.size()) throw StoreError(path() + ": there is a row of a point that the sweep does not have");
    there[number] = true;
  }
  return there;
}

std::uint64_t SweepStore::count() {
  return static_cast<std::uint64_t>(integer(database_->value("SELECT count(*) FROM runs")));
}

std::optional<Row> SweepStore::row(std::uint64_t number) {
  Statement one(*database_, "SELECT * FROM runs WHERE point = ?");
  one.bind(1, static_cast<std::int64_t>(number));
  if (!one.step()) return std::nullopt;
  return row_of(one);
}

void SweepStore::for_each(const std::function<void(const Row&)>& visit) {
  Statement all(*database_, "SELECT * FROM runs ORDER BY point");
  while (all.step()) visit(row_of(all));
}

std::map<std::string, std::uint64_t> SweepStore::outcomes() {
  std::map<std::string, std::uint64_t> counts;
  Statement groups(*database_, "SELECT outcome, count(*) FROM runs GROUP BY outcome");
  while (groups.step()) counts[texts(groups.column(0))] = static_cast<std::uint64_t>(integer(groups.column(1)));
  return counts;
}

std::string SweepStore::content_hash() {
  ContentHash hash;
  for (const SweepColumn& each : header_.columns) hash.add(each.name);
  for_each([&](const Row& row) {
    for (const SqlValue& value : row) hash.add(value);
  });
  return hash.text();
}

void SweepStore::add(const Row& row) {
  GODWIT_CHECK(row.size() == header_.columns.size());
  if (!insert_) {
    // With a write-ahead log a commit costs no wait for the disk, and a process that is killed loses no committed row.
    // Not before there is something to write: a file that is only looked at stays as it is, to the byte.
    database_->run("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
    const std::vector<std::string> places(row.size(), "?");
    insert_.emplace(*database_, fmt::format("INSERT INTO runs VALUES ({})", fmt::join(places, ", ")));
  }
  if (!open_) database_->run("BEGIN IMMEDIATE");
  open_ = true;
  for (std::size_t i = 0; i < row.size(); ++i) insert_->bind(static_cast<int>(i + 1), row[i]);
  insert_->run();
}

void SweepStore::commit() {
  if (!open_) return;
  database_->run("COMMIT");
  open_ = false;
}

void SweepStore::finish() {
  commit();
  insert_.reset();
  if (texts(database_->value("PRAGMA journal_mode")) != "wal") return;
  try {
    database_->run("PRAGMA journal_mode=DELETE");
  } catch (const StoreError&) {  // somebody has it open; all rows are there, in two files
  }
}

void merge_into(SweepStore& to, SweepStore& from) {
  GODWIT_CHECK(to.header().sweep_hash == from.header().sweep_hash);
  const std::vector<bool> there = to.present();
  from.for_each([&](const Row& row) {
    const auto number = static_cast<std::uint64_t>(integer(row.front()));
    if (number >= there.size())
      throw StoreError(from.path() + ": there is a row of a point that the sweep does not have");
    if (!there[number]) return to.add(row);
    if (to.row(number) != row)
      throw StoreError(
          fmt::format("{}: point {} came to something else than in a file before it", from.path(), number));
  });
  to.commit();
}

}  // namespace godwit::studies
