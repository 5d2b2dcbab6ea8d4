#include "studies/record_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/names.h"

namespace godwit::studies {
namespace {

std::string value_text(const sim::SemanticRecord& record) {
  switch (record.kind) {
    case sim::RecordKind::kLogRead:
    case sim::RecordKind::kLogReadCleared:
    case sim::RecordKind::kShadowed: return fmt::format("set {:016x}", record.value);
    case sim::RecordKind::kLogCleared: return fmt::format("from page {}", record.value);
    case sim::RecordKind::kRoundSent:
    case sim::RecordKind::kRoundPending: return fmt::format("{} pages", record.value);
    case sim::RecordKind::kPhase: return std::string(sim::name_of(static_cast<core::Phase>(record.value)));
    case sim::RecordKind::kSourceEnded: return std::string(sim::name_of(static_cast<core::Outcome>(record.value)));
    case sim::RecordKind::kNobodyLeft: return std::string(sim::name_of(static_cast<sim::Status>(record.value)));
  }
  return fmt::format("{:016x}", record.value);
}

/// What stands before the first blank of `text`, which loses both.
std::string_view take_word(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return word;
}

bool is_instant(std::string_view word) {
  return !word.empty() && std::ranges::all_of(word, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

}  // namespace

std::string record_text(const sim::SemanticRecord& record, std::string_view guest) {
  const std::int64_t nanos = record.at.count();
  return fmt::format("{}.{:09} s {} {} {}", nanos / 1'000'000'000, nanos % 1'000'000'000, guest,
                     sim::name_of(record.kind), value_text(record));
}

std::optional<RecordWords> record_words(std::string_view text) {
  const std::string_view instant = take_word(text), unit = take_word(text);
  const std::string_view guest = take_word(text), kind = take_word(text);
  if (!is_instant(instant) || unit != "s" || guest.empty() || kind.empty() || text.empty()) return std::nullopt;
  return RecordWords{fmt::format("{} s", instant), std::string(guest), std::string(kind), std::string(text)};
}

}  // namespace godwit::studies
