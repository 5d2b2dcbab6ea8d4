#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace godwit::cli {

/// Says on standard error what is wrong with what `command` was given. Returns kWrongInput.
int refuse(std::string_view command, std::string_view what);

/// A file that appears under its name complete or not at all; "-" is standard output. What is no regular file (a
/// terminal, a pipe) is written as it is.
class Output {
 public:
  /// The file, or what keeps it from being written. Nothing appears under its name yet.
  static std::variant<Output, std::string> open(const std::string& path);

  Output(Output&& other) noexcept;
  Output& operator=(Output&&) = delete;
  ~Output();

  /// Writes `text` and gives the file its name. Returns what went wrong; empty: nothing.
  std::string write(std::string_view text);
  /// Writes `text`, after which more may come; a `write` at last.
  std::string append(std::string_view text);

 private:
  Output() = default;

  std::string path_, temporary_;
  int fd_ = -1;
};

}  // namespace godwit::cli
