#include "cli/output.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "cli/commands.h"
#include "cli/interrupt.h"

namespace godwit::cli {
namespace {

std::string trouble(const std::string& path, int error) {
  return fmt::format("{} cannot be written: {}", path, std::strerror(error));
}

/// The permissions that a new file gets. Nothing else runs yet, so that nobody sees the mask change.
mode_t new_file_mode() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666 & ~mask;
}

}  // namespace

int refuse(std::string_view command, std::string_view what) {
  fmt::print(stderr, "godwit {}: {}\n", command, what);
  return kWrongInput;
}

std::variant<Output, std::string> Output::open(const std::string& path) {
  Output output;
  output.path_ = path;
  if (path == "-") return output;
  if (path.empty()) return std::string("the name of the output file is empty");

  struct stat found {};
  const bool exists = ::stat(path.c_str(), &found) == 0;
  if (exists && S_ISDIR(found.st_mode)) return trouble(path, EISDIR);
  if (exists && ::access(path.c_str(), W_OK) != 0) return trouble(path, errno);
  if (exists && !S_ISREG(found.st_mode)) {
    output.fd_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (output.fd_ < 0) return trouble(path, errno);
    return output;
  }

  // The file behind a symbolic link is replaced, not the link.
  std::error_code ignored;
  if (exists) output.path_ = std::filesystem::canonical(path, ignored).string();
  output.temporary_ = output.path_ + ".XXXXXX";
  output.fd_ = ::mkstemp(output.temporary_.data());
  if (output.fd_ < 0) {
    output.temporary_.clear();
    return trouble(path, errno);
  }
  ::fchmod(output.fd_, exists ? found.st_mode & 07777 : new_file_mode());
  return output;
}

Output::Output(Output&& other) noexcept : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {
  forget_temporary_file(other.temporary_.c_str());
  temporary_ = std::exchange(other.temporary_, {});
  if (!temporary_.empty()) remember_temporary_file(temporary_.c_str());
}

Output::~Output() {
  if (fd_ >= 0) ::close(fd_);
  if (temporary_.empty()) return;
  forget_temporary_file(temporary_.c_str());
  ::unlink(temporary_.c_str());
}

std::string Output::write(std::string_view text) {
  std::string wrong = append(text);
  if (!wrong.empty() || temporary_.empty()) return wrong;
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return trouble(path_, errno);
  forget_temporary_file(temporary_.c_str());
  temporary_.clear();
  return {};
}

std::string Output::append(std::string_view text) {
  if (fd_ < 0) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return std::fflush(stdout) == 0 ? "" : trouble("standard output", errno);
  }
  while (!text.empty()) {
    const ssize_t written = ::write(fd_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return trouble(path_, errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace godwit::cli
