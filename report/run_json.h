#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sim/result.h"

namespace godwit::report {

using Json = nlohmann::ordered_json;

/// The document of one run: what was run (`effective`, the scenario with every default written out) and what came of
/// it. Every number carries its unit as the last word of its field. The same run gives the same bytes.
Json run_json(const sim::RunResult& result, const Json& effective);

/// That document as text, indented by two. Written one migration after another: of many the document itself would take
/// several times the memory.
std::string run_json_text(const sim::RunResult& result, const Json& effective);

/// The same for one migration of it.
Json migration_json(const sim::MigrationResult& migration);

/// Who made a document: name of the program, version, version of the format.
Json producer_json();

}  // namespace godwit::report
