#include "report/asset.h"

// The assembler takes a file as it is, at once; as a literal a compiler would need seconds for it.
#define GODWIT_ASSET(name, file)                                                                  \
  __asm__(                                                                                        \
      ".pushsection .rodata\n"                                                                    \
      ".global godwit_asset_" #name "\ngodwit_asset_" #name                                       \
      ":\n"                                                                                       \
      ".incbin \"" file                                                                           \
      "\"\n"                                                                                      \
      ".global godwit_asset_" #name "_end\ngodwit_asset_" #name "_end:\n.byte 0\n.popsection\n"); \
  extern "C" const char godwit_asset_##name[], godwit_asset_##name##_end[]

GODWIT_ASSET(style, GODWIT_PAGE_DIR "/page.css");
GODWIT_ASSET(script, GODWIT_PAGE_DIR "/page.js");
GODWIT_ASSET(charts, GODWIT_CHARTS_DIR "/charts.js");
GODWIT_ASSET(licences, GODWIT_CHARTS_DIR "/licences.txt");

namespace godwit::report::asset {
namespace {

std::string_view between(const char* begin, const char* end) { return {begin, static_cast<std::size_t>(end - begin)}; }

}  // namespace

std::string_view style() { return between(godwit_asset_style, godwit_asset_style_end); }
std::string_view script() { return between(godwit_asset_script, godwit_asset_script_end); }
std::string_view charts() { return between(godwit_asset_charts, godwit_asset_charts_end); }
std::string_view licences() { return between(godwit_asset_licences, godwit_asset_licences_end); }

}  // namespace godwit::report::asset
