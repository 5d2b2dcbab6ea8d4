#pragma once

#include <string>
#include <utility>
#include <variant>

#include "cli/output.h"
#include "report/page.h"

namespace godwit::cli {

/// A file for a page, in the format that the file's name asks for: HTML, Markdown or CSV.
class PageFile {
 public:
  /// The file, or what keeps the page from being written there. Nothing appears under its name yet.
  static std::variant<PageFile, std::string> open(const std::string& path);

  /// Returns what went wrong; empty: nothing.
  std::string write(const report::Page& page) { return output_.write(format_(page)); }

 private:
  using Format = std::string (*)(const report::Page&);
  PageFile(Output output, Format format) : output_(std::move(output)), format_(format) {}

  Output output_;
  Format format_;
};

}  // namespace godwit::cli
