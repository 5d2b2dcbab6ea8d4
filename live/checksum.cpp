#include "live/checksum.h"

#include <array>
#include <cstring>

#include "core/wire.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace godwit::live {

#if defined(__x86_64__)

namespace {

/// What `bytes` of zeroes make of a checksum, by table: one look-up for each of its bytes.
class Shift {
 public:
  explicit Shift(std::uint64_t bytes) {
    for (std::uint32_t i = 0; i < 4; ++i) {
      for (std::uint32_t byte = 0; byte < 256; ++byte) {
        tables_[i][byte] = core::crc32c_joined(byte << (8 * i), 0, bytes);
      }
    }
  }
  std::uint32_t operator()(std::uint32_t crc) const {
    return tables_[0][crc & 0xff] ^ tables_[1][crc >> 8 & 0xff] ^ tables_[2][crc >> 16 & 0xff] ^ tables_[3][crc >> 24];
  }

 private:
  std::array<std::array<std::uint32_t, 256>, 4> tables_{};
};

// What is read may be written by the guest's threads at the same time, as in any migration: a page that is torn so is in the
// log, and goes again. ThreadSanitizer is to say nothing of that.
__attribute__((no_sanitize("thread"))) std::uint64_t load(const std::byte* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

void store(std::byte* at, std::uint64_t word) { std::memcpy(at, &word, sizeof word); }

/// What is worked on: bytes that are read, and where they are copied to as well, if anywhere.
struct Work {
  const std::byte* from;
  std::byte* to;
  std::size_t left;
};

/// The instruction takes three cycles but one can begin in each: three stretches of the input are worked on at once.
template <std::size_t kLane, bool kCopy>
__attribute__((no_sanitize("thread"), target("sse4.2"))) std::uint64_t by_lanes(std::uint64_t crc, Work& work) {
  static const Shift shift(kLane);
  while (work.left >= 3 * kLane) {
    std::uint64_t b = 0, c = 0;
    for (std::size_t i = 0; i < kLane; i += 8) {
      const std::uint64_t x = load(work.from + i), y = load(work.from + kLane + i), z = load(work.from + 2 * kLane + i);
      crc = _mm_crc32_u64(crc, x);
      b = _mm_crc32_u64(b, y);
      c = _mm_crc32_u64(c, z);
      if constexpr (kCopy) {
        store(work.to + i, x);
        store(work.to + kLane + i, y);
        store(work.to + 2 * kLane + i, z);
      }
    }
    crc = shift(static_cast<std::uint32_t>(shift(static_cast<std::uint32_t>(crc)) ^ b)) ^ c;
    work.from += 3 * kLane;
    if constexpr (kCopy) work.to += 3 * kLane;
    work.left -= 3 * kLane;
  }
  return crc;
}

template <bool kCopy>
__attribute__((no_sanitize("thread"), target("sse4.2"))) std::uint32_t by_instruction(std::uint32_t before, Work work) {
  std::uint64_t crc = ~before;
  crc = by_lanes<8192, kCopy>(crc, work);
  crc = by_lanes<1360, kCopy>(crc, work);  // three of them are a page but for 16 bytes
  for (; work.left >= 8; work.from += 8, work.left -= 8) {
    const std::uint64_t word = load(work.from);
    crc = _mm_crc32_u64(crc, word);
    if constexpr (kCopy) store(work.to, word), work.to += 8;
  }
  for (; work.left > 0; ++work.from, --work.left) {
    crc = _mm_crc32_u8(static_cast<std::uint32_t>(crc), static_cast<unsigned char>(*work.from));
    if constexpr (kCopy) *work.to++ = *work.from;
  }
  return ~static_cast<std::uint32_t>(crc);
}

bool has_instruction() {
  static const bool has = __builtin_cpu_supports("sse4.2");
  return has;
}

}  // namespace

std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes) {
  return has_instruction() ? by_instruction<false>(crc, {bytes.data(), nullptr, bytes.size()})
                           : core::crc32c(crc, bytes);
}

std::uint32_t copy_crc32c(std::uint32_t crc, std::byte* to, const std::byte* from, std::size_t bytes) {
  if (has_instruction()) return by_instruction<true>(crc, {from, to, bytes});
  std::memcpy(to, from, bytes);
  return core::crc32c(crc, {to, bytes});
}

#else

std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes) { return core::crc32c(crc, bytes); }

std::uint32_t copy_crc32c(std::uint32_t crc, std::byte* to, const std::byte* from, std::size_t bytes) {
  std::memcpy(to, from, bytes);
  return core::crc32c(crc, {to, bytes});
}

#endif

}  // namespace godwit::live
