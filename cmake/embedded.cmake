# Data that the command carries inside, so that it runs from anywhere.
#
# godwit_embed(FOLDER TABLE pattern... [TABLE pattern...]) compiles the files that match into godwit_FOLDER. FOLDER/embedded.h
# declares a function for each table; a table's name is all capitals here and small there.
function(godwit_embed folder)
  set(header "${folder}/embedded.h")
  if(NOT EXISTS "${PROJECT_SOURCE_DIR}/${header}")
    return()
  endif()
  set(list "set(header \"${header}\")\n")
  set(inputs)
  foreach(argument IN LISTS ARGN)
    if(argument MATCHES "^[A-Z_]+$")
      string(TOLOWER "${argument}" table)
      string(APPEND list "list(APPEND tables ${table})\n")
    else()
      file(GLOB files CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${argument}")
      string(APPEND list "list(APPEND ${table} \"${files}\")\n")
      list(APPEND inputs ${files})
    endif()
  endforeach()

  # The names go through a file, since a new or removed file must change the command's dependencies, not only its inputs.
  set(generated "${PROJECT_BINARY_DIR}/generated/${folder}_embedded.cpp")
  set(listed "${PROJECT_BINARY_DIR}/generated/${folder}_embedded_list.cmake")
  file(CONFIGURE OUTPUT "${listed}" CONTENT "${list}" @ONLY)
  add_custom_command(
    OUTPUT "${generated}"
    COMMAND "${CMAKE_COMMAND}" "-DLIST=${listed}" "-DOUTPUT=${generated}" -P "${PROJECT_SOURCE_DIR}/cmake/embed.cmake"
    DEPENDS "${listed}" "${PROJECT_SOURCE_DIR}/cmake/embed.cmake" ${inputs}
    COMMENT "Embedding the data of ${folder}"
    VERBATIM)

  set_source_files_properties("${generated}" PROPERTIES COMPILE_OPTIONS "-Wno-overlength-strings")
  get_target_property(type godwit_${folder} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    add_library(godwit_${folder}_embedded STATIC "${generated}")
    target_link_libraries(godwit_${folder}_embedded PRIVATE godwit::flags)
    target_link_libraries(godwit_${folder} INTERFACE godwit_${folder}_embedded)
  else()
    target_sources(godwit_${folder} PRIVATE "${generated}")
  endif()
endfunction()

godwit_embed(scenarios STRATEGIES scenarios/strategies/*.json PROFILES scenarios/profiles/*.json)
godwit_embed(studies REAL_RUNS studies/data/*.jsonl PUBLISHED scenarios/library/mmuncher_clark05.json
             scenarios/library/nomadbios_100mbit.json scenarios/library/specweb_clark05.json
             scenarios/library/write_precopy_hines09.json)
