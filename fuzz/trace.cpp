#include "workloads/trace.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "fuzz/target.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

// What the reader takes keeps what workloads/trace.h promises. Digests and compression hide the reader's inside from
// bytes made up at random, so an input is read three times: as a file; as a file whose digests are mended; and as the
// intervals of a file that is made around it here, from docs/trace-format.md.
namespace {

using namespace godwit;
using namespace godwit::workloads;

using Bytes = std::vector<std::byte>;

constexpr TraceLimits kLimits{.intervals = 1 << 16, .runs = 1 << 16};
constexpr std::size_t kHeader = 48, kHead = 16;
constexpr std::uint32_t kBlock = 0x4b434c42, kEnd = 0x21444e45;

template <class T>
T get(std::span<const std::byte> from, std::size_t at) {
  T value;
  std::memcpy(&value, &from[at], sizeof value);
  return value;
}

template <class T>
void put(Bytes& into, T value) {
  const auto* bytes = reinterpret_cast<const std::byte*>(&value);
  into.insert(into.end(), bytes, bytes + sizeof value);
}

/// The digest of a file without its last eight bytes: all that follows the header, then the header.
std::uint64_t digest_of(std::span<const std::byte> file) {
  Bytes turned(file.begin() + kHeader, file.end());
  turned.insert(turned.end(), file.begin(), file.begin() + kHeader);
  return XXH3_64bits(turned.data(), turned.size());
}

/// Makes the digests of `file` right, as far as it has any.
void mend(Bytes& file) {
  if (file.size() < kHeader) return;
  const std::uint64_t of_header = XXH3_64bits(file.data(), kHeader - 8);
  std::memcpy(&file[kHeader - 8], &of_header, 8);
  for (std::size_t at = kHeader; file.size() - at >= kHead;) {
    const auto kind = get<std::uint32_t>(file, at), stored = get<std::uint32_t>(file, at + 4);
    at += kHead;
    if (stored > file.size() - at) return;
    at += stored;
    if (kind != kEnd || stored < 8) continue;
    const std::uint64_t digest = digest_of(std::span(file).first(at - 8));
    std::memcpy(&file[at - 8], &digest, 8);
    return;
  }
}

/// What is true of every interval that the reader gives.
void check(std::span<const workloads::Run> runs, const TraceHeader& header) {
  std::uint64_t next = 0;
  for (const workloads::Run run : runs) {
    GODWIT_CHECK(run.count > 0);
    GODWIT_CHECK(run.first >= next);
    next = std::uint64_t{run.first} + run.count + 1;
    GODWIT_CHECK(next <= header.page_count + 1);
  }
}

struct Totals {
  std::uint64_t intervals = 0, marks = 0;
  bool whole = false;  // the end was found right
};

Totals read(const Bytes& file) {
  Totals totals;
  auto reader = TraceReader::open(
      std::make_unique<std::istringstream>(std::string(reinterpret_cast<const char*>(file.data()), file.size())),
      kLimits);
  if (!reader) {
    GODWIT_CHECK(!reader.error().what.empty());
    return totals;
  }
  std::vector<workloads::Run> runs;
  while (true) {
    const auto more = reader->next(runs);
    if (!more) {
      GODWIT_CHECK(!more.error().what.empty() && more.error().offset <= file.size());
      return totals;
    }
    if (!more.value()) break;
    check(runs, reader->header());
    ++totals.intervals;
    for (const workloads::Run run : runs) totals.marks += run.count;
  }
  GODWIT_CHECK(totals.marks == reader->marks());
  totals.whole = true;
  return totals;
}

/// A file of one block: page count (4 bytes), page size as a power of two (1), intervals (2), and the block.
Bytes wrap(std::span<const std::byte> input, const Totals& totals) {
  constexpr std::size_t kFixed = 7;
  const std::span<const std::byte> raw = input.subspan(kFixed);
  Bytes file;
  put(file, std::uint64_t{0x0a1a0a0d54574789});  // 89 47 57 54 0d 0a 1a 0a
  put(file, std::uint32_t{1});
  put(file, std::uint32_t{1} << (static_cast<unsigned>(input[4]) % 32));
  put(file, std::uint64_t{get<std::uint32_t>(input, 0)});
  put(file, std::uint64_t{1'000'000});
  put(file, std::uint64_t{0});
  put(file, std::uint64_t{0});  // the digest, mended below
  Bytes stored(ZSTD_compressBound(raw.size()));
  stored.resize(ZSTD_compress(stored.data(), stored.size(), raw.data(), raw.size(), 1));
  put(file, kBlock);
  put(file, static_cast<std::uint32_t>(stored.size()));
  put(file, static_cast<std::uint32_t>(raw.size()));
  put(file, std::uint32_t{get<std::uint16_t>(input, 5)});
  file.insert(file.end(), stored.begin(), stored.end());
  put(file, kEnd);
  put(file, std::uint32_t{24});
  put(file, std::uint32_t{24});
  put(file, std::uint32_t{0});
  put(file, totals.intervals);
  put(file, totals.marks);
  put(file, std::uint64_t{0});
  mend(file);
  return file;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes input(size);
  if (size > 0) std::memcpy(input.data(), data, size);
  read(input);
  if (size > 7) {
    const Totals found = read(wrap(input, {}));
    // Where all intervals are sound, a file that gives the right totals is.
    if (found.intervals > 0 && found.intervals == get<std::uint16_t>(input, 5))
      GODWIT_CHECK(read(wrap(input, found)).whole);
  }
  mend(input);
  read(input);
  return 0;
}
