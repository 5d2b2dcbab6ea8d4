# The strategies and profiles are data (scenarios/strategies/*.json, scenarios/profiles/*.json) that the command carries
# inside, so that it runs from anywhere. `scenarios/embedded.h` declares what is generated here.
file(GLOB godwit_embedded_h CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/scenarios/embedded.h")
if(NOT godwit_embedded_h)
  return()
endif()

file(GLOB godwit_strategies CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/scenarios/strategies/*.json")
file(GLOB godwit_profiles CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/scenarios/profiles/*.json")

# The names go through a file, since a new or removed file must change the command's dependencies, not only its inputs.
set(godwit_embedded_cpp "${PROJECT_BINARY_DIR}/generated/embedded.cpp")
set(godwit_embedded_list "${PROJECT_BINARY_DIR}/generated/embedded_list.cmake")
file(
  CONFIGURE
  OUTPUT "${godwit_embedded_list}"
  CONTENT "set(strategies \"${godwit_strategies}\")\nset(profiles \"${godwit_profiles}\")\n"
  @ONLY)

add_custom_command(
  OUTPUT "${godwit_embedded_cpp}"
  COMMAND "${CMAKE_COMMAND}" "-DLIST=${godwit_embedded_list}" "-DOUTPUT=${godwit_embedded_cpp}" -P
          "${PROJECT_SOURCE_DIR}/cmake/embed.cmake"
  DEPENDS "${godwit_embedded_list}" "${PROJECT_SOURCE_DIR}/cmake/embed.cmake" ${godwit_strategies} ${godwit_profiles}
  COMMENT "Embedding strategies and profiles"
  VERBATIM)

set_source_files_properties("${godwit_embedded_cpp}" PROPERTIES COMPILE_OPTIONS "-Wno-overlength-strings")
get_target_property(godwit_scenarios_type godwit_scenarios TYPE)
if(godwit_scenarios_type STREQUAL "INTERFACE_LIBRARY")
  add_library(godwit_embedded STATIC "${godwit_embedded_cpp}")
  target_link_libraries(godwit_embedded PRIVATE godwit::flags)
  target_link_libraries(godwit_scenarios INTERFACE godwit_embedded)
else()
  target_sources(godwit_scenarios PRIVATE "${godwit_embedded_cpp}")
endif()
