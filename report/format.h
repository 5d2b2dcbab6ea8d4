#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/units.h"

/// Numbers and names as people and documents read them.
namespace godwit::report {

/// Exact as far as a double goes: the nearest one to the decimal number, the same everywhere.
double megabits_per_second(BitsPerSecond rate);
double percent(Share share);

/// Four significant digits and the unit that fits: "12.34 ms", "3.000 GiB", "941.5 Mbit/s", "95.00 %".
std::string human(Nanos time);
std::string human(Bytes size);
std::string human(BitsPerSecond rate);
std::string human_percent(Share share);

/// With commas: "1,048,576".
std::string grouped(std::uint64_t number);

/// "1 round", "3 rounds".
std::string plural(std::uint64_t number, std::string_view noun);

/// The name for people: "device state" for device_state.
std::string words_of(std::string_view name);

}  // namespace godwit::report
