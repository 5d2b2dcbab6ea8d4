// The folders are the architecture: an include may follow an arrow (B may include A in `A <- B`), never run against it.
//
//     base  <-  core                  core + models + workloads  <-  sim  <-  scenarios  <-  studies  <-  report  <-  cli
//     base  <-  models  <-  workloads
//     base  <-  core  <-  live  <-  cli
//     studies  <-  mpi
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace godwit {
namespace {

using Names = std::set<std::string, std::less<>>;

// What a folder may include besides itself.
const std::map<std::string, Names, std::less<>> kMayInclude = {
    {"base", {}},
    {"core", {"base"}},
    {"models", {"base"}},
    {"workloads", {"base", "models"}},
    {"sim", {"base", "core", "models", "workloads"}},
    {"scenarios", {"base", "core", "models", "workloads", "sim"}},
    {"studies", {"base", "core", "models", "workloads", "sim", "scenarios"}},
    {"report", {"base", "core", "models", "workloads", "sim", "scenarios", "studies"}},
    {"live", {"base", "core", "workloads"}},
    {"mpi", {"studies"}},
    {"cli", {"base", "core", "models", "workloads", "sim", "scenarios", "studies", "report", "live"}},
};

// A guest's kernel has no C++ library at run time: these folders take only what the compiler brings, or what is all
// header.
const Names kHostedByAKernel = {"base", "core"};
const Names kHeadersOfAKernel = {
    "algorithm", "array",   "atomic",      "bit",         "chrono",           "compare", "concepts",
    "coroutine", "cstddef", "cstdint",     "cstring",     "initializer_list", "limits",  "new",
    "optional",  "span",    "string_view", "type_traits", "utility",
};

struct Include {
  bool quoted;
  std::string_view path;
};

std::string_view after_spaces(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
}

// Returns whether the line is an include directive, and if so which.
bool read_include(std::string_view line, Include& include) {
  line = after_spaces(line);
  if (!line.starts_with('#')) return false;
  line = after_spaces(line.substr(1));
  constexpr std::string_view kDirective = "include";
  if (!line.starts_with(kDirective)) return false;
  line = after_spaces(line.substr(kDirective.size()));
  if (line.empty() || (line.front() != '"' && line.front() != '<')) return false;
  include.quoted = line.front() == '"';
  line.remove_prefix(1);
  include.path = line.substr(0, line.find(include.quoted ? '"' : '>'));
  return true;
}

std::string_view folder_of(std::string_view path) {
  const auto slash = path.find('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

// Returns why `folder` may not have this include; empty when it may.
std::string objection(std::string_view folder, const Include& include) {
  if (!include.quoted) {
    const bool free = !kHostedByAKernel.contains(folder) || kHeadersOfAKernel.contains(include.path);
    return free ? "" : "is not a header that a guest's kernel could have";
  }
  const std::string_view target = folder_of(include.path);
  if (target.empty()) return "must be written with its folder";
  if (target == folder || kMayInclude.find(folder)->second.contains(target)) return "";
  return std::string(folder) + "/ may not include " + std::string(target) + "/";
}

// Returns one line "path:line: ..." for each include of `text` that runs against an arrow. `path` starts with its
// folder.
std::vector<std::string> violations(std::string_view path, std::string_view text) {
  std::vector<std::string> found;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    Include include{};
    if (!read_include(line, include)) continue;
    const std::string why = objection(folder_of(path), include);
    if (why.empty()) continue;
    found.push_back(std::string(path) + ":" + std::to_string(number) + ": " + std::string(include.path) + ": " + why);
  }
  return found;
}

std::vector<std::filesystem::path> sources_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> sources;
  if (!std::filesystem::exists(folder)) return sources;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const auto extension = entry.path().extension();
    if (entry.is_regular_file() && (extension == ".h" || extension == ".cpp")) sources.push_back(entry.path());
  }
  std::sort(sources.begin(), sources.end());
  return sources;
}

std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(Layering, NoIncludeRunsAgainstAnArrow) {
  const std::filesystem::path root = GODWIT_SOURCE_DIR;
  std::size_t scanned = 0;
  for (const auto& [folder, allowed] : kMayInclude) {
    for (const auto& source : sources_in(root / folder)) {
      ++scanned;
      for (const auto& violation : violations(source.lexically_relative(root).string(), read(source))) {
        ADD_FAILURE() << violation;
      }
    }
  }
  EXPECT_GT(scanned, 0U) << "no sources under " << root;
}

// A cycle never ends at a folder that includes nothing: taking such folders away, again and again, leaves only cycles.
TEST(Layering, TheArrowsHaveNoCycle) {
  auto left = kMayInclude;
  const auto rests_on_nothing_left = [&left](const auto& entry) {
    return std::none_of(entry.second.begin(), entry.second.end(),
                        [&left](const auto& lower) { return left.contains(lower); });
  };
  while (std::erase_if(left, rests_on_nothing_left) > 0) {
  }
  EXPECT_THAT(left, testing::IsEmpty());
}

TEST(LayeringChecker, FindsAPlantedViolationAndNamesItsLine) {
  EXPECT_THAT(violations("core/round.h", "#pragma once\n\n#include \"sim/clock.h\"\n"),
              testing::ElementsAre("core/round.h:3: sim/clock.h: core/ may not include sim/"));
}

TEST(LayeringChecker, FindsAViolationHoweverTheDirectiveIsSpaced) {
  EXPECT_THAT(violations("models/link.cpp", "  #  include\"workloads/kind.h\""), testing::SizeIs(1));
}

TEST(LayeringChecker, LetsAnIncludeFollowTheArrows) {
  EXPECT_THAT(violations("sim/run.cpp", "#include \"core/round.h\"\n#include \"sim/run.h\"\n#include <vector>\n"),
              testing::IsEmpty());
}

TEST(LayeringChecker, WantsTheFolderInEveryInclude) {
  EXPECT_THAT(violations("sim/run.cpp", "#include \"run.h\"\n"), testing::SizeIs(1));
}

TEST(LayeringChecker, KeepsTheLibraryOutOfWhatAKernelHosts) {
  EXPECT_THAT(violations("core/round.h", "#include <span>\n#include <vector>\n#include <unistd.h>\n"),
              testing::SizeIs(2));
  EXPECT_THAT(violations("base/units.h", "#include <string>\n"), testing::SizeIs(1));
  EXPECT_THAT(violations("models/memory.h", "#include <vector>\n"), testing::IsEmpty());
}

TEST(LayeringChecker, PassesOverWhatIsNotADirective) {
  EXPECT_THAT(violations("core/round.h", "// see \"sim/clock.h\"\nint include = 0;\n"), testing::IsEmpty());
}

}  // namespace
}  // namespace godwit
