#include "scenarios/checkpoint.h"

#include <fmt/format.h>

#include <cstring>

#include "core/wire.h"
#include "scenarios/json_reader.h"

namespace godwit::scenarios {
namespace {

constexpr std::string_view kMagic = "GODWITCK";
constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kManifestMax = 16 << 20;
constexpr std::uint64_t kRecordsMax = std::uint64_t{8} << 30;

void put(std::vector<std::byte>& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::byte>(value >> (8 * i)));
}

void put(std::vector<std::byte>& out, std::string_view text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  out.insert(out.end(), begin, begin + text.size());
}

std::uint64_t get(std::span<const std::byte> in, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value |= std::to_integer<std::uint64_t>(in[at + i]) << (8 * i);
  return value;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The checksum of the header, which ends with it, and the manifest.
std::uint32_t checksum(std::span<const std::byte> file, std::size_t manifest) {
  const std::uint32_t header = core::crc32c(0, file.first(kCheckpointHeaderBytes - 4));
  return core::crc32c(header, file.subspan(kCheckpointHeaderBytes, manifest));
}

std::variant<Checkpoint, std::string> read_manifest(std::string_view text) {
  Issues unread("the checkpoint's description");
  const std::optional<Node> root = read_json(text, unread);
  const Json manifest = root && unread.empty() ? to_json(*root) : Json();
  const auto is = [&](const char* field, bool (Json::*of_kind)() const) {
    return manifest.is_object() && manifest.contains(field) && (manifest[field].*of_kind)();
  };
  if (!is("made_by", &Json::is_string) || !is("migration", &Json::is_number_unsigned) ||
      !is("snapshot_at_ns", &Json::is_number_unsigned) || !is("folder", &Json::is_string) ||
      !is("scenario", &Json::is_object)) {
    return "its description is not one that Godwit writes";
  }
  auto loaded = load_document(manifest["scenario"], "the checkpoint's scenario", manifest["folder"].get<std::string>());
  if (const auto* issues = std::get_if<std::vector<Issue>>(&loaded)) return to_string(*issues);
  Checkpoint checkpoint{.scenario = std::get<Loaded>(std::move(loaded))};
  const auto migration = manifest["migration"].get<std::uint64_t>();
  if (migration >= checkpoint.scenario.options.migrations.size()) return "its scenario has no such migration";
  checkpoint.migration = static_cast<std::uint32_t>(migration);
  checkpoint.made_by = manifest["made_by"].get<std::string>();
  checkpoint.snapshot_at = saturating_nanos(manifest["snapshot_at_ns"].get<std::uint64_t>());
  return checkpoint;
}

}  // namespace

std::vector<std::byte> write_checkpoint(const Loaded& scenario, std::uint32_t migration,
                                        const sim::MigrationResult& result) {
  const std::string manifest = Json{
      {"made_by", GODWIT_VERSION},
      {"migration", migration},
      {"snapshot_at_ns", result.snapshot_at.count()},
      {"folder", scenario.base_dir.string()},
      {"scenario",
       scenario.effective}}.dump();
  std::vector<std::byte> file;
  put(file, kMagic);
  put(file, kVersion, 4);
  put(file, manifest.size(), 4);
  put(file, result.checkpoint.size(), 8);
  put(file, 0, 4);
  put(file, manifest);
  const std::uint32_t sum = checksum(file, manifest.size());
  for (std::size_t i = 0; i < 4; ++i) file[kCheckpointHeaderBytes - 4 + i] = static_cast<std::byte>(sum >> (8 * i));
  file.insert(file.end(), result.checkpoint.begin(), result.checkpoint.end());
  return file;
}

std::uint64_t checkpoint_size(std::span<const std::byte> header) {
  GODWIT_CHECK(header.size() >= kCheckpointHeaderBytes);
  const std::uint64_t manifest = get(header, 12, 4), records = get(header, 16, 8);
  const bool sound =
      text_of(header.first(kMagic.size())) == kMagic && manifest <= kManifestMax && records <= kRecordsMax;
  return sound ? kCheckpointHeaderBytes + manifest + records : 0;
}

std::variant<Checkpoint, std::string> read_checkpoint(std::span<const std::byte> file) {
  if (file.size() < kMagic.size() || text_of(file.first(kMagic.size())) != kMagic)
    return "this is not a checkpoint of Godwit";
  if (file.size() < kCheckpointHeaderBytes)
    return fmt::format("it is cut short: {} bytes of a header of {}", file.size(), kCheckpointHeaderBytes);
  const std::uint64_t version = get(file, 8, 4);
  if (version != kVersion)
    return fmt::format("it is of version {} of the format, and this Godwit reads version {}", version, kVersion);
  const auto manifest = static_cast<std::size_t>(get(file, 12, 4));
  const std::uint64_t records = get(file, 16, 8);
  if (manifest > kManifestMax) return "it is altered: its description is larger than any";
  if (records > kRecordsMax) return "it is altered: its records are larger than any";
  const std::size_t present = file.size() - kCheckpointHeaderBytes;
  if (present < manifest || present - manifest < records)
    return fmt::format("it is cut short: {} bytes, and its header says more", file.size());
  if (present - manifest > records) return "it is altered: something follows its end";
  if (checksum(file, manifest) != get(file, kCheckpointHeaderBytes - 4, 4))
    return "it is altered: its header's checksum does not match";
  auto result = read_manifest(text_of(file.subspan(kCheckpointHeaderBytes, manifest)));
  if (auto* checkpoint = std::get_if<Checkpoint>(&result))
    checkpoint->records = file.subspan(kCheckpointHeaderBytes + manifest);
  return result;
}

}  // namespace godwit::scenarios
