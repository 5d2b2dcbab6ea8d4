#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/fields.h"

namespace godwit::studies {

/// A hash of `text`: 16 hexadecimal digits.
std::string hash_of(std::string_view text);

/// A long list of lines in few: a hash of all lines so far, noted every so many lines and at the end. It tells lists
/// apart as the list itself would, and narrows the first difference down to one stretch.
struct Tail {
  std::uint64_t count = 0;
  std::uint64_t every = 1;
  std::vector<std::string> hashes;  ///< One for each stretch that was begun, 16 hexadecimal digits each.
  friend bool operator==(const Tail&, const Tail&) = default;
};

/// At most 256 hashes.
Tail tail_of(std::span<const std::string> lines);

/// Lines, numbered from 0 on: `first`, and `count - 1` more.
struct Stretch {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

/// Where `lines` first differ from those that `tail` was made of; nothing: nowhere.
std::optional<Stretch> first_difference(const Tail& tail, std::span<const std::string> lines);

/// How a file says it.
const scenarios::Table<Tail>& tail_table();

}  // namespace godwit::studies
