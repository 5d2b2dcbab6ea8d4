#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/node.h"
#include "studies/sqlite.h"
#include "studies/sweep_columns.h"

namespace godwit::studies {

/// Which points are run here: those whose number leaves `index` - 1 when divided by `count`.
struct Shard {
  std::uint32_t index = 1, count = 1;

  bool has(std::uint64_t number) const { return number % count == index - 1; }
  friend bool operator==(const Shard&, const Shard&) = default;
};

/// What a store says of itself.
struct StoreHeader {
  std::string version;       ///< Of the Godwit that ran it.
  scenarios::Json sweep;     ///< Sweep::document().
  std::string sweep_hash;    ///< Sweep::hash().
  std::string file;          ///< The sweep's, as it was named.
  std::uint64_t points = 0;  ///< Of the whole sweep.
  Shard shard;
  std::vector<SweepColumn> columns;
};

/// The results of a sweep in an SQLite file: the table `runs`, one row for each point; `columns`, which says what the
/// columns of `runs` are; and `about`. Rows are kept once they are committed, whatever becomes of the process. What
/// fails throws StoreError.
class SweepStore {
 public:
  static constexpr std::int64_t kFormat = 1;

  /// A new one. What is at `path` must be nothing, or an empty file.
  static SweepStore create(const std::string& path, const StoreHeader& header);
  /// One that is there, of this format.
  static SweepStore open(const std::string& path, Database::Access access);

  const StoreHeader& header() const { return header_; }
  const std::string& path() const { return database_->path(); }

  /// Of each point, whether its row is there.
  std::vector<bool> present();
  std::uint64_t count();
  std::optional<Row> row(std::uint64_t number);
  void for_each(const std::function<void(const Row&)>& visit);  ///< In the order of the points.
  /// How many rows have which outcome; what is wrong with an invalid point counts as one outcome.
  std::map<std::string, std::uint64_t> outcomes();
  /// Over the rows in the order of their points, whatever order they came in: 32 hexadecimal digits.
  std::string content_hash();

  /// Adds a row, kept from the next commit on.
  void add(const Row& row);
  void commit();
  /// Commits, and leaves the file as one that is only read.
  void finish();

 private:
  SweepStore(const std::string& path, Database::Access access) : database_(std::make_unique<Database>(path, access)) {}
  void read_header();

  std::unique_ptr<Database> database_;  // at an address that stays, for the statement's sake
  StoreHeader header_;
  std::optional<Statement> insert_;
  bool open_ = false;  // a transaction
};

/// Copies the rows of `from` that `to` lacks. A point that both have must have come to the same. Requires the same sweep.
void merge_into(SweepStore& to, SweepStore& from);

}  // namespace godwit::studies
