#include "core/wire.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>

namespace godwit::core {
namespace {

std::vector<std::byte> encoded(const Record& record) {
  std::vector<std::byte> out(encoded_size(record));
  EXPECT_EQ(encode(record, out), out.size());
  return out;
}

struct Sample {
  std::vector<PageRun> runs{PageRun::solid(0, 70), PageRun::of_word(3, 0xf0f0).as_zero(), PageRun::of_word(15, 1)};
  std::vector<std::byte> payload{std::byte{1}, std::byte{2}, std::byte{3}};
  Record record{.type = RecordType::kPages, .sequence = 7, .value = 9, .runs = runs, .payload = payload};
};

TEST(Wire, ChecksumIsCrc32c) {
  // The check value of CRC-32C for "123456789", from the catalogue of parametrised CRC algorithms.
  const char* digits = "123456789";
  std::vector<std::byte> bytes(9);
  std::memcpy(bytes.data(), digits, 9);
  EXPECT_EQ(crc32c(0, bytes), 0xe3069283u);
}

RC_GTEST_PROP(Wire, ChecksumsOfPartsJoinToTheChecksumOfTheWhole,
              (std::vector<std::uint8_t> first, std::vector<std::uint8_t> second)) {
  const auto bytes = [](const std::vector<std::uint8_t>& v) { return std::as_bytes(std::span(v)); };
  std::vector<std::uint8_t> whole = first;
  whole.insert(whole.end(), second.begin(), second.end());
  RC_ASSERT(crc32c_joined(crc32c(0, bytes(first)), crc32c(0, bytes(second)), second.size()) == crc32c(0, bytes(whole)));
}

TEST(Wire, AHeadAndATailAroundThePayloadAreTheWholeRecord) {
  const Sample sample;
  const std::vector<std::byte> whole = encoded(sample.record);
  std::vector<std::byte> head(head_size(sample.runs.size()));
  EXPECT_EQ(encode_head(sample.record, sample.payload.size(), head), head.size());
  EXPECT_TRUE(std::equal(head.begin(), head.end(), whole.begin()));

  std::vector<PageRun> runs(16);
  const DecodedHead decoded = decode_head(whole, {1000}, runs);
  ASSERT_EQ(decoded.error, DecodeError::kNone);
  EXPECT_EQ(decoded.length, head.size());
  EXPECT_EQ(decoded.payload_bytes, sample.payload.size());
  EXPECT_EQ(decoded.record.sequence, 7u);
  EXPECT_EQ(decoded.record.runs.size(), sample.runs.size());

  const std::uint32_t crc = crc32c_joined(crc32c(0, head), crc32c(0, sample.payload), sample.payload.size());
  EXPECT_EQ(decode_tail(std::span(whole).last(kTailBytes)), crc);
  EXPECT_EQ(decode(whole, {1000}, runs).record.payload_crc, crc32c(0, sample.payload));
}

TEST(Wire, ReadsWhatItWrote) {
  const Sample sample;
  const std::vector<std::byte> bytes = encoded(sample.record);
  std::vector<PageRun> runs(16);
  const Decoded decoded = decode(bytes, {1000}, runs);
  ASSERT_EQ(decoded.error, DecodeError::kNone);
  EXPECT_EQ(decoded.length, bytes.size());
  EXPECT_EQ(decoded.record.sequence, 7u);
  EXPECT_EQ(decoded.record.value, 9u);
  EXPECT_TRUE(
      std::equal(decoded.record.runs.begin(), decoded.record.runs.end(), sample.runs.begin(), sample.runs.end()));
  EXPECT_TRUE(std::equal(decoded.record.payload.begin(), decoded.record.payload.end(), sample.payload.begin(),
                         sample.payload.end()));
}

TEST(Wire, RefusesARecordCutShortAnywhere) {
  const Sample sample;
  const std::vector<std::byte> bytes = encoded(sample.record);
  std::vector<PageRun> runs(16);
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_EQ(decode(std::span(bytes).first(n), {1000}, runs).error, DecodeError::kTruncated) << n;
  }
}

TEST(Wire, NoticesEverySingleFlippedBit) {
  const Sample sample;
  std::vector<std::byte> bytes = encoded(sample.record);
  std::vector<PageRun> runs(16);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_NE(decode(bytes, {1000}, runs).error, DecodeError::kNone) << bit;
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
}

TEST(Wire, RefusesAPageOutsideTheMemory) {
  const Sample sample;  // its highest page is 15 * 64
  std::vector<PageRun> runs(16);
  EXPECT_EQ(decode(encoded(sample.record), {961}, runs).error, DecodeError::kNone);
  EXPECT_EQ(decode(encoded(sample.record), {960}, runs).error, DecodeError::kRun);
}

/// The sample's bytes with `value` at `offset`, and the checksum of what precedes the last four bytes made right.
template <class T>
std::vector<std::byte> forged(std::size_t offset, T value) {
  std::vector<std::byte> bytes = encoded(Sample().record);
  std::memcpy(&bytes[offset], &value, sizeof value);
  const std::size_t body = bytes.size() - sizeof(std::uint32_t);
  const std::uint32_t crc = crc32c(0, std::span(bytes).first(body));
  std::memcpy(&bytes[body], &crc, sizeof crc);
  return bytes;
}

template <class T>
DecodeError error_with(std::size_t offset, T value, Pages memory = {1000}) {
  std::vector<PageRun> runs(16);
  return decode(forged(offset, value), memory, runs).error;
}

TEST(Wire, RefusesAForgedHeader) {
  EXPECT_EQ(error_with(0, std::uint32_t{0x54574448}), DecodeError::kMagic);
  EXPECT_EQ(error_with(4, std::uint16_t{0}), DecodeError::kVersion);
  EXPECT_EQ(error_with(4, std::uint16_t{2}), DecodeError::kVersion);
  EXPECT_EQ(error_with(6, std::uint8_t{0}), DecodeError::kType);
  EXPECT_EQ(error_with(6, std::uint8_t{13}), DecodeError::kType);
  EXPECT_EQ(error_with(6, std::uint8_t{255}), DecodeError::kType);
  EXPECT_EQ(error_with(7, std::uint8_t{1}), DecodeError::kReserved);
  EXPECT_EQ(error_with(28, std::uint32_t{1}), DecodeError::kReserved);
}

TEST(Wire, RefusesLengthsBeforeItBelievesThem) {
  EXPECT_EQ(error_with(24, std::uint32_t{UINT32_MAX}), DecodeError::kTooLarge);
  EXPECT_EQ(error_with(24, std::uint32_t{17}), DecodeError::kTooLarge);  // more than there is room for
  EXPECT_EQ(error_with(24, std::uint32_t{16}), DecodeError::kTruncated);
  EXPECT_EQ(error_with(32, std::uint64_t{UINT64_MAX}), DecodeError::kTooLarge);
  EXPECT_EQ(error_with(32, kPayloadMax + 1), DecodeError::kTooLarge);
  EXPECT_EQ(error_with(32, kPayloadMax), DecodeError::kTruncated);
  EXPECT_EQ(error_with(32, std::uint64_t{2}), DecodeError::kChecksum);  // a byte less, so it looks for it elsewhere
}

TEST(Wire, RefusesRunsThatMakeNoSense) {
  constexpr std::size_t kSolid = kHeaderBytes, kMask = kHeaderBytes + kRunBytes;  // pages 0 to 69; of word 3
  EXPECT_EQ(error_with(kSolid, std::uint8_t{4}), DecodeError::kRun);              // a kind that is none
  EXPECT_EQ(error_with(kSolid + 1, std::uint64_t{930}), DecodeError::kNone);
  EXPECT_EQ(error_with(kSolid + 1, std::uint64_t{931}), DecodeError::kRun);
  EXPECT_EQ(error_with(kSolid + 1, std::uint64_t{UINT64_MAX}), DecodeError::kRun);
  EXPECT_EQ(error_with(kSolid + 9, std::uint64_t{0}), DecodeError::kRun);
  EXPECT_EQ(error_with(kSolid + 9, std::uint64_t{1000}), DecodeError::kNone);
  EXPECT_EQ(error_with(kSolid + 9, std::uint64_t{UINT64_MAX}), DecodeError::kRun);
  EXPECT_EQ(error_with(kMask + 1, std::uint64_t{UINT64_MAX}), DecodeError::kRun);
  EXPECT_EQ(error_with(kMask + 1, std::uint64_t{1} << 58), DecodeError::kRun);     // page 0, were it cut to 64 bits
  EXPECT_EQ(error_with(kMask + 1, std::uint64_t{15}, {976}), DecodeError::kNone);  // bit 15 is page 975
  EXPECT_EQ(error_with(kMask + 1, std::uint64_t{15}, {975}), DecodeError::kRun);
  EXPECT_EQ(error_with(kMask + 9, std::uint64_t{0}), DecodeError::kRun);
}

TEST(Wire, RefusesPagesThatARunHasNoRoomFor) {
  constexpr std::size_t kSolid = kHeaderBytes;
  constexpr Pages kAll{UINT64_MAX};
  EXPECT_EQ(error_with(kSolid + 1, (std::uint64_t{1} << 62) - 70, kAll), DecodeError::kNone);
  EXPECT_EQ(error_with(kSolid + 1, (std::uint64_t{1} << 62) - 69, kAll), DecodeError::kRun);
  EXPECT_EQ(error_with(kSolid + 1, std::uint64_t{1} << 62, kAll), DecodeError::kRun);
  EXPECT_EQ(error_with(kSolid + 1, std::uint64_t{1} << 63, kAll), DecodeError::kRun);
}

RC_GTEST_PROP(Wire, SurvivesAnyBytes, (std::vector<std::uint8_t> garbage)) {
  std::vector<std::byte> bytes(garbage.size());
  if (!garbage.empty()) std::memcpy(bytes.data(), garbage.data(), garbage.size());
  std::vector<PageRun> runs(16);
  RC_ASSERT(decode(bytes, {1000}, runs).error != DecodeError::kNone);
}

TEST(StreamHash, DependsOnEveryRunAndTheirOrder) {
  const std::vector<PageRun> ab{PageRun::solid(0, 1), PageRun::solid(5, 1)};
  const std::vector<PageRun> ba{PageRun::solid(5, 1), PageRun::solid(0, 1)};
  StreamHash one, other;
  one.add({.runs = ab}, 0);
  other.add({.runs = ba}, 0);
  EXPECT_NE(one.value(), other.value());
}

TEST(StreamHash, DependsOnTheContents) {
  StreamHash one, other;
  one.add({}, 1);
  other.add({}, 2);
  EXPECT_NE(one.value(), other.value());
}

}  // namespace
}  // namespace godwit::core
