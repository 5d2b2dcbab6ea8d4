#include "workloads/trace.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <istream>
#include <limits>
#include <sstream>

namespace godwit::workloads {
namespace {

constexpr std::array<unsigned char, 8> kMagic = {0x89, 'G', 'W', 'T', '\r', '\n', 0x1a, '\n'};
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 48;
constexpr std::size_t kRecordHeaderBytes = 16;
constexpr std::uint32_t kBlock = 0x4b434c42;  // "BLCK"
constexpr std::uint32_t kEnd = 0x21444e45;    // "END!"
constexpr std::size_t kBlockRawMax = std::size_t{16} << 20;
constexpr std::size_t kBlockRawTarget = std::size_t{1} << 18;  // a writer closes a block beyond this
constexpr std::size_t kEndMax = std::size_t{1} << 20;
constexpr std::size_t kEndFixedBytes = 24;  // intervals, marks, digest
constexpr std::uint64_t kPageCountMax = 0xffffffff;
constexpr int kZstdLevel = 6;  // a recorder must not stall; 19 saves a tenth

using Buffer = std::vector<unsigned char>;

// --- integers -------------------------------------------------------------------------------

template <class T>
void put(Buffer& into, T value) {
  for (std::size_t byte = 0; byte < sizeof(T); ++byte) into.push_back(static_cast<unsigned char>(value >> (8 * byte)));
}

template <class T>
T get(const unsigned char* from) {
  T value = 0;
  for (std::size_t byte = 0; byte < sizeof(T); ++byte)
    value = static_cast<T>(value | static_cast<T>(from[byte]) << (8 * byte));
  return value;
}

/// LEB128: seven bits a byte, low ones first, the top bit set on all bytes but the last.
void put_varint(Buffer& into, std::uint32_t value) {
  while (value >= 0x80) {
    into.push_back(static_cast<unsigned char>(value | 0x80));
    value >>= 7;
  }
  into.push_back(static_cast<unsigned char>(value));
}

/// Takes a varint off the front of `from`. Fails at the end of `from`, and on more than 32 bits.
std::optional<std::uint32_t> take_varint(std::span<const unsigned char>& from) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 35 && !from.empty(); shift += 7) {
    const unsigned char byte = from.front();
    from = from.subspan(1);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte >= 0x80) continue;
    if (value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    return static_cast<std::uint32_t>(value);
  }
  return std::nullopt;
}

// --- header ---------------------------------------------------------------------------------

Buffer encode(const TraceHeader& header) {
  Buffer bytes(kMagic.begin(), kMagic.end());
  put(bytes, kVersion);
  put(bytes, header.page_size);
  put(bytes, header.page_count);
  put(bytes, static_cast<std::uint64_t>(header.interval.count()));
  put(bytes, std::uint64_t{0});  // reserved
  put(bytes, std::uint64_t{XXH3_64bits(bytes.data(), bytes.size())});
  return bytes;
}

TraceStatus check(const TraceHeader& header) {
  if (!std::has_single_bit(header.page_size))
    return TraceError{"page size " + std::to_string(header.page_size) + " is not a power of two", 12};
  if (header.page_count > kPageCountMax)
    return TraceError{"page count " + std::to_string(header.page_count) + " exceeds 2^32 - 1", 16};
  if (header.interval.count() <= 0) return TraceError{"the interval is not positive", 24};
  return std::nullopt;
}

TraceResult<TraceHeader> decode_header(std::span<const unsigned char, kHeaderBytes> bytes) {
  if (!std::equal(kMagic.begin(), kMagic.end(), bytes.begin())) return TraceError{"not a Godwit trace", 0};
  if (const auto version = get<std::uint32_t>(&bytes[8]); version != kVersion)
    return TraceError{"trace version " + std::to_string(version) + "; this program reads version 1", 8};
  if (get<std::uint64_t>(&bytes[40]) != XXH3_64bits(bytes.data(), 40))
    return TraceError{"the header is damaged (digest mismatch)", 40};
  if (get<std::uint64_t>(&bytes[32]) != 0) return TraceError{"the reserved field is not zero", 32};
  const TraceHeader header{
      .page_size = get<std::uint32_t>(&bytes[12]),
      .page_count = get<std::uint64_t>(&bytes[16]),
      .interval = std::chrono::nanoseconds(static_cast<std::int64_t>(get<std::uint64_t>(&bytes[24])))};
  if (TraceStatus problem = check(header)) return *problem;
  return header;
}

// --- intervals ------------------------------------------------------------------------------

/// What is wrong with `runs`, if anything. Sums their pages into `pages`, and the end of the last into `end`.
TraceStatus check(std::span<const Run> runs, std::uint64_t& pages, std::uint64_t& end) {
  pages = end = 0;
  bool first = true;
  for (const Run run : runs) {
    if (run.count == 0) return TraceError{"an empty run", 0};
    if (!first && run.first <= end) return TraceError{"runs that overlap, touch or descend", 0};
    first = false;
    end = std::uint64_t{run.first} + run.count;
    if (end > kPageCountMax) return TraceError{"a page number beyond 2^32 - 2", 0};
    pages += run.count;
  }
  return std::nullopt;
}

/// A run is its distance to the one before, less the one page that must lie between, and its length less one.
void encode(std::span<const Run> runs, Buffer& into) {
  put_varint(into, static_cast<std::uint32_t>(runs.size()));
  std::uint32_t next = 0;
  for (const Run run : runs) {
    put_varint(into, run.first - next);
    put_varint(into, run.count - 1);
    next = run.first + run.count + 1;
  }
}

bool decode(std::span<const unsigned char>& from, std::uint64_t page_count, std::vector<Run>& runs) {
  runs.clear();
  const auto count = take_varint(from);
  if (!count || *count > from.size() / 2) return false;  // each run takes two bytes at least
  runs.reserve(*count);
  std::uint64_t next = 0;
  for (std::uint32_t i = 0; i < *count; ++i) {
    const auto gap = take_varint(from);
    const auto more = take_varint(from);
    if (!gap || !more) return false;
    const std::uint64_t first = next + *gap;
    const std::uint64_t end = first + *more + 1;
    if (end > page_count) return false;
    runs.push_back({static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(end - first)});
    next = end + 1;
  }
  return true;
}

// --- metadata -------------------------------------------------------------------------------

TraceStatus encode(const TraceMetadata& metadata, Buffer& into) {
  for (const auto& [key, value] : metadata) {
    if (key.empty() || key.find_first_of("=\n") != std::string::npos || value.find('\n') != std::string::npos)
      return TraceError{"metadata '" + key + "' has a newline, or a '=' in its key", 0};
    for (const std::string_view part :
         {std::string_view(key), std::string_view("="), std::string_view(value), std::string_view("\n")})
      into.insert(into.end(), part.begin(), part.end());
  }
  return std::nullopt;
}

std::optional<TraceMetadata> decode_metadata(std::string_view text) {
  TraceMetadata metadata;
  while (!text.empty()) {
    const std::size_t line_end = text.find('\n');
    if (line_end == std::string_view::npos) return std::nullopt;
    const std::string_view line = text.substr(0, line_end);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) return std::nullopt;
    metadata.emplace_back(line.substr(0, equals), line.substr(equals + 1));
    text.remove_prefix(line_end + 1);
  }
  return metadata;
}

/// The digest of a file: everything between header and digest, then the header. The header comes last
/// because a writer knows the page count last.
class Digest {
 public:
  Digest() { XXH3_64bits_reset(state_.get()); }
  void add(std::span<const unsigned char> bytes) { XXH3_64bits_update(state_.get(), bytes.data(), bytes.size()); }
  std::uint64_t value() const { return XXH3_64bits_digest(state_.get()); }

 private:
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> state_{XXH3_createState()};
};

TraceError io_error(const std::string& doing, const std::filesystem::path& path) {
  return {doing + " " + path.string() + ": " + std::strerror(errno), 0};
}

}  // namespace

// --- Trace ----------------------------------------------------------------------------------

void Trace::append(std::span<const Run> runs) {
  for (const Run run : runs) marks += run.count;
  all_runs.insert(all_runs.end(), runs.begin(), runs.end());
  begins.push_back(all_runs.size());
}

std::optional<std::string> Trace::metadata_value(const std::string& key) const {
  for (const auto& [name, value] : metadata)
    if (name == key) return value;
  return std::nullopt;
}

std::vector<Run> runs_of(std::vector<std::uint32_t>& pages) {
  std::sort(pages.begin(), pages.end());
  std::vector<Run> runs;
  for (const std::uint32_t page : pages) {
    const bool extends = !runs.empty() && page - runs.back().first <= runs.back().count;
    if (!extends)
      runs.push_back({page, 1});
    else if (page - runs.back().first == runs.back().count)
      ++runs.back().count;
  }
  return runs;
}

// --- reading --------------------------------------------------------------------------------

struct TraceReader::State {
  std::unique_ptr<std::istream> input;
  TraceLimits limits;
  TraceHeader header;
  Buffer header_bytes;
  Digest digest;
  std::uint64_t offset = 0;  // of the next byte to read
  Buffer stored;
  Buffer raw;
  std::span<const unsigned char> rest;  // of `raw`, not yet decoded
  std::uint64_t block_offset = 0;
  std::uint32_t block_intervals = 0;  // not yet decoded
  std::uint64_t intervals = 0;
  std::uint64_t runs = 0;
  std::uint64_t marks = 0;
  TraceMetadata metadata;
  bool ended = false;
  std::optional<TraceError> failure;

  /// Reads exactly `size` bytes. Grows `into` as bytes arrive, so a length that lies costs nothing.
  bool read(std::size_t size, Buffer& into) {
    constexpr std::size_t kStep = std::size_t{1} << 16;
    into.clear();
    while (into.size() < size) {
      const std::size_t had = into.size();
      const std::size_t step = std::min(kStep, size - had);
      into.resize(had + step);
      input->read(reinterpret_cast<char*>(into.data() + had), static_cast<std::streamsize>(step));
      const auto got = static_cast<std::size_t>(input->gcount());
      offset += got;
      into.resize(had + got);
      if (got < step) return false;
    }
    return true;
  }

  TraceError truncated() const { return {"the trace is truncated", offset}; }

  TraceResult<bool> next(std::vector<Run>& into) {
    into.clear();
    while (!ended && block_intervals == 0)
      if (TraceStatus problem = read_record()) return *problem;
    if (ended) return false;
    return take_interval(into);
  }

  TraceResult<bool> take_interval(std::vector<Run>& into) {
    if (!decode(rest, header.page_count, into)) return TraceError{"a damaged interval", block_offset};
    --block_intervals;
    if (block_intervals == 0 && !rest.empty())
      return TraceError{"bytes after the last interval of a block", block_offset};
    ++intervals;
    runs += into.size();
    for (const Run run : into) marks += run.count;
    if (intervals > limits.intervals)
      return TraceError{"more than " + std::to_string(limits.intervals) + " intervals", block_offset};
    if (runs > limits.runs) return TraceError{"more than " + std::to_string(limits.runs) + " runs", block_offset};
    return true;
  }

  TraceStatus read_record() {
    block_offset = offset;
    if (!read(kRecordHeaderBytes, stored)) return truncated();
    digest.add(stored);
    const auto kind = get<std::uint32_t>(&stored[0]);
    const auto stored_bytes = get<std::uint32_t>(&stored[4]);
    const auto raw_bytes = get<std::uint32_t>(&stored[8]);
    const auto count = get<std::uint32_t>(&stored[12]);
    if (kind == kBlock) return read_block(stored_bytes, raw_bytes, count);
    if (kind == kEnd) return read_end(stored_bytes, raw_bytes, count);
    return TraceError{"neither a block nor the end", block_offset};
  }

  TraceStatus read_block(std::uint32_t stored_bytes, std::uint32_t raw_bytes, std::uint32_t count) {
    if (raw_bytes > kBlockRawMax || stored_bytes > ZSTD_COMPRESSBOUND(kBlockRawMax))
      return TraceError{"a block larger than the format allows", block_offset};
    if (count == 0 || count > raw_bytes) return TraceError{"an impossible count of intervals", block_offset};
    if (!read(stored_bytes, stored)) return truncated();
    digest.add(stored);
    if (ZSTD_getFrameContentSize(stored.data(), stored.size()) != raw_bytes)
      return TraceError{"a block whose compressed size disagrees with its header", block_offset};
    if (ZSTD_findFrameCompressedSize(stored.data(), stored.size()) != stored.size())
      return TraceError{"a block that is not one zstd frame", block_offset};
    raw.resize(raw_bytes);
    const std::size_t got = ZSTD_decompress(raw.data(), raw.size(), stored.data(), stored.size());
    if (ZSTD_isError(got) != 0)
      return TraceError{std::string("a damaged block: ") + ZSTD_getErrorName(got), block_offset};
    if (got != raw_bytes) return TraceError{"a block shorter than its header says", block_offset};
    rest = raw;
    block_intervals = count;
    return std::nullopt;
  }

  TraceStatus read_end(std::uint32_t stored_bytes, std::uint32_t raw_bytes, std::uint32_t count) {
    if (stored_bytes < kEndFixedBytes || stored_bytes > kEndMax || raw_bytes != stored_bytes || count != 0)
      return TraceError{"a damaged end record", block_offset};
    if (!read(stored_bytes, stored)) return truncated();
    const std::span<const unsigned char> body(stored.data(), stored_bytes - 8u);
    digest.add(body);
    digest.add(header_bytes);
    if (get<std::uint64_t>(&stored[stored_bytes - 8u]) != digest.value())
      return TraceError{"the trace is damaged (digest mismatch)", offset - 8};
    if (get<std::uint64_t>(&stored[0]) != intervals || get<std::uint64_t>(&stored[8]) != marks)
      return TraceError{"the totals disagree with the intervals", block_offset};
    const std::string_view text(reinterpret_cast<const char*>(stored.data()) + 16, stored_bytes - kEndFixedBytes);
    auto parsed = decode_metadata(text);
    if (!parsed) return TraceError{"damaged metadata", block_offset};
    if (input->peek() != std::char_traits<char>::eof()) return TraceError{"bytes after the end", offset};
    metadata = std::move(*parsed);
    ended = true;
    return std::nullopt;
  }
};

TraceReader::TraceReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
TraceReader::TraceReader(TraceReader&&) noexcept = default;
TraceReader& TraceReader::operator=(TraceReader&&) noexcept = default;
TraceReader::~TraceReader() = default;

TraceResult<TraceReader> TraceReader::open(const std::filesystem::path& path, TraceLimits limits) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return TraceError{path.string() + " is a directory", 0};
  auto file = std::make_unique<std::ifstream>(path, std::ios::binary);
  if (!*file) return io_error("cannot open", path);
  return open(std::move(file), limits);
}

TraceResult<TraceReader> TraceReader::open(std::unique_ptr<std::istream> input, TraceLimits limits) {
  auto state = std::make_unique<State>();
  state->input = std::move(input);
  state->limits = limits;
  if (!state->read(kHeaderBytes, state->header_bytes)) {
    const std::size_t had = std::min(state->header_bytes.size(), kMagic.size());
    const bool ours =
        std::equal(kMagic.begin(), kMagic.begin() + static_cast<std::ptrdiff_t>(had), state->header_bytes.begin());
    if (ours && had > 0) return state->truncated();
    return TraceError{"not a Godwit trace", 0};
  }
  auto header = decode_header(std::span<const unsigned char, kHeaderBytes>(state->header_bytes.data(), kHeaderBytes));
  if (!header) return header.error();
  state->header = header.value();
  return TraceReader(std::move(state));
}

const TraceHeader& TraceReader::header() const { return state_->header; }
const TraceMetadata& TraceReader::metadata() const { return state_->metadata; }
std::uint64_t TraceReader::marks() const { return state_->marks; }

TraceResult<bool> TraceReader::next(std::vector<Run>& runs) {
  if (state_->failure) return *state_->failure;
  auto more = state_->next(runs);
  if (!more) state_->failure = more.error();
  return more;
}

namespace {

TraceResult<Trace> read_all(TraceResult<TraceReader> reader) {
  if (!reader) return reader.error();
  Trace trace{.page_count = reader->header().page_count,
              .page_size = reader->header().page_size,
              .interval = reader->header().interval,
              .marks = 0,
              .metadata = {},
              .begins = {0},
              .all_runs = {}};
  std::vector<Run> runs;
  while (true) {
    const auto more = reader->next(runs);
    if (!more) return more.error();
    if (!more.value()) break;
    trace.append(runs);
  }
  trace.metadata = reader->metadata();
  return trace;
}

}  // namespace

TraceResult<Trace> read_trace(const std::filesystem::path& path, TraceLimits limits) {
  return read_all(TraceReader::open(path, limits));
}

TraceResult<Trace> read_trace(std::span<const std::byte> bytes, TraceLimits limits) {
  std::string copy(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return read_all(TraceReader::open(std::make_unique<std::istringstream>(std::move(copy)), limits));
}

// --- writing --------------------------------------------------------------------------------

struct TraceWriter::State {
  std::filesystem::path path;
  std::filesystem::path temporary;
  int fd = -1;
  TraceHeader header;
  Digest digest;
  Buffer raw;
  std::uint32_t block_intervals = 0;
  std::uint64_t intervals = 0;
  std::uint64_t marks = 0;

  ~State() {
    if (fd >= 0) ::close(fd);
    if (!temporary.empty()) ::unlink(temporary.c_str());
  }

  TraceStatus write(std::span<const unsigned char> bytes) {
    while (!bytes.empty()) {
      const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return io_error("cannot write", path);
      bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
    return std::nullopt;
  }

  static Buffer record_head(std::uint32_t kind, std::size_t stored_bytes, std::uint32_t raw_bytes,
                            std::uint32_t count) {
    Buffer head;
    put(head, kind);
    put(head, static_cast<std::uint32_t>(stored_bytes));
    put(head, raw_bytes);
    put(head, count);
    return head;
  }

  TraceStatus write_record(std::uint32_t kind, std::uint32_t raw_bytes, std::uint32_t count, const Buffer& payload) {
    if (TraceStatus problem = write(record_head(kind, payload.size(), raw_bytes, count))) return problem;
    return write(payload);
  }

  TraceStatus close_block() {
    if (block_intervals == 0) return std::nullopt;
    struct Free {
      void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    };
    const std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kZstdLevel);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
    Buffer payload(ZSTD_compressBound(raw.size()));
    const std::size_t size = ZSTD_compress2(context.get(), payload.data(), payload.size(), raw.data(), raw.size());
    if (ZSTD_isError(size) != 0) return TraceError{std::string("cannot compress: ") + ZSTD_getErrorName(size), 0};
    payload.resize(size);
    TraceStatus problem = write_record(kBlock, static_cast<std::uint32_t>(raw.size()), block_intervals, payload);
    if (!problem)
      add_to_digest(kBlock, static_cast<std::uint32_t>(raw.size()), block_intervals, payload, payload.size());
    raw.clear();
    block_intervals = 0;
    return problem;
  }

  /// Digests a record as it was written, but only the first `size` bytes of its payload.
  void add_to_digest(std::uint32_t kind, std::uint32_t raw_bytes, std::uint32_t count, const Buffer& payload,
                     std::size_t size) {
    digest.add(record_head(kind, payload.size(), raw_bytes, count));
    digest.add(std::span(payload).first(size));
  }

  TraceStatus write_end(const TraceMetadata& metadata) {
    Buffer body;
    put(body, intervals);
    put(body, marks);
    if (TraceStatus problem = encode(metadata, body)) return problem;
    const std::size_t digested = body.size();
    body.resize(digested + 8);
    if (body.size() > kEndMax) return TraceError{"more than 1 MiB of metadata", 0};
    const auto size = static_cast<std::uint32_t>(body.size());
    add_to_digest(kEnd, size, 0, body, digested);
    digest.add(encode(header));
    body.resize(digested);
    put(body, digest.value());
    return write_record(kEnd, size, 0, body);
  }
};

TraceWriter::TraceWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
TraceWriter::TraceWriter(TraceWriter&&) noexcept = default;
TraceWriter& TraceWriter::operator=(TraceWriter&&) noexcept = default;
TraceWriter::~TraceWriter() = default;

TraceResult<TraceWriter> TraceWriter::create(const std::filesystem::path& path, const TraceHeader& header) {
  if (TraceStatus problem = check(header)) return *problem;
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return TraceError{path.string() + " is a directory", 0};
  auto state = std::make_unique<State>();
  state->path = path;
  state->header = header;
  std::string name = path.string() + ".XXXXXX";
  state->fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (state->fd < 0) return io_error("cannot write", path);
  state->temporary = name;
  if (TraceStatus problem = state->write(encode(header))) return *problem;
  return TraceWriter(std::move(state));
}

TraceStatus TraceWriter::add(std::span<const Run> runs) {
  std::uint64_t pages = 0;
  std::uint64_t end = 0;
  if (TraceStatus problem = check(runs, pages, end)) return problem;
  State& state = *state_;
  const std::size_t before = state.raw.size();
  encode(runs, state.raw);
  if (state.raw.size() - before > kBlockRawMax) {
    state.raw.resize(before);
    return TraceError{"an interval that takes more than 16 MiB", 0};
  }
  if (state.raw.size() > kBlockRawMax) {  // the interval alone fits, but not behind what waits
    const Buffer last(state.raw.begin() + static_cast<std::ptrdiff_t>(before), state.raw.end());
    state.raw.resize(before);
    if (TraceStatus problem = state.close_block()) return problem;
    state.raw = last;
  }
  ++state.block_intervals;
  ++state.intervals;
  state.marks += pages;
  state.header.page_count = std::max(state.header.page_count, end);
  return state.raw.size() > kBlockRawTarget ? state.close_block() : std::nullopt;
}

TraceStatus TraceWriter::finish(const TraceMetadata& metadata) {
  State& state = *state_;
  if (TraceStatus problem = state.close_block()) return problem;
  if (TraceStatus problem = state.write_end(metadata)) return problem;
  const Buffer header = encode(state.header);
  if (::pwrite(state.fd, header.data(), header.size(), 0) != static_cast<ssize_t>(header.size()) ||
      ::fchmod(state.fd, 0644) != 0 || ::fsync(state.fd) != 0)
    return io_error("cannot write", state.path);
  if (::rename(state.temporary.c_str(), state.path.c_str()) != 0) return io_error("cannot write", state.path);
  state.temporary.clear();
  return std::nullopt;
}

std::uint64_t TraceWriter::intervals() const { return state_->intervals; }
std::uint64_t TraceWriter::marks() const { return state_->marks; }

TraceStatus write_trace(const std::filesystem::path& path, const Trace& trace) {
  auto writer = TraceWriter::create(
      path, {.page_size = trace.page_size, .page_count = trace.page_count, .interval = trace.interval});
  if (!writer) return writer.error();
  for (std::size_t i = 0; i < trace.interval_count(); ++i)
    if (TraceStatus problem = writer->add(trace.runs(i))) return problem;
  return writer->finish(trace.metadata);
}

}  // namespace godwit::workloads
