#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace godwit::live {

/// As core::crc32c, and equal to it, with the processor's instruction for it where there is one.
std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes);

/// Copies `bytes` from one place to another and puts them into the checksum on the way: memory is read once.
std::uint32_t copy_crc32c(std::uint32_t crc, std::byte* to, const std::byte* from, std::size_t bytes);

}  // namespace godwit::live
