#pragma once

#include <string>
#include <vector>

namespace godwit::test {

struct Ran {
  int status = -1;  ///< Exit status; 128 + the signal that ended it.
  std::string out, err;
};

/// Runs the command `godwit` with `arguments`, in the folder of the sources.
Ran godwit(const std::vector<std::string>& arguments);

/// Runs any program, looked up in PATH, likewise.
Ran run_program(const std::vector<std::string>& words);

/// A folder that is gone with its owner.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path(const std::string& name) const { return path_ + "/" + name; }
  /// Writes a file, and says where it is.
  std::string file(const std::string& name, const std::string& text) const;

 private:
  std::string path_;
};

std::string read_file(const std::string& path);

}  // namespace godwit::test
