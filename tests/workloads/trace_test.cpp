#include "workloads/trace.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/trace_file.h"

namespace godwit::workloads {
namespace {

namespace fs = std::filesystem;

/// A folder that is gone with the test.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "godwit-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  fs::path operator/(const char* name) const { return path_ / name; }

 private:
  fs::path path_;
};

Trace small_trace() {
  Trace trace;
  trace.page_count = 1000;
  trace.interval = std::chrono::milliseconds(10);
  trace.metadata = {{"made_by", "a test"}, {"note", "a=b"}};
  trace.append(std::vector<workloads::Run>{{0, 1}, {2, 3}, {900, 100}});
  trace.append({});
  trace.append(std::vector<workloads::Run>{{999, 1}});
  return trace;
}

std::vector<std::byte> bytes_of(const Trace& trace) {
  const Folder folder;
  EXPECT_FALSE(write_trace(folder / "t.gwt", trace).has_value());
  std::ifstream file(folder / "t.gwt", std::ios::binary);
  const std::vector<char> chars{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::byte> bytes;
  for (const char c : chars) bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

TEST(Trace, ReadsWhatItWrote) {
  const auto read = read_trace(bytes_of(small_trace()));
  ASSERT_TRUE(read.ok()) << read.error().what;
  EXPECT_EQ(read.value(), small_trace());
  EXPECT_EQ(read->marks, 105u);
}

RC_GTEST_PROP(Trace, ReadsWhatItWroteWhateverThatWas, ()) {
  Trace trace;
  trace.page_count = 5000;
  trace.interval = std::chrono::nanoseconds(1 + *rc::gen::inRange(0, 1'000'000));
  const int intervals = *rc::gen::inRange(0, 20);
  for (int i = 0; i < intervals; ++i) {
    auto pages = *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange(0u, 5000u));
    trace.append(runs_of(pages));
  }
  const auto read = read_trace(bytes_of(trace));
  RC_ASSERT(read.ok());
  RC_ASSERT(read.value() == trace);
}

TEST(Trace, RefusesAFileThatStopsAnywhere) {
  const auto bytes = bytes_of(small_trace());
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(read_trace(std::span(bytes).first(length)).ok()) << length;
}

TEST(Trace, NoticesEverySingleFlippedBit) {
  const auto bytes = bytes_of(small_trace());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    EXPECT_FALSE(read_trace(damaged).ok()) << bit;
  }
}

// ---- forged files: each digest is right, so what is refused is what the file says

using test::TraceFile;

std::vector<std::byte> raw(std::initializer_list<int> bytes) {
  std::vector<std::byte> all;
  for (const int each : bytes) all.push_back(static_cast<std::byte>(each));
  return all;
}

/// What is wrong with `file`, and where; "" if nothing is.
std::string refusal(TraceFile& file, TraceLimits limits = {}) {
  const auto read = read_trace(file.mend().bytes(), limits);
  return read ? "" : read.error().what + " @" + std::to_string(read.error().offset);
}

std::string refusal_of_header(const TraceFile::Header& header) {
  TraceFile file(header);
  return refusal(file.end(0, 0));
}

/// A file of one block with `intervals` intervals and `marks` marks in it, of 1000 pages.
std::string refusal_of_block(const std::vector<std::byte>& block, std::uint64_t intervals, std::uint64_t marks) {
  TraceFile file(TraceFile::Header{});
  return refusal(file.block(block, intervals).end(intervals, marks));
}

TEST(ForgedTrace, IsSoundBefore) {
  EXPECT_EQ(refusal_of_header({}), "");
  EXPECT_EQ(refusal_of_block(raw({0, 2, 0, 0, 4, 2}), 2, 4), "");  // nothing; pages 0 and 6 to 8
}

TEST(ForgedTrace, WithAHeaderThatMakesNoSense) {
  EXPECT_EQ(refusal_of_header({.magic = 0x0a1a0a0d54574788}), "not a Godwit trace @0");
  EXPECT_EQ(refusal_of_header({.version = 0}), "trace version 0; this program reads version 1 @8");
  EXPECT_EQ(refusal_of_header({.version = UINT32_MAX}), "trace version 4294967295; this program reads version 1 @8");
  EXPECT_EQ(refusal_of_header({.page_size = 0}), "page size 0 is not a power of two @12");
  EXPECT_EQ(refusal_of_header({.page_size = 4097}), "page size 4097 is not a power of two @12");
  EXPECT_EQ(refusal_of_header({.page_count = 1ull << 32}), "page count 4294967296 exceeds 2^32 - 1 @16");
  EXPECT_EQ(refusal_of_header({.page_count = UINT64_MAX}), "page count 18446744073709551615 exceeds 2^32 - 1 @16");
  EXPECT_EQ(refusal_of_header({.interval = 0}), "the interval is not positive @24");
  EXPECT_EQ(refusal_of_header({.interval = 1ull << 63}), "the interval is not positive @24");
  EXPECT_EQ(refusal_of_header({.reserved = 1}), "the reserved field is not zero @32");
}

TEST(ForgedTrace, WithIntervalsThatMakeNoSense) {
  const std::string why = "a damaged interval @48";
  EXPECT_EQ(refusal_of_block(raw({1, 0, 0}), 1, 1), "");
  EXPECT_EQ(refusal_of_block(raw({1, 0}), 1, 1), why);                                // half a run
  EXPECT_EQ(refusal_of_block(raw({2, 0, 0}), 1, 1), why);                             // fewer runs than it says
  EXPECT_EQ(refusal_of_block(raw({0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0}), 1, 1), why);  // 2^32 - 1 runs
  EXPECT_EQ(refusal_of_block(raw({1, 0xe7, 7, 0}), 1, 1), "");                        // page 999
  EXPECT_EQ(refusal_of_block(raw({1, 0xe8, 7, 0}), 1, 1), why);                       // page 1000
  EXPECT_EQ(refusal_of_block(raw({1, 0, 0xe8, 7}), 1, 1), why);                       // pages 0 to 1000
  EXPECT_EQ(refusal_of_block(raw({1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0}), 1, 1), why);  // page 2^32 - 1
  EXPECT_EQ(refusal_of_block(raw({1, 0xff, 0xff, 0xff, 0xff, 0x1f, 0}), 1, 1), why);  // a number of 33 bits
  EXPECT_EQ(refusal_of_block(raw({1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0}), 1, 1), why);
  EXPECT_EQ(refusal_of_block(raw({0, 0}), 1, 0), "bytes after the last interval of a block @48");
}

TEST(ForgedTrace, WithCountsThatMakeNoSense) {
  EXPECT_EQ(refusal_of_block(raw({0}), 0, 0), "an impossible count of intervals @48");
  EXPECT_EQ(refusal_of_block(raw({0}), 2, 0), "an impossible count of intervals @48");
  EXPECT_EQ(refusal_of_block(raw({0}), UINT32_MAX, 0), "an impossible count of intervals @48");
  TraceFile more(TraceFile::Header{}), marks(TraceFile::Header{}), kind(TraceFile::Header{});
  EXPECT_NE(refusal(more.block(raw({0}), 1).end(2, 0)).find("the totals disagree"), std::string::npos);
  EXPECT_NE(refusal(marks.block(raw({0}), 1).end(1, 1)).find("the totals disagree"), std::string::npos);
  EXPECT_EQ(refusal(kind.head(0x12345678, 0, 0, 0)), "neither a block nor the end @48");
}

TEST(ForgedTrace, WithMetadataThatMakesNoSense) {
  const auto of = [](std::string_view metadata) {
    TraceFile file(TraceFile::Header{});
    return refusal(file.end(0, 0, metadata));
  };
  EXPECT_EQ(of("key=value\n"), "");
  EXPECT_EQ(of("=value\n"), "damaged metadata @48");
  EXPECT_EQ(of("key\n"), "damaged metadata @48");
  EXPECT_EQ(of("key=value"), "damaged metadata @48");
}

TEST(ForgedTrace, WhoseCompressionIsABomb) {
  const std::vector<std::byte> zeroes(32 << 20);
  const std::vector<std::byte> bomb = TraceFile::compressed(zeroes);  // of 32 MiB, in some 1.5 kB
  ASSERT_LT(bomb.size(), 8192u);
  const auto of = [](const std::vector<std::byte>& stored, std::uint64_t says) {
    TraceFile file(TraceFile::Header{});
    return refusal(file.head(TraceFile::kBlock, stored.size(), says, 1).append(stored).end(1, 0));
  };
  EXPECT_EQ(of(bomb, 32 << 20), "a block larger than the format allows @48");
  EXPECT_EQ(of(bomb, 16 << 20), "a block whose compressed size disagrees with its header @48");
  EXPECT_EQ(of(bomb, 0xffffffff), "a block larger than the format allows @48");
  std::vector<std::byte> two = TraceFile::compressed(raw({0}));
  const std::vector<std::byte> skippable = raw({0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0});  // RFC 8878, 3.1.2
  two.insert(two.end(), skippable.begin(), skippable.end());
  EXPECT_EQ(of(two, 1), "a block that is not one zstd frame @48");
  // A frame that claims 2^40 bytes: magic, a descriptor of 8 bytes of content size, a window of 1 KiB (RFC 8878, 3.1.1).
  const std::vector<std::byte> claims = raw({0x28, 0xb5, 0x2f, 0xfd, 0xc0, 0x00, 0, 0, 0, 0, 0, 1, 0, 0});
  EXPECT_EQ(of(claims, 1), "a block whose compressed size disagrees with its header @48");
  EXPECT_EQ(of(raw({1, 2, 3}), 1), "a block whose compressed size disagrees with its header @48");
}

TEST(ForgedTrace, ThatSaysTooMuchOfNothing) {
  const std::vector<std::byte> empty(1 << 20);  // as many intervals, in a few bytes
  TraceFile many(TraceFile::Header{}), runs(TraceFile::Header{});
  EXPECT_EQ(refusal(many.block(empty, empty.size()).end(empty.size(), 0), {.intervals = 1000}),
            "more than 1000 intervals @48");
  EXPECT_EQ(refusal(runs.block(raw({2, 0, 0, 1, 0}), 1).end(1, 2), {.runs = 1}), "more than 1 runs @48");
}

TEST(ForgedTrace, WhoseLengthsGoBeyondTheFile) {
  TraceFile block(TraceFile::Header{}), end(TraceFile::Header{}), huge(TraceFile::Header{});
  EXPECT_EQ(refusal(block.head(TraceFile::kBlock, 1 << 20, 1, 1)), "the trace is truncated @64");
  EXPECT_EQ(refusal(end.head(TraceFile::kEnd, 1 << 20, 1 << 20, 0)), "the trace is truncated @64");
  EXPECT_EQ(refusal(huge.head(TraceFile::kEnd, UINT32_MAX, UINT32_MAX, 0)), "a damaged end record @48");
}

TEST(Trace, RefusesWhatFollowsTheEnd) {
  auto bytes = bytes_of(small_trace());
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(read_trace(bytes).ok());
}

TEST(Trace, AppearsUnderItsNameOnlyWhenItIsWhole) {
  const Folder folder;
  {
    auto writer = TraceWriter::create(folder / "t.gwt", {.interval = std::chrono::milliseconds(1)});
    ASSERT_TRUE(writer.ok());
    EXPECT_FALSE(writer->add(std::vector<workloads::Run>{{1, 2}}).has_value());
    EXPECT_FALSE(fs::exists(folder / "t.gwt"));
  }
  EXPECT_FALSE(fs::exists(folder / "t.gwt"));
}

TEST(Trace, RefusesRunsThatTouchOrDescend) {
  const Folder folder;
  auto writer = TraceWriter::create(folder / "t.gwt", {.interval = std::chrono::milliseconds(1)});
  ASSERT_TRUE(writer.ok());
  EXPECT_TRUE(writer->add(std::vector<workloads::Run>{{1, 2}, {3, 1}}).has_value());
  EXPECT_TRUE(writer->add(std::vector<workloads::Run>{{5, 1}, {1, 1}}).has_value());
  EXPECT_TRUE(writer->add(std::vector<workloads::Run>{{5, 0}}).has_value());
}

// The figures of docs/recording.md.
TEST(Recordings, AreWholeAndHoldWhatTheDocumentationSays) {
  struct {
    const char* name;
    std::size_t intervals;
    std::uint64_t pages, marks;
  } const expected[] = {
      {"redis", 2001, 21799, 1488851}, {"sqlite", 532, 27816, 1877305}, {"compile", 1088, 117787, 1461832}};
  for (const auto& each : expected) {
    const fs::path path = fs::path(GODWIT_SOURCE_DIR) / "workloads/recordings" / (std::string(each.name) + ".gwt");
    EXPECT_LE(fs::file_size(path), 2u << 20) << each.name;
    const auto trace = read_trace(path);
    ASSERT_TRUE(trace.ok()) << each.name << ": " << trace.error().what;
    EXPECT_EQ(trace->interval_count(), each.intervals) << each.name;
    EXPECT_EQ(trace->page_count, each.pages) << each.name;
    EXPECT_EQ(trace->marks, each.marks) << each.name;
    EXPECT_TRUE(trace->metadata_value("command").has_value()) << each.name;
  }
}

}  // namespace
}  // namespace godwit::workloads
