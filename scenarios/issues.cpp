#include "scenarios/issues.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <numeric>
#include <tuple>

namespace godwit::scenarios {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

/// `text` in one line that leaves a terminal as it was.
std::string in_one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20 || code == 0x7f)
      line += fmt::format("\\u{:04x}", code);
    else
      line += c;
  }
  return line;
}

}  // namespace

std::string shortened(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return std::string(text.substr(0, bytes)) + "...";
}

std::string Issue::to_string() const {
  std::string text = file;
  if (line != 0) text += fmt::format(":{}:{}", line, column);
  if (!pointer.empty()) text += ": " + shortened(pointer, 300);
  return in_one_line(text + ": " + shortened(message, 2000));
}

/// `node`, or where it has no position the part of the document that its pointer leads to, as far as that goes.
const Node& Issues::placed(const Node& node) const {
  if (node.line != 0 || root_ == nullptr) return node;
  const Node* deepest = root_;
  for (bool found = true; found;) {
    found = false;
    for (const Node& child : deepest->children) {
      if (node.pointer != child.pointer && !node.pointer.starts_with(child.pointer + "/")) continue;
      deepest = &child;
      found = true;
      break;
    }
  }
  return *deepest;
}

void Issues::add(Issue issue) {
  ++count_;
  if (!full()) issues_.push_back(std::move(issue));
}

void Issues::at(const Node& node, std::string message) {
  if (full()) return void(++count_);
  const Node& place = placed(node);
  add({file_, place.line, place.column, node.pointer, std::move(message)});
}

void Issues::at_pointer(const std::string& pointer, std::string message) {
  Node node;
  node.pointer = pointer;
  at(node, std::move(message));
}

void Issues::at_name(const Node& node, std::string message) {
  add({file_, node.key_line, node.key_column, node.pointer, std::move(message)});
}

bool Issues::any_under(const std::string& pointer) const {
  return full() || std::any_of(issues_.begin(), issues_.end(), [&](const Issue& issue) {
           return issue.pointer == pointer || issue.pointer.starts_with(pointer + "/");
         });
}

std::vector<Issue> Issues::take() {
  std::stable_sort(issues_.begin(), issues_.end(), [](const Issue& a, const Issue& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  if (full()) issues_.push_back({file_, 0, 0, "", fmt::format("these are the first {}; there may be more", kMost)});
  return std::move(issues_);
}

std::string nearest(std::string_view wrong, const std::vector<std::string>& names) {
  // No name of the format is that long; and of that many a reader would look for his own.
  if (wrong.size() > 100 || names.size() > 2000) return {};
  const std::string given = lower(wrong);
  std::string best;
  // More than a third wrong, or all of it, is another word.
  std::size_t least = std::min(wrong.size(), 1 + std::max<std::size_t>(1, wrong.size() / 3));
  for (const std::string& name : names) {
    const bool begins_alike = given.size() >= 4 && lower(name).starts_with(given);
    const std::size_t distance = begins_alike ? 1 : edits(given, lower(name));
    if (distance < least) least = distance, best = name;
  }
  return best;
}

std::string did_you_mean(std::string_view wrong, const std::vector<std::string>& names) {
  const std::string name = nearest(wrong, names);
  return name.empty() ? "" : fmt::format("; did you mean {}?", name);
}

std::string joined(const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, ", ")); }

}  // namespace godwit::scenarios
