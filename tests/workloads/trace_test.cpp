#include "workloads/trace.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

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
