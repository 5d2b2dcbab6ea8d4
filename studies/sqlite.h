#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

struct sqlite3;
struct sqlite3_stmt;

namespace godwit::studies {

/// A value of a table; monostate is NULL.
using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string>;

/// A store that cannot be opened, read or written, in words for people: a full disk, a file of somebody else.
class StoreError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// An SQLite database in a file. Whatever fails throws StoreError.
class Database {
 public:
  enum class Access : std::uint8_t { kRead, kWrite, kCreate };
  Database(const std::string& path, Access access);

  void run(const std::string& sql);
  /// The first value of the first row.
  SqlValue value(const std::string& sql);
  const std::string& path() const { return path_; }

 private:
  friend class Statement;
  [[noreturn]] void fail(int code) const;

  struct Close {
    void operator()(sqlite3* handle) const;
  };
  std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

/// A prepared statement. Requires the database to outlive it.
class Statement {
 public:
  Statement(const Database& database, std::string_view sql);

  /// `index` from 1 on. A text must stay as it is until the statement has run.
  void bind(int index, const SqlValue& value);
  /// Runs on to the next row; false: there is none, and the statement may be bound and run again.
  bool step();
  void run() {
    while (step()) {
    }
  }
  int columns() const;
  SqlValue column(int index) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const;
  };
  const Database& database_;
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

}  // namespace godwit::studies
