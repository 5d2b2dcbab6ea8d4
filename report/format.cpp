#include "report/format.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <span>

namespace godwit::report {
namespace {

struct Unit {
  double size;
  std::string_view name;
};

/// `value` in the largest of `units` (ascending) that leaves it at 1 or more.
std::string in_units(double value, std::span<const Unit> units) {
  std::size_t i = 0;
  while (i + 1 < units.size() && value >= units[i + 1].size) ++i;
  if (value == 0) return fmt::format("0 {}", units[i].name);
  const double scaled = value / units[i].size;
  if (i == 0 && units[0].size == 1) return fmt::format("{:.0f} {}", scaled, units[0].name);
  const int decimals = scaled >= 1000 ? 0 : scaled >= 100 ? 1 : scaled >= 10 ? 2 : 3;
  return fmt::format("{:.{}f} {}", scaled, decimals, units[i].name);
}

}  // namespace

double megabits_per_second(BitsPerSecond rate) { return static_cast<double>(rate.value) / 1e6; }
double percent(Share share) { return static_cast<double>(share * 100) / static_cast<double>(kWhole); }

std::string human(Nanos time) {
  static constexpr std::array<Unit, 4> kUnits = {{{1, "ns"}, {1e3, "us"}, {1e6, "ms"}, {1e9, "s"}}};
  if (time == kNever) return "never";
  if (time == Nanos{0}) return "0 ms";
  if (time < Nanos{0}) return fmt::format("-{}", human(-time));
  return in_units(static_cast<double>(time.count()), kUnits);
}

std::string human(Bytes size) {
  static constexpr std::array<Unit, 5> kUnits = {
      {{1, "B"}, {1024., "KiB"}, {1048576., "MiB"}, {1073741824., "GiB"}, {1099511627776., "TiB"}}};
  return in_units(static_cast<double>(size.value), kUnits);
}

std::string human(BitsPerSecond rate) {
  static constexpr std::array<Unit, 5> kUnits = {
      {{1, "bit/s"}, {1e3, "kbit/s"}, {1e6, "Mbit/s"}, {1e9, "Gbit/s"}, {1e12, "Tbit/s"}}};
  return in_units(static_cast<double>(rate.value), kUnits);
}

std::string human_percent(Share share) { return fmt::format("{:.3g} %", percent(share)); }

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, 1, ',');
  return text;
}

std::string plural(std::uint64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(number), noun, number == 1 ? "" : "s");
}

std::string words_of(std::string_view name) {
  std::string words(name);
  for (char& c : words)
    if (c == '_') c = ' ';
  return words;
}

}  // namespace godwit::report
