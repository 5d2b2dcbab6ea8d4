#include "scenarios/checkpoint.h"

#include <gtest/gtest.h>

#include <cstring>

#include "core/wire.h"
#include "sim/restore.h"

// Files whose checksums are right and whose contents are not: what is refused is what they say.
namespace godwit::scenarios {
namespace {

constexpr const char* kScenario =
    R"({"hosts": [{"name": "a"}], "guests": [{"name": "g", "memory": "1 MiB"}],
        "migrations": [{"to": {"file": "g.ckpt"}, "strategy": "self-checkpoint"}]})";

std::string description(const std::string& scenario, const std::string& migration = "0") {
  return R"({"made_by": "a test", "migration": )" + migration + R"(, "snapshot_at_ns": 5, "folder": "", "scenario": )" +
         scenario + "}";
}

/// The file with that description, as docs/checkpoints.md has it.
std::vector<std::byte> file_of(const std::string& text, const std::vector<std::byte>& records = {}) {
  std::vector<std::byte> file(kCheckpointHeaderBytes);
  const std::uint64_t version = 1, manifest = text.size(), rest = records.size();
  std::memcpy(&file[0], "GODWITCK", 8);
  std::memcpy(&file[8], &version, 4);
  std::memcpy(&file[12], &manifest, 4);
  std::memcpy(&file[16], &rest, 8);
  const auto bytes = std::as_bytes(std::span(text));
  const std::uint32_t sum = core::crc32c(core::crc32c(0, std::span(file).first(24)), bytes);
  std::memcpy(&file[24], &sum, 4);
  file.insert(file.end(), bytes.begin(), bytes.end());
  file.insert(file.end(), records.begin(), records.end());
  return file;
}

/// What is wrong with the file; "" if nothing is.
std::string refusal(const std::vector<std::byte>& file) {
  const auto read = read_checkpoint(file);
  const auto* trouble = std::get_if<std::string>(&read);
  return trouble ? *trouble : "";
}

TEST(ForgedCheckpoint, IsSoundBefore) { EXPECT_EQ(refusal(file_of(description(kScenario))), ""); }

TEST(ForgedCheckpoint, WithADescriptionThatMakesNoSense) {
  const std::string why = "its description is not one that Godwit writes";
  const std::string deep(100'000, '['), sound = description(kScenario);
  EXPECT_EQ(refusal(file_of("")), why);
  EXPECT_EQ(refusal(file_of("[]")), why);
  EXPECT_EQ(refusal(file_of(deep)), why);
  EXPECT_EQ(refusal(file_of(description(deep + std::string(100'000, ']')))), why);
  EXPECT_EQ(refusal(file_of(sound.substr(0, sound.size() - 1))), why);
  EXPECT_EQ(refusal(file_of("{\"migration\": 0, " + sound.substr(1))), why);  // given twice
  EXPECT_EQ(refusal(file_of(description(kScenario, "-1"))), why);
  EXPECT_EQ(refusal(file_of(description(kScenario, "1"))), "its scenario has no such migration");
  EXPECT_EQ(refusal(file_of(description(kScenario, "18446744073709551615"))), "its scenario has no such migration");
  EXPECT_NE(refusal(file_of(description("{}"))).find("the field hosts is missing"), std::string::npos);
}

TEST(ForgedCheckpoint, WithLengthsThatMakeNoSense) {
  const auto with = [](std::size_t at, auto value) {
    std::vector<std::byte> file = file_of(description(kScenario));
    std::memcpy(&file[at], &value, sizeof value);
    return refusal(file);
  };
  EXPECT_EQ(with(12, std::uint32_t{UINT32_MAX}), "it is altered: its description is larger than any");
  EXPECT_EQ(with(16, std::uint64_t{UINT64_MAX}), "it is altered: its records are larger than any");
  EXPECT_NE(with(16, std::uint64_t{1}).find("it is cut short"), std::string::npos);
  EXPECT_EQ(with(12, std::uint32_t{1}), "it is altered: something follows its end");
}

// A run takes 17 bytes and names up to 16 TiB: a file of some megabytes could keep a reader busy for days.
TEST(ForgedCheckpoint, ThatHoldsTheMemoryTooOften) {
  sim::GuestOptions guest;
  guest.memory = {std::uint64_t{16} << 40};
  const Pages all{guest.memory.value / guest.page_size.value};
  const std::vector<PageRun> runs(5000, PageRun::solid(0, all.value));
  const core::Record hello{.type = core::RecordType::kHello, .value = all.value};
  const core::Record pages{.type = core::RecordType::kPages, .sequence = 1, .runs = runs};
  std::vector<std::byte> stream(core::encoded_size(hello) + core::encoded_size(pages));
  const std::size_t first = core::encode(hello, stream);
  core::encode(pages, std::span(stream).subspan(first));
  const sim::RestoreResult result = sim::restore({.guest = &guest}, stream);
  EXPECT_EQ(result.trouble, "its records hold the memory more often than those of any checkpoint");
  EXPECT_EQ(result.trouble_at, first);
}

}  // namespace
}  // namespace godwit::scenarios
