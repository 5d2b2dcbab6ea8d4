#pragma once

#include <zstd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace godwit::test {

/// Writes trace files byte by byte from docs/trace-format.md, right or wrong, and knows nothing of workloads/trace.h.
class TraceFile {
 public:
  static constexpr std::size_t kHeaderBytes = 48, kHeadBytes = 16;
  static constexpr std::uint32_t kBlock = 0x4b434c42, kEnd = 0x21444e45;

  struct Header {
    std::uint64_t magic = 0x0a1a0a0d54574789;  // 89 47 57 54 0d 0a 1a 0a
    std::uint32_t version = 1;
    std::uint32_t page_size = 4096;
    std::uint64_t page_count = 1000;
    std::uint64_t interval = 10'000'000;
    std::uint64_t reserved = 0;
  };

  TraceFile() = default;
  explicit TraceFile(std::span<const std::byte> file) : bytes_(file.begin(), file.end()) {}
  explicit TraceFile(const Header& header) {
    put(header.magic);
    put(header.version);
    put(header.page_size);
    put(header.page_count);
    put(header.interval);
    put(header.reserved);
    put(std::uint64_t{0});
  }

  /// The head of a record, whatever it says.
  TraceFile& head(std::uint32_t kind, std::uint64_t stored, std::uint64_t raw, std::uint64_t intervals) {
    put(kind);
    put(static_cast<std::uint32_t>(stored));
    put(static_cast<std::uint32_t>(raw));
    put(static_cast<std::uint32_t>(intervals));
    return *this;
  }
  TraceFile& append(std::span<const std::byte> more) {
    bytes_.insert(bytes_.end(), more.begin(), more.end());
    return *this;
  }
  TraceFile& block(std::span<const std::byte> raw, std::uint64_t intervals) {
    const std::vector<std::byte> stored = compressed(raw);
    return head(kBlock, stored.size(), raw.size(), intervals).append(stored);
  }
  TraceFile& end(std::uint64_t intervals, std::uint64_t marks, std::string_view metadata = {}) {
    head(kEnd, 24 + metadata.size(), 24 + metadata.size(), 0);
    put(intervals);
    put(marks);
    append(std::as_bytes(std::span(metadata)));
    put(std::uint64_t{0});
    return *this;
  }

  /// Makes the digests right, as far as there are any.
  TraceFile& mend() {
    if (bytes_.size() < kHeaderBytes) return *this;
    set(kHeaderBytes - 8, XXH3_64bits(bytes_.data(), kHeaderBytes - 8));
    for (std::size_t at = kHeaderBytes; bytes_.size() - at >= kHeadBytes;) {
      const auto kind = get(at), stored = get(at + 4);
      at += kHeadBytes;
      if (stored > bytes_.size() - at) break;
      at += stored;
      if (kind != kEnd || stored < 8) continue;
      set(at - 8, digest(at - 8));
      break;
    }
    return *this;
  }

  const std::vector<std::byte>& bytes() const { return bytes_; }

  static std::vector<std::byte> compressed(std::span<const std::byte> raw) {
    std::vector<std::byte> stored(ZSTD_compressBound(raw.size()));
    stored.resize(ZSTD_compress(stored.data(), stored.size(), raw.data(), raw.size(), 1));
    return stored;
  }

 private:
  template <class T>
  void put(T value) {
    append(std::as_bytes(std::span(&value, 1)));
  }
  std::uint32_t get(std::size_t at) const {
    std::uint32_t value = 0;
    std::memcpy(&value, &bytes_[at], sizeof value);
    return value;
  }
  void set(std::size_t at, std::uint64_t value) { std::memcpy(&bytes_[at], &value, sizeof value); }

  /// Over what is between the header and `end`, and then the header.
  std::uint64_t digest(std::size_t end) const {
    std::vector<std::byte> turned(bytes_.begin() + kHeaderBytes, bytes_.begin() + static_cast<std::ptrdiff_t>(end));
    turned.insert(turned.end(), bytes_.begin(), bytes_.begin() + kHeaderBytes);
    return XXH3_64bits(turned.data(), turned.size());
  }

  std::vector<std::byte> bytes_;
};

}  // namespace godwit::test
