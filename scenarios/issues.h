#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/node.h"

namespace godwit::scenarios {

/// One thing that is wrong with a file, where, and what would be right.
struct Issue {
  std::string file;
  std::uint32_t line = 0;  ///< From 1 on; 0: unknown, as for a value given on the command line.
  std::uint32_t column = 0;
  std::string pointer;
  std::string message;

  /// "file:line:column: /pointer: message".
  std::string to_string() const;
};

/// Everything that is wrong with one document, so that it can be said at once.
class Issues {
 public:
  explicit Issues(std::string file) : file_(std::move(file)) {}

  /// `message` about the value of `node`, about its name, or about what `pointer` points at in the document.
  void at(const Node& node, std::string message);
  void at_name(const Node& node, std::string message);
  void at_pointer(const std::string& pointer, std::string message);
  void add(Issue issue) { issues_.push_back(std::move(issue)); }

  /// The document that pointers point into; null: none. Requires it to outlive its use here.
  void set_root(const Node* root) { root_ = root; }

  const std::string& file() const { return file_; }
  bool empty() const { return issues_.empty(); }
  std::size_t size() const { return issues_.size(); }

  /// Whether anything is wrong with what `pointer` points at, or inside it.
  bool any_under(const std::string& pointer) const;

  /// All of them in file order.
  std::vector<Issue> take();

 private:
  const Node& placed(const Node& node) const;

  std::string file_;
  const Node* root_ = nullptr;
  std::vector<Issue> issues_;
};

/// The name of `names` that `wrong` most likely stands for; empty where none is near.
std::string nearest(std::string_view wrong, const std::vector<std::string>& names);

/// "; did you mean X?" for the nearest of `names`, or nothing.
std::string did_you_mean(std::string_view wrong, const std::vector<std::string>& names);

/// `names` with commas between.
std::string joined(const std::vector<std::string>& names);

}  // namespace godwit::scenarios
