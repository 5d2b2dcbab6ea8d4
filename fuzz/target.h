#pragma once

#include <cstddef>
#include <cstdint>

/// What each file of this folder defines: takes one input, and breaks an invariant where the reader under test does
/// what it must not. libFuzzer calls it with inputs that it makes up, tests/fuzz/corpus_test.cpp with those that are kept
/// in corpus/NAME/. Always returns 0.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
