#pragma once

#include <cstring>
#include <span>

#include "core/wire.h"

namespace godwit::fuzz {

template <class T>
T get(std::span<const std::byte> from, std::size_t at) {
  T value;
  std::memcpy(&value, &from[at], sizeof value);
  return value;
}

template <class T>
void set(std::span<std::byte> into, std::size_t at, T value) {
  std::memcpy(&into[at], &value, sizeof value);
}

/// The bytes of the record at the front of `stream`, by its own lengths; 0 where it goes beyond the end.
inline std::size_t record_size(std::span<const std::byte> stream) {
  if (stream.size() < core::kHeaderBytes + core::kTailBytes) return 0;
  const std::size_t room = stream.size() - core::kHeaderBytes - core::kTailBytes;
  const std::uint64_t runs = get<std::uint32_t>(stream, 24), payload = get<std::uint64_t>(stream, 32);
  if (runs > room / core::kRunBytes || payload > room - runs * core::kRunBytes) return 0;
  return core::head_size(runs) + payload + core::kTailBytes;
}

/// Makes the checksum that closes `record` right.
inline void mend(std::span<std::byte> record) {
  const std::size_t body = record.size() - core::kTailBytes;
  core::encode_tail(core::crc32c(0, record.first(body)), record.subspan(body));
}

}  // namespace godwit::fuzz
