#include "scenarios/json_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <map>

namespace godwit::scenarios {
namespace {

/// Reads characters and notes how many, since the parser does not say where it is.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t* read) : at_(at), read_(read) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() { return ++at_, ++*read_, *this; }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) { return a.at_ == b.at_; }

 private:
  const char* at_;
  std::size_t* read_;
};

/// Builds the tree. A token begins after the one before it and what may stand between: space, colon and comma.
class TreeBuilder : public nlohmann::json_sax<Json> {
 public:
  TreeBuilder(std::string_view text, const std::size_t& read, Issues& issues, JsonLimits limits)
      : text_(text), read_(read), issues_(issues), limits_(limits) {}

  bool null() override { return put(Node::Type::kNull, {}); }
  bool boolean(bool value) override { return put(Node::Type::kBoolean, value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return put(Node::Type::kNumber, std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return put(Node::Type::kNumber, std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override { return put(Node::Type::kNumber, text); }
  bool string(string_t& value) override { return put(Node::Type::kString, value); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Node::Type::kObject); }
  bool start_array(std::size_t) override { return open(Node::Type::kArray); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    key_ = name;
    key_at_ = token_begin();
    ended_at_ = read_;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    std::string_view why = error.what();
    if (why.find("number overflow") != std::string_view::npos) {
      const std::size_t begin = token_begin();
      return fail(begin, fmt::format("expected a number below 1.8e308, got {}",
                                     shortened(text_.substr(begin, position - begin), 100)));
    }
    if (const std::size_t colon = why.find(": "); colon != std::string_view::npos) why.remove_prefix(colon + 2);
    if (const std::size_t last = why.find("; last read"); last != std::string_view::npos) why = why.substr(0, last);
    return fail(position == 0 ? 0 : position - 1, fmt::format("this is not JSON: {}", why));
  }

  std::optional<Node> take() { return failed_ ? std::nullopt : std::optional<Node>(std::move(root_)); }

 private:
  struct Place {
    std::uint32_t line, column;
  };

  /// An object or a list whose end has not been read.
  struct Open {
    Node* node;
    std::map<std::string, Place, std::less<>> names;  // of an object, and where each is given first
  };

  std::size_t token_begin() const {
    const std::size_t found = text_.find_first_not_of(" \t\r\n:,", ended_at_);
    return found == std::string_view::npos ? text_.size() : found;
  }

  /// Requires calls with ascending offsets: lines are counted once.
  Place place(std::size_t offset) {
    for (; counted_ < offset; ++counted_)
      if (text_[counted_] == '\n') ++line_, line_begin_ = counted_ + 1;
    return {line_, static_cast<std::uint32_t>(offset - line_begin_ + 1)};
  }

  bool fail(std::size_t offset, std::string message) {
    const Place where = place(std::min(offset, text_.size()));
    issues_.add({issues_.file(), where.line, where.column, open_.empty() ? "" : open_.back().node->pointer, message});
    failed_ = true;
    return false;
  }

  /// Gives `node` its name, and sees to it that no other of the object has it.
  void name(Node& node, Open& object) {
    const Place where = place(key_at_);
    node.key = key_;
    node.key_line = where.line;
    node.key_column = where.column;
    node.pointer = object.node->pointer + "/" + escape_step(key_);
    const auto [first, fresh] = object.names.emplace(key_, where);
    if (!fresh)
      issues_.at_name(node, fmt::format("\"{}\" is given twice in this object, first in line {}, column {}",
                                        shortened(key_, 100), first->second.line, first->second.column));
  }

  /// The new node at its place in the tree; null where the tree grows beyond the limit.
  Node* append(Node::Type type, std::string text) {
    Node node;
    node.type = type;
    node.text = std::move(text);
    const std::size_t begin = token_begin();
    if (!open_.empty() && open_.back().node->is(Node::Type::kObject))
      name(node, open_.back());
    else if (!open_.empty())
      node.pointer = fmt::format("{}/{}", open_.back().node->pointer, open_.back().node->children.size());
    const Place where = place(begin);
    node.line = where.line;
    node.column = where.column;
    ended_at_ = read_;
    // A list has room for up to twice its children, and a name is kept twice.
    taken_ += 2 * sizeof(Node) + node.text.size() + 2 * node.key.size() + node.pointer.size();
    if (taken_ > limits_.memory) {
      fail(begin, fmt::format("the document takes more than {} MiB of memory", limits_.memory >> 20));
      return nullptr;
    }
    if (open_.empty()) return &(root_ = std::move(node));
    return &open_.back().node->children.emplace_back(std::move(node));
  }

  bool put(Node::Type type, std::string text) { return append(type, std::move(text)) != nullptr; }

  bool open(Node::Type type) {
    if (open_.size() >= limits_.depth)
      return fail(token_begin(), fmt::format("objects and lists are nested more than {} deep", limits_.depth));
    Node* node = append(type, {});
    if (node == nullptr) return false;
    // A parent's list of children does not grow while one of them is open, so the pointers stay good.
    open_.push_back({node, {}});
    return true;
  }

  bool close() {
    open_.pop_back();
    ended_at_ = read_;
    return true;
  }

  std::string_view text_;
  const std::size_t& read_;
  Issues& issues_;
  JsonLimits limits_;
  Node root_;
  std::vector<Open> open_;
  std::string key_;
  std::size_t key_at_ = 0;
  std::size_t ended_at_ = 0;
  std::size_t counted_ = 0, line_begin_ = 0;
  std::uint32_t line_ = 1;
  std::size_t taken_ = 0;
  bool failed_ = false;
};

}  // namespace

std::optional<std::string> read_text(const std::filesystem::path& path, std::size_t most) {
  std::string text;
  std::ifstream input(path, std::ios::binary);
  while (input && text.size() <= most) {
    std::array<char, 1 << 16> piece;
    input.read(piece.data(), static_cast<std::streamsize>(std::min(piece.size(), most + 1 - text.size())));
    text.append(piece.data(), static_cast<std::size_t>(input.gcount()));
  }
  if (!input.is_open() || input.bad()) return std::nullopt;
  return text;
}

std::optional<Node> read_json(std::string_view text, Issues& issues, JsonLimits limits) {
  if (text.size() > limits.bytes) {
    issues.add({issues.file(), 0, 0, "", fmt::format("the file is larger than {} bytes", limits.bytes)});
    return std::nullopt;
  }
  std::size_t read = 0;
  TreeBuilder builder(text, read, issues, limits);
  const CountingIterator begin(text.data(), &read);
  const CountingIterator end(text.data() + text.size(), &read);
  if (!nlohmann::json::sax_parse(begin, end, &builder)) return std::nullopt;
  return builder.take();
}

}  // namespace godwit::scenarios
