#include "workloads/trace.h"

#include <cstring>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "base/check.h"
#include "fuzz/target.h"
#include "tests/support/trace_file.h"

// What the reader takes keeps what workloads/trace.h promises. Digests and compression hide the reader's inside from
// bytes made up at random, so an input is read three times: as a file; as a file whose digests are mended; and as the
// intervals of a file that is made around it here, from docs/trace-format.md.
namespace {

using namespace godwit;
using namespace godwit::workloads;

using Bytes = std::vector<std::byte>;

constexpr TraceLimits kLimits{.intervals = 1 << 16, .runs = 1 << 16};
constexpr std::size_t kFixed = 7;  // bytes of an input before its intervals

template <class T>
T get(std::span<const std::byte> from, std::size_t at) {
  T value;
  std::memcpy(&value, &from[at], sizeof value);
  return value;
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
  test::TraceFile file({.page_size = std::uint32_t{1} << (static_cast<unsigned>(input[4]) % 32),
                        .page_count = get<std::uint32_t>(input, 0)});
  file.block(input.subspan(kFixed), get<std::uint16_t>(input, 5)).end(totals.intervals, totals.marks).mend();
  return file.bytes();
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes input(size);
  if (size > 0) std::memcpy(input.data(), data, size);
  read(input);
  if (size > kFixed) {
    const Totals found = read(wrap(input, {}));
    // Where all intervals are sound, a file that gives the right totals is.
    if (found.intervals > 0 && found.intervals == get<std::uint16_t>(input, 5))
      GODWIT_CHECK(read(wrap(input, found)).whole);
  }
  read(test::TraceFile(input).mend().bytes());
  return 0;
}
