#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/command_tree.h"
#include "cli/commands.h"
#include "scenarios/strategy.h"

// Completion for shells, from what the commands say of themselves. Where no word fits, file names are completed.
namespace godwit::cli {
namespace {

/// Calls `visit(command)` for `command` and all below it.
template <class Visit>
void for_each_command(const CLI::App& command, const Visit& visit) {
  visit(command);
  for (const CLI::App* each : commands_of(command)) for_each_command(*each, visit);
}

std::vector<std::string> words_after(const CLI::App& command) {
  std::vector<std::string> words = command_names(command);
  for (const std::string& name : option_names(command)) words.push_back(name);
  if (command.get_name() == "strategies")
    for (const std::string& name : scenarios::strategy_names()) words.push_back(name);
  return words;
}

constexpr const char* kBash = R"sh(# Completion of godwit for bash: eval "$(godwit completion bash)"
_godwit() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} path=godwit words= word
  COMPREPLY=()
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "$path $word" in
      {}) path="$path $word" ;;
    esac
  done
  case "$path" in
{}  esac
  if [[ $before == --strategies ]]; then
    words="all {}"
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o bashdefault -o default -F _godwit godwit
)sh";

std::string bash(const CLI::App& app) {
  std::vector<std::string> paths;
  std::string cases;
  for_each_command(app, [&](const CLI::App& command) {
    if (command.get_parent()) paths.push_back(fmt::format("\"{}\"", path_of(command)));
    cases += fmt::format("    \"{}\") words=\"{}\" ;;\n", path_of(command), fmt::join(words_after(command), " "));
  });
  return fmt::format(kBash, fmt::join(paths, " | "), cases, fmt::join(scenarios::strategy_names(), " "));
}

/// bash's completion, which zsh understands.
std::string zsh(const CLI::App& app) { return "autoload -Uz bashcompinit && bashcompinit\n" + bash(app); }

/// What stands between single quotes in fish.
std::string fish_quoted(const std::string& text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c == '\n' ? ' ' : c;
  }
  return quoted;
}

/// True where the words so far name `command` and none below it.
std::string fish_condition(const CLI::App& command) {
  if (!command.get_parent()) return "__fish_use_subcommand";
  std::string condition = "__fish_seen_subcommand_from " + command.get_name();
  if (command.get_parent()->get_parent())
    condition = "__fish_seen_subcommand_from " + command.get_parent()->get_name() + "; and " + condition;
  const std::vector<std::string> below = command_names(command);
  if (!below.empty()) condition += fmt::format("; and not __fish_seen_subcommand_from {}", fmt::join(below, " "));
  return condition;
}

std::string fish(const CLI::App& app) {
  std::string script = "# Completion of godwit for fish: godwit completion fish | source\n";
  for_each_command(app, [&](const CLI::App& command) {
    const std::string begin = fmt::format("complete -c godwit -n '{}'", fish_condition(command));
    for (const CLI::App* each : commands_of(command))
      script += fmt::format("{} -a {} -d '{}'\n", begin, each->get_name(), fish_quoted(each->get_description()));
    for (const CLI::Option* option : command.get_options()) {
      std::string names;
      for (const std::string& name : option->get_lnames()) names += " -l " + name;
      for (const std::string& name : option->get_snames()) names += " -s " + name;
      if (names.empty()) continue;  // a positional argument
      const char* value = option->get_expected_max() > 0 && !option->get_type_name().empty() ? " -r" : "";
      script += fmt::format("{}{}{} -d '{}'\n", begin, names, value, fish_quoted(option->get_description()));
    }
  });
  return script;
}

}  // namespace

void add_completion(CLI::App& app, int& exit_status) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completion", "Print what completes commands in a shell");
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->type_name("SHELL")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer(
      "Examples:\n"
      "  eval \"$(godwit completion bash)\"\n"
      "  godwit completion fish > ~/.config/fish/completions/godwit.fish\n");
  command->callback([shell, &app, &exit_status] {
    fmt::print("{}", *shell == "bash" ? bash(app) : *shell == "zsh" ? zsh(app) : fish(app));
    exit_status = kDone;
  });
}

}  // namespace godwit::cli
