#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

namespace godwit::cli {

namespace {

std::string duration(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{:.1f} s", seconds);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

}  // namespace

ProgressLine::ProgressLine(std::string what) : what_(std::move(what)), on_terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (shown_) fmt::print(stderr, "\r\033[K");
}

void ProgressLine::show(std::size_t done, std::size_t total) {
  const auto now = std::chrono::steady_clock::now();
  if (!on_terminal_ || done == 0 || now - start_ < std::chrono::milliseconds(300)) return;
  if (done < total && now - shown_at_ < std::chrono::milliseconds(50)) return;
  shown_at_ = now;
  const double rate = static_cast<double>(done) / std::chrono::duration<double>(now - start_).count();
  fmt::print(stderr, "\r\033[K{} of {} {}, {:.{}f} {}/s, {} left", done, total, what_, rate, rate < 10 ? 1 : 0, what_,
             duration(static_cast<double>(total - done) / rate));
  std::fflush(stderr);
  shown_ = true;
}

}  // namespace godwit::cli
