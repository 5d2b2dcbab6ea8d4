#include "scenarios/quantity.h"

#include <fmt/format.h>

#include <optional>
#include <span>
#include <utility>

#include "base/check.h"

namespace godwit::scenarios {
namespace {

/// A unit is `size` / `divisor` of what the dimension counts.
struct Unit {
  std::string_view name;
  std::uint64_t size;
  std::uint64_t divisor = 1;
  bool written = true;  // false: read but never written
};

constexpr Unit kBytesUnits[] = {{"B", 1},
                                {"kB", 1'000},
                                {"KiB", std::uint64_t{1} << 10},
                                {"MB", 1'000'000},
                                {"MiB", std::uint64_t{1} << 20},
                                {"GB", 1'000'000'000},
                                {"GiB", std::uint64_t{1} << 30},
                                {"TB", 1'000'000'000'000},
                                {"TiB", std::uint64_t{1} << 40}};
constexpr Unit kPagesUnits[] = {{"pages", 1}, {"page", 1, 1, false}};
constexpr Unit kRateUnits[] = {{"bit/s", 1},
                               {"kbit/s", 1'000},
                               {"Mbit/s", 1'000'000},
                               {"Gbit/s", 1'000'000'000},
                               {"Tbit/s", 1'000'000'000'000},
                               {"B/s", 8},
                               {"kB/s", 8'000},
                               {"KiB/s", std::uint64_t{8} << 10},
                               {"MB/s", 8'000'000},
                               {"MiB/s", std::uint64_t{8} << 20},
                               {"GB/s", 8'000'000'000},
                               {"GiB/s", std::uint64_t{8} << 30}};
constexpr Unit kTimeUnits[] = {{"ns", 1},
                               {"us", 1'000},
                               {"ms", 1'000'000},
                               {"s", kNanosPerSecond},
                               {"min", 60 * kNanosPerSecond},
                               {"h", 3'600 * kNanosPerSecond}};
constexpr Unit kWriteRateUnits[] = {{"pages/s", 1}, {"kpages/s", 1'000, 1, false}, {"Mpages/s", 1'000'000}};
constexpr Unit kShareUnits[] = {{"%", kWhole, 100}};

struct Words {
  std::string_view noun;
  std::string_view example;
  std::string_view counted;  // what a value must be a whole number of
  std::span<const Unit> units;
  std::uint64_t max = UINT64_MAX;
};

Words words_of(Dimension dimension) {
  switch (dimension) {
    case Dimension::kBytes: return {"an amount of memory", "4 GiB", "bytes", kBytesUnits};
    case Dimension::kPages: return {"a number of pages", "1024 pages", "pages", kPagesUnits};
    case Dimension::kRate: return {"a bandwidth", "10 Gbit/s", "bits per second", kRateUnits};
    case Dimension::kTime: return {"a time", "300 ms", "nanoseconds", kTimeUnits, INT64_MAX};
    case Dimension::kWriteRate: return {"a write rate", "20000 pages/s", "pages per second", kWriteRateUnits};
    case Dimension::kShare: return {"a share", "25 %", "parts", kShareUnits};
  }
  GODWIT_CHECK(false);
  return {};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// digits / 10^decimals.
struct Decimal {
  std::uint64_t digits = 0;
  unsigned decimals = 0;
};

std::uint64_t power_of_ten(unsigned exponent) {
  std::uint64_t power = 1;
  while (exponent-- > 0) power *= 10;
  return power;
}

/// Takes a decimal number from the front of `text`. Nothing where there is none, or one of more than 18 digits.
std::optional<Decimal> take_decimal(std::string_view& text) {
  Decimal number;
  std::size_t at = 0;
  unsigned significant = 0;
  bool point = false;
  for (; at < text.size() && (is_digit(text[at]) || (text[at] == '.' && !point)); ++at) {
    if (text[at] == '.') {
      point = true;
      continue;
    }
    number.digits = number.digits * 10 + static_cast<std::uint64_t>(text[at] - '0');
    if (number.digits > 0 && ++significant > 18) return std::nullopt;
    if (point && ++number.decimals > 18) return std::nullopt;
  }
  if (at == 0 || text.front() == '.' || text[at - 1] == '.') return std::nullopt;
  text.remove_prefix(at);
  return number;
}

/// number x size / divisor as a fraction in lowest need: numerator and denominator.
std::pair<u128, u128> scaled(Decimal number, const Unit& unit) {
  return {static_cast<u128>(number.digits) * unit.size,
          static_cast<u128>(power_of_ten(number.decimals)) * unit.divisor};
}

const Unit* find_unit(Dimension dimension, std::string_view name) {
  for (const Unit& unit : words_of(dimension).units)
    if (unit.name == name) return &unit;
  return nullptr;
}

std::string format_share(std::uint64_t value) {
  for (unsigned decimals = 0; decimals <= 12; ++decimals) {
    const u128 scale = static_cast<u128>(power_of_ten(decimals)) * 100;
    const u128 rounded = (static_cast<u128>(value) * scale + kWhole / 2) / kWhole;
    const std::uint64_t one = power_of_ten(decimals);
    const auto digits = static_cast<std::uint64_t>(rounded);
    std::string text =
        decimals == 0 ? fmt::format("{} %", digits) : fmt::format("{}.{:0{}} %", digits / one, digits % one, decimals);
    const auto again = parse_quantity(Dimension::kShare, text);
    if (const auto* same = std::get_if<std::uint64_t>(&again); same != nullptr && *same == value) return text;
  }
  GODWIT_CHECK(false);  // twelve decimals tell any two shares below 10^6 apart
  return {};
}

}  // namespace

std::variant<std::uint64_t, QuantityError> parse_quantity(Dimension dimension, std::string_view text) {
  const Words words = words_of(dimension);
  const std::optional<Decimal> number = take_decimal(text);
  if (!number) return QuantityError{"a number of at most 18 digits must come first"};
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  if (text.empty()) return QuantityError{fmt::format("the unit is missing: {}", unit_names(dimension))};
  const Unit* unit = find_unit(dimension, text);
  if (unit == nullptr)
    return QuantityError{fmt::format("\"{}\" is not one of the units {}", text, unit_names(dimension))};

  auto [numerator, denominator] = scaled(*number, *unit);
  if (dimension == Dimension::kShare) numerator += denominator / 2;
  if (dimension != Dimension::kShare && numerator % denominator != 0)
    return QuantityError{fmt::format("that is not a whole number of {}", words.counted)};
  const u128 value = numerator / denominator;
  if (value > words.max) return QuantityError{"that is too large"};
  return static_cast<std::uint64_t>(value);
}

std::string format_quantity(Dimension dimension, std::uint64_t value) {
  if (dimension == Dimension::kShare) return format_share(value);
  if (value == 0)
    return dimension == Dimension::kTime ? "0 s" : fmt::format("0 {}", words_of(dimension).units.front().name);
  std::string best, unit_of_best;
  for (const Unit& unit : words_of(dimension).units) {
    if (value % unit.size != 0 || !unit.written) continue;
    std::string number = std::to_string(value / unit.size);
    // The fewest digits; at a tie bits rather than bytes, which come first in the table.
    if (best.empty() || number.size() < best.size()) best = std::move(number), unit_of_best = unit.name;
  }
  return fmt::format("{} {}", best, unit_of_best);
}

std::variant<std::uint64_t, QuantityError> parse_millionths(std::string_view text) {
  const std::optional<Decimal> number = take_decimal(text);
  if (!number || !text.empty()) return QuantityError{"it must be a plain decimal number of at most 18 digits"};
  const auto [numerator, denominator] = scaled(*number, {"", 1'000'000});
  if (numerator % denominator != 0) return QuantityError{"it must have at most six decimals"};
  const u128 value = numerator / denominator;
  if (value > UINT64_MAX) return QuantityError{"that is too large"};
  return static_cast<std::uint64_t>(value);
}

std::string expected(Dimension dimension) {
  const Words words = words_of(dimension);
  return fmt::format("{} such as \"{}\"", words.noun, words.example);
}

std::string unit_names(Dimension dimension) {
  std::string names;
  for (const Unit& unit : words_of(dimension).units) {
    if (!names.empty()) names += ", ";
    names += unit.name;
  }
  return names;
}

std::string quantity_pattern(Dimension dimension) {
  std::string units;
  for (const Unit& unit : words_of(dimension).units) {
    if (!units.empty()) units += "|";
    units += unit.name;
  }
  return fmt::format("^[0-9]+(\\.[0-9]+)? *({})$", units);
}

}  // namespace godwit::scenarios
