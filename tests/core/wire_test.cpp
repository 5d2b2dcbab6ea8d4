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
