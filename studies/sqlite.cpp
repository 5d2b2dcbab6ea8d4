#include "studies/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/check.h"

namespace godwit::studies {

void Database::Close::operator()(sqlite3* handle) const { sqlite3_close(handle); }
void Statement::Finalize::operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }

Database::Database(const std::string& path, Access access) : path_(path) {
  const int flags = access == Access::kRead    ? SQLITE_OPEN_READONLY
                    : access == Access::kWrite ? SQLITE_OPEN_READWRITE
                                               : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_FULLMUTEX, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) fail(code);
  sqlite3_busy_timeout(handle, 2000);  // [ms]; who only looks at the file is soon done
}

void Database::fail(int code) const {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: throw StoreError(path_ + ": another process is writing to this file");
    case SQLITE_NOTADB: throw StoreError(path_ + ": this is no SQLite database");
    case SQLITE_FULL: throw StoreError(path_ + ": the disk is full");
    case SQLITE_READONLY: throw StoreError(path_ + ": this file, or its folder, cannot be written to");
    default: throw StoreError(fmt::format("{}: {}", path_, sqlite3_errmsg(handle_.get())));
  }
}

void Database::run(const std::string& sql) {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

SqlValue Database::value(const std::string& sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.column(0) : SqlValue{};
}

Statement::Statement(const Database& database, std::string_view sql) : database_(database) {
  sqlite3_stmt* handle = nullptr;
  const int code =
      sqlite3_prepare_v2(database.handle_.get(), sql.data(), static_cast<int>(sql.size()), &handle, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) database.fail(code);
}

void Statement::bind(int index, const SqlValue& value) {
  sqlite3_stmt* handle = handle_.get();
  int code = SQLITE_OK;
  if (const auto* whole = std::get_if<std::int64_t>(&value))
    code = sqlite3_bind_int64(handle, index, *whole);
  else if (const auto* real = std::get_if<double>(&value))
    code = sqlite3_bind_double(handle, index, *real);
  else if (const auto* text = std::get_if<std::string>(&value))
    code = sqlite3_bind_text(handle, index, text->data(), static_cast<int>(text->size()), SQLITE_STATIC);
  else
    code = sqlite3_bind_null(handle, index);
  GODWIT_CHECK(code == SQLITE_OK);
}

bool Statement::step() {
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  sqlite3_reset(handle_.get());
  if (code != SQLITE_DONE) database_.fail(code);
  return false;
}

int Statement::columns() const { return sqlite3_column_count(handle_.get()); }

SqlValue Statement::column(int index) const {
  sqlite3_stmt* handle = handle_.get();
  switch (sqlite3_column_type(handle, index)) {
    case SQLITE_INTEGER: return sqlite3_column_int64(handle, index);
    case SQLITE_FLOAT: return sqlite3_column_double(handle, index);
    case SQLITE_NULL: return {};
    default: break;
  }
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle, index));
  return std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(handle, index)));
}

}  // namespace godwit::studies
