# Each bench/NAME_bench.cpp is an executable of its own.
find_package(benchmark QUIET)
if(NOT benchmark_FOUND)
  message(STATUS "Google Benchmark was not found: the benchmarks are not built")
  return()
endif()

get_property(godwit_libraries GLOBAL PROPERTY GODWIT_LIBRARIES)
file(GLOB bench_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/bench/*_bench.cpp")
foreach(source IN LISTS bench_sources)
  cmake_path(GET source STEM name)
  add_executable(${name} "${source}" "${PROJECT_SOURCE_DIR}/tests/support/panic.cpp")
  target_link_libraries(${name} PRIVATE ${godwit_libraries} benchmark::benchmark_main)
  target_compile_definitions(${name} PRIVATE GODWIT_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                                             GODWIT_BINARY="$<TARGET_FILE:godwit>")
  add_dependencies(${name} godwit)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bench")
endforeach()
