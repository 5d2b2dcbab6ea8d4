#include "cli/ranks.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>

namespace godwit::cli {
namespace {

/// The module, as it stands in the build and where it is installed.
std::optional<std::string> module_file() {
  std::error_code ignored;
  const auto command = std::filesystem::read_symlink("/proc/self/exe", ignored);
  for (const char* place : {"godwit_mpi.so", "../lib/godwit/godwit_mpi.so"}) {
    const auto file = command.parent_path() / place;
    if (std::filesystem::exists(file, ignored)) return file.string();
  }
  return std::nullopt;
}

}  // namespace

bool has_mpi() { return module_file().has_value(); }

std::unique_ptr<studies::Ranks> launched_ranks() {
  // What Open MPI's mpirun sets, and what srun --mpi=pmix does.
  if (!std::getenv("OMPI_COMM_WORLD_SIZE") && !std::getenv("PMIX_RANK")) return nullptr;
  const auto file = module_file();
  if (!file) throw std::runtime_error("this godwit was built without MPI; use --shard, and godwit merge");
  // Global, since Open MPI loads parts of its own that look for its symbols; never closed, since it leaves threads.
  void* module = ::dlopen(file->c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (!module) throw std::runtime_error(fmt::format("MPI cannot be loaded: {}", ::dlerror()));
  auto* join = reinterpret_cast<studies::RanksFunction*>(::dlsym(module, studies::kRanksFunction));
  if (!join) throw std::runtime_error(fmt::format("{}: not of this godwit", *file));
  std::unique_ptr<studies::Ranks> ranks(join());
  if (!ranks) throw std::runtime_error("this MPI does not let threads take turns (MPI_THREAD_SERIALIZED)");
  return ranks;
}

}  // namespace godwit::cli
