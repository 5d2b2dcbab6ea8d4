#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/units.h"

/// Quantities as people write them: "4 GiB", "10 Gbit/s", "0.5 s". Decimal fractions are taken exactly; nothing here
/// goes through floating point.
namespace godwit::scenarios {

/// What a quantity measures. In brackets, what its value counts.
enum class Dimension : std::uint8_t {
  kBytes,      ///< Memory and state [bytes].
  kPages,      ///< A number of pages [pages].
  kRate,       ///< Of a link or a sender [bits per second].
  kTime,       ///< [nanoseconds].
  kWriteRate,  ///< Of a workload [writes per second, each to one page].
  kShare,      ///< Of a whole [parts of 2^32], rounded to the nearest.
};

/// What is wrong with the text of a quantity; reads on after `got "..."`.
struct QuantityError {
  std::string what;
};

/// The value of `text`, a decimal number and a unit with or without spaces between. IEC prefixes are powers of two, SI
/// prefixes powers of ten. A value that is no whole number of the counted unit (shares apart) is an error.
std::variant<std::uint64_t, QuantityError> parse_quantity(Dimension dimension, std::string_view text);

/// A text that parses to `value` again, with as few digits as that needs.
std::string format_quantity(Dimension dimension, std::uint64_t value);

/// The millionths of a plain decimal number such as "0.99"; an error where it is negative or finer than that.
std::variant<std::uint64_t, QuantityError> parse_millionths(std::string_view text);

/// "a bandwidth such as \"10 Gbit/s\"".
std::string expected(Dimension dimension);

/// The names of the units: "bit/s, kbit/s, ...".
std::string unit_names(Dimension dimension);

/// An ECMAScript pattern that the text of a quantity matches.
std::string quantity_pattern(Dimension dimension);

}  // namespace godwit::scenarios
