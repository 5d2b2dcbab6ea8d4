#include "cli/parse.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_tree.h"
#include "cli/commands.h"
#include "scenarios/issues.h"

namespace godwit::cli {
namespace {

/// The command whose words were being read: a parsed subcommand, or the app itself.
const CLI::App& current(const CLI::App& app) {
  const std::vector<CLI::App*> parsed = app.get_subcommands();
  return parsed.empty() ? app : current(*parsed.front());
}

std::string about_extra(const CLI::App& command, const std::string& word) {
  if (word.starts_with("-")) {
    const std::string name = word.substr(0, word.find('='));
    return fmt::format("unknown option {}{}", name, scenarios::did_you_mean(name, option_names(command)));
  }
  if (command.get_parent()) return fmt::format("unexpected argument {}", word);
  const std::vector<std::string> names = command_names(command);
  const std::string hint = scenarios::did_you_mean(word, names);
  return fmt::format("unknown command {}{}", word, hint.empty() ? "; there are " + scenarios::joined(names) : hint);
}

int refuse_line(const CLI::App& app, const std::string& what) {
  const CLI::App& command = current(app);
  fmt::print(stderr, "{}: {}\n(see {} --help)\n", path_of(command), what, path_of(command));
  return kWrongInput;
}

int read_and_run(CLI::App& app, int argc, char** argv, const int& exit_status) {
  try {
    app.parse(argc, argv);
    return exit_status;
  } catch (const CLI::Success& success) {  // --help
    app.exit(success);
    return kDone;
  } catch (const CLI::ExtrasError& error) {
    const CLI::App& command = current(app);
    const std::vector<std::string> extras = command.remaining(true);
    return refuse_line(app, extras.empty() ? error.what() : about_extra(command, extras.front()));
  } catch (const CLI::ParseError& error) {
    return refuse_line(app, error.what());
  }
}

}  // namespace

int parse(CLI::App& app, int argc, char** argv, const int& exit_status) {
  int status = kDone;
  try {
    status = read_and_run(app, argc, argv, exit_status);
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "godwit: not enough memory for this\n");
    status = kWrongInput;
  } catch (const std::exception& error) {
    fmt::print(stderr, "godwit: {}\n", error.what());
    status = kWrongInput;
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
    fmt::print(stderr, "godwit: standard output cannot be written\n");
    if (status == kDone) status = kWrongInput;
  }
  return status;
}

}  // namespace godwit::cli
