#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

/// What there is to say on a command line, read from the commands themselves.
namespace godwit::cli {

/// "godwit live demo".
std::string path_of(const CLI::App& command);
/// "-o", "--json".
std::vector<std::string> option_names(const CLI::App& command);
std::vector<const CLI::App*> commands_of(const CLI::App& command);
std::vector<std::string> command_names(const CLI::App& command);

}  // namespace godwit::cli
