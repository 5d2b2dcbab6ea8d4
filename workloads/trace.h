#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// The trace file: which pages of a guest were written in which interval. docs/trace-format.md
/// describes every byte; this reader and writer are the only code that knows them.
namespace godwit::workloads {

/// `count` pages from `first` on. In an interval, runs ascend and never touch: two that would are one.
struct Run {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  friend constexpr bool operator==(Run, Run) = default;
};

/// What is wrong with a trace, and at which byte of the file it was noticed.
struct TraceError {
  std::string what;
  std::uint64_t offset = 0;
};

/// A value, or the reason why there is none.
template <class T>
class TraceResult {
 public:
  TraceResult(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  TraceResult(TraceError error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// Require ok().
  T& value() { return std::get<0>(state_); }
  const T& value() const { return std::get<0>(state_); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// Requires !ok().
  const TraceError& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, TraceError> state_;
};

/// Success carries nothing; a failure says why.
using TraceStatus = std::optional<TraceError>;

/// How a trace came about: keys and values in file order, one line each. Keys have neither '=' nor
/// newline, values no newline.
using TraceMetadata = std::vector<std::pair<std::string, std::string>>;

struct TraceHeader {
  std::uint32_t page_size = 4096;        // bytes; a power of two
  std::uint64_t page_count = 0;          // pages are numbered from 0 to page_count - 1
  std::chrono::nanoseconds interval{0};  // length of every interval; positive
};

/// What a reader refuses to go beyond, however well-formed the file. A file is at most about this
/// much memory: 8 bytes for each run and each interval.
struct TraceLimits {
  std::uint64_t intervals = std::uint64_t{1} << 24;
  std::uint64_t runs = std::uint64_t{1} << 27;
};

/// A whole trace in memory: the runs of all intervals one after another, and where each begins.
struct Trace {
  std::uint64_t page_count = 0;
  std::uint32_t page_size = 4096;
  std::chrono::nanoseconds interval{0};
  std::uint64_t marks = 0;  // pages written, summed over intervals
  TraceMetadata metadata;
  std::vector<std::uint64_t> begins{0};  // interval i is all_runs[begins[i] .. begins[i + 1])
  std::vector<Run> all_runs;

  std::size_t interval_count() const { return begins.size() - 1; }

  /// What was written in interval `index`, ascending. Requires index < interval_count().
  std::span<const Run> runs(std::size_t index) const {
    return std::span<const Run>(all_runs).subspan(begins[index], begins[index + 1] - begins[index]);
  }

  std::chrono::nanoseconds duration() const { return interval * static_cast<std::int64_t>(interval_count()); }

  /// Appends an interval. Requires `runs` ascending, apart, and below page_count.
  void append(std::span<const Run> runs);

  /// The value of `key` in the metadata, if it is there.
  std::optional<std::string> metadata_value(const std::string& key) const;

  friend bool operator==(const Trace&, const Trace&) = default;
};

/// Turns page numbers in any order, repeated or not, into the runs an interval takes.
/// Sorts `pages` in place.
std::vector<Run> runs_of(std::vector<std::uint32_t>& pages);

/// Reads a trace one interval at a time, in memory bounded by the largest block (16 MiB decompressed).
/// No input makes it crash: every length is checked before it is believed.
class TraceReader {
 public:
  /// Reads and checks the header.
  static TraceResult<TraceReader> open(const std::filesystem::path& path, TraceLimits limits = {});
  static TraceResult<TraceReader> open(std::unique_ptr<std::istream> input, TraceLimits limits = {});

  TraceReader(TraceReader&&) noexcept;
  TraceReader& operator=(TraceReader&&) noexcept;
  ~TraceReader();

  const TraceHeader& header() const;

  /// Replaces `runs` by those of the next interval. False after the last one: by then the totals and
  /// the digest of the whole file have been found right.
  TraceResult<bool> next(std::vector<Run>& runs);

  /// Requires next() to have returned false.
  const TraceMetadata& metadata() const;
  std::uint64_t marks() const;

 private:
  struct State;
  explicit TraceReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

TraceResult<Trace> read_trace(const std::filesystem::path& path, TraceLimits limits = {});
TraceResult<Trace> read_trace(std::span<const std::byte> bytes, TraceLimits limits = {});

/// Writes a trace as it comes. The file appears under its name only at finish(): until then it grows
/// beside it under a temporary name, which the destructor removes.
class TraceWriter {
 public:
  /// Fails where the file cannot be written, or `path` is a directory.
  static TraceResult<TraceWriter> create(const std::filesystem::path& path, const TraceHeader& header);

  TraceWriter(TraceWriter&&) noexcept;
  TraceWriter& operator=(TraceWriter&&) noexcept;
  ~TraceWriter();

  /// Appends an interval. Runs must ascend and be apart; refuses others.
  /// Pages beyond the page count of the header raise it: a recorder learns it as it goes.
  TraceStatus add(std::span<const Run> runs);

  /// Writes the end, syncs, and gives the file its name. Nothing may be added afterwards.
  TraceStatus finish(const TraceMetadata& metadata);

  std::uint64_t intervals() const;
  std::uint64_t marks() const;

 private:
  struct State;
  explicit TraceWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

TraceStatus write_trace(const std::filesystem::path& path, const Trace& trace);

}  // namespace godwit::workloads
