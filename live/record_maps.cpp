#include "live/record_maps.h"

#include <charconv>
#include <optional>

namespace godwit::live {
namespace {

/// Takes the text up to `separator` off the front of `text`, and the separator.
std::string_view take(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return taken;
}

std::optional<std::uint64_t> number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "7f12a000-7f12c000 rw-p 00001000 fe:00 1234   /usr/lib/x.so"
std::optional<Mapping> parse_line(std::string_view line) {
  const auto begin = number(take(line, '-'), 16);
  const auto end = number(take(line, ' '), 16);
  const std::string_view access = take(line, ' ');
  const auto offset = number(take(line, ' '), 16);
  const std::string_view device = take(line, ' ');
  const auto inode = number(take(line, ' '), 10);
  if (!begin || !end || *begin >= *end || access.size() != 4 || !offset || !inode) return std::nullopt;
  const std::size_t name = line.find_first_not_of(' ');
  return Mapping{.range = {*begin, *end},
                 .backing = access[3] == 's' ? Backing::kShared
                            : *inode != 0    ? Backing::kPrivateFile
                                             : Backing::kAnonymous,
                 .writable = access[1] == 'w',
                 .device = std::string(device),
                 .inode = *inode,
                 .offset = *offset,
                 .name = name == std::string_view::npos ? "" : std::string(line.substr(name))};
}

}  // namespace

std::vector<Mapping> parse_maps(std::string_view text) {
  std::vector<Mapping> mappings;
  while (!text.empty())
    if (auto mapping = parse_line(take(text, '\n'))) mappings.push_back(std::move(*mapping));
  return mappings;
}

}  // namespace godwit::live
