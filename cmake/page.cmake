# What draws the charts of an HTML report is fetched here, once for a build directory: the versions and hashes are those of
# report/page/package-lock.json. `charts.js` and `licences.txt` in GODWIT_CHARTS_DIR are empty where it cannot be had: then the
# command says so when it is asked for a page, and all else works.
option(GODWIT_PAGE "Fetch with npm what draws the charts of HTML reports" ON)

set(GODWIT_CHARTS_DIR "${PROJECT_BINARY_DIR}/charts")
set(charts_js "${GODWIT_CHARTS_DIR}/charts.js")
set(charts_licences "${GODWIT_CHARTS_DIR}/licences.txt")
set(charts_stamp "${GODWIT_CHARTS_DIR}/fetched")

# Writes a file only where that changes it.
function(godwit_write file content)
  file(CONFIGURE OUTPUT "${file}" CONTENT "@content@" @ONLY)
endfunction()

function(godwit_without_charts why)
  message(STATUS "Godwit: reports in HTML are left out (${why}); Markdown and CSV are not concerned")
  file(REMOVE "${charts_stamp}")
  foreach(file IN ITEMS "${charts_js}" "${charts_licences}")
    godwit_write("${file}" "")
  endforeach()
endfunction()

# The packages as they come, one after another. A file may end in the midst of a statement or a comment.
function(godwit_join_charts)
  godwit_write("${GODWIT_CHARTS_DIR}/after_js" "\n;\n")
  godwit_write("${GODWIT_CHARTS_DIR}/after_licences" "\n")
  set(js)
  set(licences)
  foreach(package IN ITEMS vega vega-lite vega-embed)
    set(folder "${GODWIT_CHARTS_DIR}/node_modules/${package}")
    list(APPEND js "${folder}/build/${package}.min.js" "${GODWIT_CHARTS_DIR}/after_js")
    list(APPEND licences "${folder}/LICENSE" "${GODWIT_CHARTS_DIR}/after_licences")
  endforeach()
  foreach(joined IN ITEMS js licences)
    # Not by file(READ), which knows semicolons and brackets as CMake does.
    execute_process(COMMAND "${CMAKE_COMMAND}" -E cat ${${joined}} OUTPUT_FILE "${charts_${joined}}" COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
endfunction()

function(godwit_fetch_charts)
  set(lock "${PROJECT_SOURCE_DIR}/report/page/package-lock.json")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${lock}")
  file(SHA256 "${lock}" wanted)
  set(fetched "")
  if(EXISTS "${charts_stamp}")
    file(READ "${charts_stamp}" fetched)
  endif()
  if(fetched STREQUAL wanted)
    return()
  endif()

  find_program(GODWIT_NPM npm)
  mark_as_advanced(GODWIT_NPM)
  if(NOT GODWIT_NPM)
    godwit_without_charts("npm was not found")
    return()
  endif()
  message(STATUS "Godwit: fetching what draws the charts of reports")
  file(COPY "${PROJECT_SOURCE_DIR}/report/page/package.json" "${lock}" DESTINATION "${GODWIT_CHARTS_DIR}")
  execute_process(
    COMMAND "${GODWIT_NPM}" ci --ignore-scripts --no-audit --no-fund --prefer-offline --fetch-retries=1
    WORKING_DIRECTORY "${GODWIT_CHARTS_DIR}"
    TIMEOUT 180
    OUTPUT_VARIABLE output
    ERROR_VARIABLE output
    RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(STATUS "${output}")
    godwit_without_charts("npm ci failed")
    return()
  endif()
  godwit_join_charts()
  file(WRITE "${charts_stamp}" "${wanted}")
endfunction()

if(GODWIT_PAGE)
  godwit_fetch_charts()
else()
  godwit_without_charts("GODWIT_PAGE is off")
endif()

set_source_files_properties(
  report/asset.cpp
  PROPERTIES COMPILE_DEFINITIONS "GODWIT_PAGE_DIR=\"${PROJECT_SOURCE_DIR}/report/page\";GODWIT_CHARTS_DIR=\"${GODWIT_CHARTS_DIR}\""
             OBJECT_DEPENDS "${PROJECT_SOURCE_DIR}/report/page/page.css;${PROJECT_SOURCE_DIR}/report/page/page.js;${charts_js};${charts_licences}")
