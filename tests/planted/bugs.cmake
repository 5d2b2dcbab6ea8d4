# The command with a bug planted in it, once for each bug: soak must find it. What is planted is an exact piece of a
# source, which must be there once; everything else is what the command is made of.
#
# godwit_plant(NAME FILE file FROM text TO text CAUGHT condition)
#
# CAUGHT is what the oracle that catches it says (an extended regular expression).
function(godwit_plant name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "FILE;FROM;TO;CAUGHT" "")
  set(source "${PROJECT_SOURCE_DIR}/${arg_FILE}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
  file(READ "${source}" text)
  string(FIND "${text}" "${arg_FROM}" first)
  string(FIND "${text}" "${arg_FROM}" last REVERSE)
  if(first EQUAL -1 OR NOT first EQUAL last)
    message(FATAL_ERROR "planted bug ${name}: expected once in ${arg_FILE}: ${arg_FROM}")
  endif()
  string(REPLACE "${arg_FROM}" "${arg_TO}" text "${text}")

  set(mutant "${CMAKE_CURRENT_BINARY_DIR}/planted/${name}.cpp")
  set(before "")
  if(EXISTS "${mutant}")
    file(READ "${mutant}" before)
  endif()
  if(NOT before STREQUAL text)
    file(WRITE "${mutant}" "${text}")
  endif()

  # What lies in an archive is linked only where nothing else has given its functions: so it has to be an object by itself.
  set_source_files_properties("${source}" TARGET_DIRECTORY godwit PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  set(target godwit_planted_${name})
  add_executable(${target} "${mutant}" $<TARGET_OBJECTS:godwit>)
  target_link_libraries(${target} PRIVATE ${godwit_libraries} fmt::fmt)
  set_source_files_properties("${mutant}" PROPERTIES COMPILE_OPTIONS "-fmacro-prefix-map=${mutant}=${arg_FILE}")
  cmake_path(GET arg_FILE PARENT_PATH folder) # whose sources are compiled so
  target_compile_options(${target} PRIVATE $<TARGET_PROPERTY:godwit_${folder},COMPILE_OPTIONS>)
  target_compile_definitions(${target} PRIVATE $<TARGET_PROPERTY:godwit_${folder},COMPILE_DEFINITIONS>)
  add_test(NAME planted/${name} COMMAND bash "${CMAKE_CURRENT_SOURCE_DIR}/planted/caught.sh" $<TARGET_FILE:${target}>
                                        $<TARGET_FILE:godwit> "${arg_CAUGHT}")
  set_tests_properties(planted/${name} PROPERTIES TIMEOUT 600)
endfunction()

# ---- the page oracle: every page at the destination is what it was at its snapshot instant

godwit_plant(drops_a_page FILE core/source.cpp
  FROM "  into.add(runs);"
  TO ""
  CAUGHT "agrees|verified")

godwit_plant(leaves_a_stale_page FILE core/source.cpp
  FROM "co_await log_.read_and_clear(pending_.all(), pending_);"
  TO "aside_.clear(); co_await log_.read_and_clear(pending_.all(), aside_);"
  CAUGHT "agrees|verified")

# What is sent after the snapshot is what it was at the snapshot, not what it is by then. Only real bytes show that.
godwit_plant(resends_a_page_of_another_time FILE core/source.cpp
  FROM "const Record record{.type = RecordType::kShadowPages,"
  TO "const Record record{.type = RecordType::kPages,"
  CAUGHT "agrees|verified")

godwit_plant(forgets_the_shadow FILE core/source.cpp
  FROM [[while (!aside_.empty() && !failed()) {
    // The shadow]]
  TO [[while (false) {
    // The shadow]]
  CAUGHT "agrees|verified")

godwit_plant(zeroes_a_whole_chunk_of_the_log FILE core/source.cpp
  FROM "co_await log_.clear(range, reported_);"
  TO "aside_.fill(); co_await log_.clear(range, aside_);"
  CAUGHT "agrees|verified")

godwit_plant(forgets_a_page_that_was_asked_for FILE core/source.cpp
  FROM [[picked_[0] = PageRun::solid(page, 1);
  pending_.remove(page);]]
  TO [[pending_.remove(page);
  if (page != kNoPage) co_return Done{};]]
  CAUGHT "verified")

godwit_plant(takes_a_zero_page_for_another FILE sim/page_bytes.cpp
  FROM "count = count + 1 == 0 ? 1 : count + 1;"
  TO "count = 0;"
  CAUGHT "is_zero")

godwit_plant(leaves_out_a_page_in_use FILE core/source.cpp
  FROM "pending_.remove(aside_, aside_.all());"
  TO "pending_.remove(aside_, aside_.all()); pending_.remove_word(0, pending_.word(0));"
  CAUGHT "agrees|verified")

# ---- the guest runs in at most one place

godwit_plant(runs_the_guest_before_commit FILE core/destination.cpp
  FROM "arrival_.reply(ready);"
  TO "arrival_.reply(ready); co_await arrival_.run();"
  CAUGHT "fenced|homes_ == 0")

godwit_plant(commits_without_a_fence FILE core/source.cpp
  FROM "if (!plan_.goes_on) guest_.fence();"
  TO ""
  CAUGHT "fenced|verified|home")

godwit_plant(runs_the_guest_twice FILE core/source.cpp
  FROM "if (!plan_.goes_on) guest_.fence();"
  TO "if (!plan_.goes_on) { guest_.fence(); co_await guest_.resume(); }"
  CAUGHT "homes_ == 1")

# ---- every byte that enters a link leaves it or is counted lost

godwit_plant(loses_bytes FILE sim/channel.cpp
  FROM "ledger_.withdraw(outcome_.bytes - bytes);"
  TO ""
  CAUGHT "entered_ == left_")

# ---- every run ends with a named outcome, and for a reason

godwit_plant(never_answers FILE core/destination.cpp
  FROM "arrival_.reply(ready);"
  TO "(void)ready;"
  CAUGHT "dry")

godwit_plant(commits_before_ready FILE core/source.cpp
  FROM "const Message answer = co_await link_.receive();
  if"
  TO "const Message answer{Message::Kind::kReady, said};
  if"
  CAUGHT "dry|agrees")

godwit_plant(sends_records_out_of_order FILE core/source.cpp
  FROM "record.sequence = sequence_++;"
  TO "record.sequence = sequence_++ ^ 1;"
  CAUGHT "with_cause")

godwit_plant(says_ready_before_all_is_there FILE core/destination.cpp
  FROM "case RecordType::kDeviceState: device_state_ = {record.value}; break;"
  TO "case RecordType::kDeviceState: arrival_.reply({.type = RecordType::kReady}); break;"
  CAUGHT "with_cause")

# ---- the figures fit each other, and are the same each time

godwit_plant(misses_a_part_of_the_downtime FILE sim/migration.cpp
  FROM "case core::Phase::kHarvest: return Part::kHarvest;"
  TO ""
  CAUGHT "parts")

godwit_plant(is_another_each_time FILE sim/context.cpp
  FROM ".at = now(), .value = value"
  TO ".at = now(), .value = value ^ (kind == RecordKind::kLogRead ? [] { static std::uint64_t runs = 0; return ++runs; }() : 0)"
  CAUGHT "records")

godwit_plant(writes_another_scenario FILE scenarios/quantity.cpp
  FROM "std::string best, unit_of_best;"
  TO "if (dimension == Dimension::kTime) ++value;
  std::string best, unit_of_best;"
  CAUGHT "effective|records|Loaded")

godwit_plant(counts_no_faults_of_real_bytes FILE sim/guest_memory.cpp
  FROM "faults_ += log_->count().value - before;"
  TO "faults_ += bytes_ ? 0 : log_->count().value - before;"
  CAUGHT "same|records")

godwit_plant(forgets_what_the_balloon_has FILE core/source.cpp
  FROM ".free = free,"
  TO ".free = free - free,"
  CAUGHT "r_.free")

# ---- a checkpoint that is cut short or altered is refused

godwit_plant(believes_an_altered_checkpoint FILE scenarios/checkpoint.cpp
  FROM "if (checksum(file, manifest) != get(file, kCheckpointHeaderBytes - 4, 4))"
  TO "if (checksum(file, manifest) == 0)"
  CAUGHT "trouble_with")
