#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "cli/command_tree.h"
#include "cli/commands.h"

// The manual page, in the macros of man(7), from what the commands say of themselves.
namespace godwit::cli {
namespace {

/// What roff would take for a request or an escape is written as itself.
std::string roff(std::string_view text) {
  std::string page;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) page += "\\&";
    if (c == '\\')
      page += "\\e";
    else if (c == '-')
      page += "\\-";
    else
      page += c;
    line_begins = c == '\n';
  }
  return page;
}

std::string option_entry(const CLI::Option& option) {
  const std::string value = option.get_type_name();
  return fmt::format(".TP\n.B {}\n{}\n", roff(option.get_name(true, true) + (value.empty() ? "" : " " + value)),
                     roff(option.get_description()));
}

/// Examples and exit statuses keep their lines.
std::string as_it_is(const std::string& text) { return text.empty() ? "" : ".PP\n.nf\n" + roff(text) + "\n.fi\n"; }

void add_command(const CLI::App& command, std::string& page) {
  page += fmt::format(".SS {}\n{}\n", roff(path_of(command)), roff(command.get_description()));
  for (const CLI::Option* option : command.get_options())
    if (option != command.get_help_ptr()) page += option_entry(*option);
  const CLI::App* parent = command.get_parent();
  // Without a footer of its own a command shows its parent's.
  if (!parent || command.get_footer() != parent->get_footer()) page += as_it_is(command.get_footer());
  for (const CLI::App* each : commands_of(command)) add_command(*each, page);
}

std::string manual(const CLI::App& app) {
  std::string page = fmt::format(
      ".TH GODWIT 1 \"\" \"godwit {}\" \"User Commands\"\n"
      ".SH NAME\ngodwit \\- simulate the migration of virtual machines\n"
      ".SH SYNOPSIS\n.B godwit\nCOMMAND [ARGUMENT...]\n"
      ".SH DESCRIPTION\n{}\n.SH COMMANDS\n",
      GODWIT_VERSION, roff(app.get_description()));
  for (const CLI::App* each : commands_of(app)) add_command(*each, page);
  page += ".SH EXAMPLES\n" + as_it_is(app.get_footer());
  return page;
}

}  // namespace

void add_manual(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand("manual", "Print the manual page, for man");
  command->footer(
      "Examples:\n"
      "  godwit manual | man -l -\n"
      "  godwit manual > ~/.local/share/man/man1/godwit.1\n");
  command->callback([&app, &exit_status] {
    fmt::print("{}", manual(app));
    exit_status = kDone;
  });
}

}  // namespace godwit::cli
