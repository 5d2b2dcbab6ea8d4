#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace godwit::cli {

ProgressLine::ProgressLine(std::string what) : what_(std::move(what)), on_terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (shown_) fmt::print(stderr, "\r\033[K");
}

void ProgressLine::show(std::size_t done, std::size_t total) {
  const auto now = std::chrono::steady_clock::now();
  if (!on_terminal_ || done == 0 || now - start_ < std::chrono::milliseconds(300)) return;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double left = seconds / static_cast<double>(done) * static_cast<double>(total - done);
  fmt::print(stderr, "\r\033[K{} of {} {}, {:.1f} s left", done, total, what_, left);
  std::fflush(stderr);
  shown_ = true;
}

}  // namespace godwit::cli
