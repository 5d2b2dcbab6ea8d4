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

  /// "file:line:column: /pointer: message". One line whatever the input holds: control characters are written as JSON
  /// writes them, and what nobody would read to its end is cut.
  std::string to_string() const;
};

/// Which of the many objects that one with a `count` stands for is being read: a list of quantities in it is taken in turn.
struct Turn {
  std::uint32_t index = 0;
  std::uint32_t count = 0;   ///< Of the objects; 0: there is no count, and no list.
  std::uint32_t period = 1;  ///< After so many turns all lists met so far begin anew; at most `count`.
};

/// Everything that is wrong with one document, so that it can be said at once. Of a document that is wrong all over, the
/// first kMost are kept.
class Issues {
 public:
  static constexpr std::size_t kMost = 100;

  explicit Issues(std::string file) : file_(std::move(file)) {}

  /// Of what is being read; null: it stands for itself alone. Requires it to outlive its use here.
  Turn* turn() const { return turn_; }
  void set_turn(Turn* turn) { turn_ = turn; }

  /// `message` about the value of `node`, about its name, or about what `pointer` points at in the document.
  void at(const Node& node, std::string message);
  void at_name(const Node& node, std::string message);
  void at_pointer(const std::string& pointer, std::string message);
  void add(Issue issue);

  /// The document that pointers point into; null: none. Requires it to outlive its use here.
  void set_root(const Node* root) { root_ = root; }

  const std::string& file() const { return file_; }
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  /// No further one is kept: looking for more is no use.
  bool full() const { return issues_.size() == kMost; }

  /// Whether anything is wrong with what `pointer` points at, or inside it. True where too much is wrong to tell.
  bool any_under(const std::string& pointer) const;

  /// Those kept in file order; where it is full, one that says so comes last.
  std::vector<Issue> take();

 private:
  const Node& placed(const Node& node) const;

  std::string file_;
  const Node* root_ = nullptr;
  Turn* turn_ = nullptr;
  std::vector<Issue> issues_;
  std::size_t count_ = 0;
};

/// `text`, or its first `bytes` or a little less (no character of UTF-8 is torn) and what shows that it goes on.
std::string shortened(std::string_view text, std::size_t bytes);

/// The name of `names` that `wrong` most likely stands for; empty where none is near.
std::string nearest(std::string_view wrong, const std::vector<std::string>& names);

/// "; did you mean X?" for the nearest of `names`, or nothing.
std::string did_you_mean(std::string_view wrong, const std::vector<std::string>& names);

/// `names` with commas between.
std::string joined(const std::vector<std::string>& names);

}  // namespace godwit::scenarios
