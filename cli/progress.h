#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace godwit::cli {

/// A line on standard error, with rate and time left, that is rewritten while runs go on. Only where somebody looks.
class ProgressLine {
 public:
  explicit ProgressLine(std::string what);  ///< What is counted: "runs".
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(std::size_t done, std::size_t total);

 private:
  std::string what_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point shown_at_;
  bool on_terminal_;
  bool shown_ = false;
};

}  // namespace godwit::cli
