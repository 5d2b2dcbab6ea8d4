#include "studies/tail.h"

#include <fmt/format.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

#include "base/check.h"

namespace godwit::studies {
namespace {

constexpr std::uint64_t kHashesMax = 256;

Tail tail_every(std::span<const std::string> lines, std::uint64_t every) {
  GODWIT_CHECK(every > 0);
  Tail tail{.count = lines.size(), .every = every, .hashes = {}};
  XXH64_state_t state;
  XXH64_reset(&state, 0);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string line = lines[i] + '\n';
    XXH64_update(&state, line.data(), line.size());
    if ((i + 1) % every == 0 || i + 1 == lines.size())
      tail.hashes.push_back(fmt::format("{:016x}", XXH64_digest(&state)));
  }
  return tail;
}

scenarios::Table<Tail> make_tail_table() {
  using namespace scenarios;
  Table<Tail> table("tail", "what is not kept in full");
  table.field("count", &Tail::count, whole_number(1, INT64_MAX), "How many.");
  table.field("every", &Tail::every, whole_number(1, INT64_MAX), "After so many there is a hash.");
  table.field("hashes", &Tail::hashes, list(text(), 1), "Of all up to there.");
  return table;
}

}  // namespace

std::string hash_of(std::string_view text) { return fmt::format("{:016x}", XXH64(text.data(), text.size(), 0)); }

Tail tail_of(std::span<const std::string> lines) {
  std::uint64_t every = 1;
  while (lines.size() / every >= kHashesMax) every *= 2;
  return tail_every(lines, every);
}

std::optional<Stretch> first_difference(const Tail& tail, std::span<const std::string> lines) {
  const Tail now = tail_every(lines, tail.every);
  if (now == tail) return std::nullopt;
  const auto differ = std::ranges::mismatch(now.hashes, tail.hashes).in1;
  const std::uint64_t first = static_cast<std::uint64_t>(differ - now.hashes.begin()) * tail.every;
  const std::uint64_t longest = std::max<std::uint64_t>(tail.count, lines.size());
  return Stretch{first, std::min(tail.every, longest - std::min(first, longest))};
}

const scenarios::Table<Tail>& tail_table() {
  static const scenarios::Table<Tail> table = make_tail_table();
  return table;
}

}  // namespace godwit::studies
