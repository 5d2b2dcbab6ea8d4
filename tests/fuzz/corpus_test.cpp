#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "fuzz/target.h"

// Compiled once with each file of fuzz/: what fuzzing found worth keeping is a regression test of every build.
namespace {

std::vector<std::uint8_t> bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> chars{std::istreambuf_iterator<char>(file), {}};
  return {chars.begin(), chars.end()};
}

TEST(Corpus, BreaksNoInvariant) {
  int inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(GODWIT_CORPUS)) {
    const std::vector<std::uint8_t> input = bytes_of(entry.path());
    EXPECT_NO_THROW(LLVMFuzzerTestOneInput(input.data(), input.size())) << entry.path();
    EXPECT_LE(input.size(), 16384u) << entry.path();
    ++inputs;
  }
  EXPECT_GT(inputs, 0) << GODWIT_CORPUS;
}

}  // namespace
