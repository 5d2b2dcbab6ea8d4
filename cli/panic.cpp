#include "cli/panic.h"

#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "base/check.h"
#include "cli/commands.h"

namespace godwit {
namespace {

int g_argc = 0;
char** g_argv = nullptr;

/// `word` so that a shell reads it as one word.
std::string quoted(std::string_view word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) return std::string(word);
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace

namespace cli {

void remember_command_line(int argc, char** argv) {
  g_argc = argc;
  g_argv = argv;
}

}  // namespace cli

/// Ends the process at once: nothing that is in doubt is written, and no destructor runs on a broken state.
void panic(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "\ngodwit: broken invariant: %s (%s:%d)\nThis is a bug in Godwit. To replay it:\n ", condition,
               file, line);
  for (int i = 0; i < g_argc; ++i) std::fprintf(stderr, " %s", quoted(g_argv[i]).c_str());
  std::fprintf(stderr, "\n");
  ::_exit(cli::kBroken);
}

}  // namespace godwit
