#pragma once

#include <span>
#include <string_view>

/// The data files that the command carries inside, so that it runs from anywhere. The build generates the definitions.
namespace godwit::embedded {

struct File {
  std::string_view name;  ///< Without folder and extension: "qemu-10".
  std::string_view text;
};

/// Each sorted by name.
std::span<const File> strategies();
std::span<const File> profiles();

}  // namespace godwit::embedded
