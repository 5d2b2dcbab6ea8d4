#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "live/write_tracker.h"

namespace godwit::live {

/// One line of /proc/PID/maps.
struct Mapping {
  AddressRange range;
  Backing backing = Backing::kAnonymous;
  bool writable = false;
  std::string device;        // with inode and offset: what a shared mapping shares
  std::uint64_t inode = 0;   // 0: anonymous
  std::uint64_t offset = 0;  // bytes into the file
  std::string name;

  friend bool operator==(const Mapping&, const Mapping&) = default;

  /// Which page of the file is mapped at `address`. Requires it to be in `range`.
  std::uint64_t file_page(std::uint64_t address, std::uint64_t page_size) const {
    return (address - range.begin + offset) / page_size;
  }
  bool is_shared() const { return backing == Backing::kShared; }
  /// True of a file that nobody can open any more: its memory goes with its last mapping. Anonymous shared
  /// memory is such a file, too.
  bool of_deleted_file() const { return name.ends_with(" (deleted)"); }
  /// False of what the kernel maps into every process for its own use.
  bool holds_memory() const { return !name.starts_with("[v"); }
};

/// Reads the text of /proc/PID/maps, in its ascending order. Passes over lines it does not understand.
std::vector<Mapping> parse_maps(std::string_view text);

}  // namespace godwit::live
