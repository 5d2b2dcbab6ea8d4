#include "workloads/import.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"

namespace godwit::workloads {
namespace {

constexpr std::uint64_t kPagesMost = UINT32_MAX - std::uint64_t{1};
constexpr std::uint64_t kIntervalsMost = TraceLimits{}.intervals;

struct Write {
  std::uint64_t interval;
  std::uint64_t page;
  friend auto operator<=>(const Write&, const Write&) = default;
};

/// Of a line: a write, or nothing to be told of, or what is wrong.
using ParsedLine = std::variant<std::monostate, std::pair<Nanos, std::uint64_t>, std::string>;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

std::string_view take_word(std::string_view& text, char separator) {
  text = trimmed(text);
  const std::size_t end = text.find(separator);
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return trimmed(word);
}

std::optional<std::uint64_t> whole(std::string_view text, int base) {
  if (base == 16 && text.starts_with("0x")) text.remove_prefix(2);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

/// "12.345" with a unit of so many nanoseconds, digits beyond a nanosecond cut.
std::optional<Nanos> decimal_time(std::string_view text, std::uint64_t unit) {
  const std::size_t point = text.find('.');
  const auto ahead = whole(text.substr(0, point), 10);
  if (!ahead || *ahead > static_cast<std::uint64_t>(kNever.count()) / unit - 1) return std::nullopt;
  std::uint64_t nanos = *ahead * unit;
  if (point == std::string_view::npos) return Nanos{static_cast<std::int64_t>(nanos)};
  for (const char digit : text.substr(point + 1)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    unit /= 10;
    nanos += static_cast<std::uint64_t>(digit - '0') * unit;
  }
  return Nanos{static_cast<std::int64_t>(nanos)};
}

class CsvLines {
 public:
  explicit CsvLines(std::uint32_t page_size) : page_size_(page_size) {}

  ParsedLine parse(std::string_view line) {
    if (trimmed(line).empty()) return {};
    return unit_ == 0 ? head(line) : row(line);
  }
  bool numbers_pages() const { return pages_; }

 private:
  ParsedLine head(std::string_view line) {
    constexpr std::pair<std::string_view, std::uint64_t> kUnits[] = {
        {"time_s", 1'000'000'000}, {"time_ms", 1'000'000}, {"time_us", 1000}, {"time_ns", 1}};
    bool place = false;
    for (int column = 0; !line.empty(); ++column) {
      const std::string_view name = take_word(line, ',');
      for (const auto& [known, unit] : kUnits)
        if (name == known) unit_ = unit, time_column_ = column;
      if (name != "page" && name != "address") continue;
      place = true;
      pages_ = name == "page";
      place_column_ = column;
    }
    if (unit_ > 0 && place) return {};
    return "expected columns such as time_s,page: one of time_s, time_ms, time_us, time_ns, and page or address";
  }

  ParsedLine row(std::string_view line) const {
    std::optional<Nanos> time;
    std::optional<std::uint64_t> place;
    for (int column = 0; column <= std::max(time_column_, place_column_); ++column) {
      const std::string_view word = take_word(line, ',');
      if (column == time_column_) time = decimal_time(word, unit_);
      if (column == place_column_) place = whole(word, word.starts_with("0x") ? 16 : 10);
    }
    if (!time) return "expected a time, a decimal number";
    if (!place) return "expected a page or an address, a number such as 42 or 0x2a";
    return std::pair{*time, pages_ ? *place : *place / page_size_};
  }

  std::uint32_t page_size_;
  std::uint64_t unit_ = 0;  // ns in one of the time column; 0: the names have not been read
  int time_column_ = 0, place_column_ = 0;
  bool pages_ = false;
};

/// The first word that is a time ends with a colon, and the address is the last word; an event's name may lie between.
ParsedLine parse_perf(std::string_view line, std::uint32_t page_size) {
  line = trimmed(line);
  if (line.empty() || line.front() == '#') return {};
  std::optional<Nanos> time;
  std::string_view word;
  while (!line.empty()) {
    word = take_word(line, ' ');
    if (!time && word.ends_with(':') && word.find('.') != std::string_view::npos)
      time = decimal_time(word.substr(0, word.size() - 1), 1'000'000'000);
  }
  const auto address = whole(word, 16);
  if (!time || !address) return "expected a time and an address, as perf script -F time,addr prints them";
  if (*address == 0) return {};  // the sample has none
  return std::pair{*time, *address / page_size};
}

class LackeyLines {
 public:
  LackeyLines(std::uint32_t page_size, std::uint64_t per_second) : page_size_(page_size), per_second_(per_second) {}

  ParsedLine parse(std::string_view line) {
    if (line.size() < 4 || line.starts_with("==")) return {};
    const char kind = line[0] == 'I' ? 'I' : line[1];
    if (kind == 'I') ++instructions_;
    if (kind == 'I' || kind == 'L') return {};
    if (kind != 'S' && kind != 'M') return "expected a line of lackey, such as \" S 04222cac,4\"";
    std::string_view rest = line.substr(2);
    const auto address = whole(take_word(rest, ','), 16);
    if (!address) return "expected an address and a size, such as 04222cac,4";
    const std::uint64_t now = mul_div(instructions_, kNanosPerSecond, per_second_);
    return std::pair{saturating_nanos(now), *address / page_size_};
  }

 private:
  std::uint32_t page_size_;
  std::uint64_t per_second_;
  std::uint64_t instructions_ = 0;
};

/// Numbers the pages of `writes` from 0 on in ascending order. They ascend by interval, then by page.
void renumber(std::vector<Write>& writes) {
  std::map<std::uint64_t, std::uint64_t> numbers;
  for (const Write& write : writes) numbers.emplace(write.page, 0);
  std::uint64_t next = 0;
  for (auto& [page, number] : numbers) number = next++;
  for (Write& write : writes) write.page = numbers.at(write.page);
}

Trace trace_of(const std::vector<Write>& writes, const ImportOptions& options) {
  Trace trace;
  trace.interval = options.interval;
  trace.page_size = options.page_size;
  for (const Write& write : writes) trace.page_count = std::max(trace.page_count, write.page + 1);
  std::vector<std::uint32_t> pages;
  std::size_t at = 0;
  for (std::uint64_t interval = 0; interval <= writes.back().interval; ++interval) {
    pages.clear();
    for (; at < writes.size() && writes[at].interval == interval; ++at)
      pages.push_back(static_cast<std::uint32_t>(writes[at].page));
    trace.append(runs_of(pages));
  }
  return trace;
}

}  // namespace

std::variant<Imported, ImportError> import_writes(std::istream& input, const ImportOptions& options) {
  GODWIT_CHECK(options.interval > Nanos{0} && options.page_size > 0 && options.instructions_per_second > 0);
  CsvLines csv(options.page_size);
  LackeyLines lackey(options.page_size, options.instructions_per_second);
  const auto interval = static_cast<std::uint64_t>(options.interval.count());
  std::vector<std::pair<Nanos, std::uint64_t>> seen;
  std::string text;
  for (std::uint64_t line = 1; std::getline(input, text); ++line) {
    const ParsedLine parsed = options.format == ImportFormat::kCsv    ? csv.parse(text)
                              : options.format == ImportFormat::kPerf ? parse_perf(text, options.page_size)
                                                                      : lackey.parse(text);
    if (const auto* trouble = std::get_if<std::string>(&parsed)) return ImportError{*trouble, line};
    const auto* write = std::get_if<std::pair<Nanos, std::uint64_t>>(&parsed);
    if (!write) continue;
    if (csv.numbers_pages() && write->second > kPagesMost) return ImportError{"page numbers end at 4294967294", line};
    seen.push_back(*write);
  }
  if (seen.empty()) return ImportError{"there is no write in it", 0};

  const auto begins = static_cast<std::uint64_t>(std::ranges::min(seen).first.count());
  std::vector<Write> writes;
  writes.reserve(seen.size());
  for (const auto& [time, page] : seen)
    writes.push_back({(static_cast<std::uint64_t>(time.count()) - begins) / interval, page});
  std::ranges::sort(writes);
  if (writes.back().interval >= kIntervalsMost)
    return ImportError{"it lasts more than 16,777,216 intervals: a longer interval is needed", 0};
  writes.erase(std::unique(writes.begin(), writes.end()), writes.end());
  if (!csv.numbers_pages()) renumber(writes);
  return Imported{.trace = trace_of(writes, options), .writes = seen.size()};
}

}  // namespace godwit::workloads
