# What every target is compiled with. `-ffp-contract=off`: a fused multiply-add rounds once where two operations
# round twice, so that the same source would give other bits on another machine.
add_library(godwit_flags INTERFACE)
add_library(godwit::flags ALIAS godwit_flags)

target_compile_features(godwit_flags INTERFACE cxx_std_20)
target_include_directories(godwit_flags INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_options(
  godwit_flags
  INTERFACE -ffp-contract=off
            -Wall
            -Wextra
            -Wno-missing-field-initializers # designated initialisers name what they set; the rest has its default
            -Wpedantic
            $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> # g++ 12 sees overlap in std::string itself (GCC bug 105651)
            $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage> # takes sources that are compiled together for headers
            -Wshadow
            -Wconversion
            -Wno-sign-conversion
            $<$<BOOL:${GODWIT_WERROR}>:-Werror>)

# Processors of 2009 and later count bits in one instruction (POPCNT is in x86-64-v2); without it that takes twelve.
# What needs more of a processor is chosen when the program runs.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(godwit_flags INTERFACE -march=x86-64-v2)
endif()
