#pragma once

#include <string_view>

/// What a page carries beside its data, which the command carries inside.
namespace godwit::report::asset {

std::string_view style();
std::string_view script();
std::string_view charts();    ///< Vega, Vega-Lite and Vega-Embed; empty where the build could not fetch them.
std::string_view licences();  ///< Of the three.

}  // namespace godwit::report::asset
