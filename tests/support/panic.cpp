#include <stdexcept>
#include <string>

#include "base/check.h"

/// In tests a broken invariant is an exception, so that a test can plant one and see it found.
void godwit::panic(const char* file, int line, const char* condition) {
  throw std::logic_error(std::string(file) + ":" + std::to_string(line) + ": " + condition);
}
