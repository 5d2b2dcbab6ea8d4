#include "cli/page_file.h"

#include <filesystem>

namespace godwit::cli {

std::variant<PageFile, std::string> PageFile::open(const std::string& path) {
  const std::string extension = std::filesystem::path(path).extension().string();
  Format format = nullptr;
  if (extension == ".html" || extension == ".htm")
    format = &report::page_html;
  else if (extension == ".md")
    format = &report::page_markdown;
  else if (extension == ".csv")
    format = &report::page_csv;
  else
    return path + ": expected a name that ends in .html, .md or .csv";
  if (format == &report::page_html && !report::draws_charts())
    return path +
           ": this godwit was built without what draws the charts of a page; install npm and build again where there "
           "is "
           "a network (cmake -DGODWIT_PAGE=ON), or ask for .md or .csv";
  auto opened = Output::open(path);
  if (auto* trouble = std::get_if<std::string>(&opened)) return std::move(*trouble);
  return PageFile(std::get<Output>(std::move(opened)), format);
}

}  // namespace godwit::cli
