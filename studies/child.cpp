#include "studies/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string_view>

namespace godwit::studies {
namespace {

constexpr std::string_view kBroken = "broken invariant: ";

[[noreturn]] void be_child(const std::function<void(int)>& work, int output, std::FILE* said, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  std::signal(SIGINT, SIG_IGN);  // the parent hears it, and ends its children
  std::signal(SIGTERM, SIG_DFL);
  const rlimit none{};
  ::setrlimit(RLIMIT_CORE, &none);
  ::dup2(::fileno(said), STDERR_FILENO);
  try {
    work(output);
    ::_exit(0);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s%s\n", kBroken.data(), error.what());
    ::_exit(3);
  }
}

/// "sim/run.cpp:71" instead of the whole path, which stands alone or in the last brackets: the same wherever it was built.
std::string without_path(std::string line) {
  const std::size_t bracket = line.rfind(" (");
  const std::size_t from = bracket == std::string::npos ? 0 : bracket + 2;
  const std::size_t file = line.rfind('/', line.find_first_of(" )", from));
  if (file == std::string::npos || file <= from) return line;
  const std::size_t folder = line.rfind('/', file - 1);
  if (folder == std::string::npos || folder < from) return line;
  return line.erase(from, folder + 1 - from);
}

std::string line_after(std::string_view text, std::size_t from) {
  return std::string(text.substr(from, text.find('\n', from) - from));
}

}  // namespace

Child::Child(const std::function<void(int)>& work) : said_(std::tmpfile()) {
  std::array<int, 2> ends{};
  if (said_ == nullptr || ::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw std::runtime_error(fmt::format("no room for another process: {}", std::strerror(errno)));
  const pid_t parent = ::getpid();
  std::fflush(nullptr);  // or the child would write it again
  pid_ = ::fork();
  if (pid_ == 0) {
    ::close(ends[0]);
    be_child(work, ends[1], said_, parent);
  }
  ::close(ends[1]);
  output_ = ends[0];
  if (pid_ < 0) throw std::runtime_error(fmt::format("no room for another process: {}", std::strerror(errno)));
  ::fcntl(output_, F_SETFL, O_NONBLOCK);
}

Child::~Child() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (output_ >= 0) ::close(output_);
  if (said_ != nullptr) std::fclose(said_);
}

std::string Child::end() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
  pid_ = -1;
  return why(status);
}

std::string Child::why(int status) const {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  std::rewind(said_);
  std::string text(1 << 16, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), said_));
  if (const std::size_t at = text.find(kBroken); at != std::string::npos)
    return without_path(line_after(text, at + kBroken.size()));
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) return kDoesNotEnd;
  if (WIFSIGNALED(status))
    return fmt::format("it died of signal {}, {}", WTERMSIG(status), ::strsignal(WTERMSIG(status)));
  return fmt::format("it ended with status {}: {}", WEXITSTATUS(status), line_after(text, 0));
}

void limit_cpu(std::chrono::seconds more) {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  rlimit limit{};
  ::getrlimit(RLIMIT_CPU, &limit);
  limit.rlim_cur = static_cast<rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec + 1 + more.count());
  ::setrlimit(RLIMIT_CPU, &limit);
}

std::string failure_of(const std::function<void()>& work) {
  Child child([&work](int) { work(); });
  return child.end();
}

}  // namespace godwit::studies
