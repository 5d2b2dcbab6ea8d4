#include "scenarios/load.h"

#include <fmt/format.h>

#include "scenarios/json_reader.h"
#include "scenarios/resolve.h"

namespace godwit::scenarios {
namespace {

/// The steps of `pointer`, unescaped. Nothing where it does not begin with a slash.
std::optional<std::vector<std::string>> steps_of(std::string_view pointer) {
  if (!pointer.starts_with("/")) return std::nullopt;
  std::vector<std::string> steps;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      steps.emplace_back();
    } else if (pointer[i] == '~' && i + 1 < pointer.size() && (pointer[i + 1] == '0' || pointer[i + 1] == '1')) {
      steps.back() += pointer[++i] == '0' ? '~' : '/';
    } else {
      steps.back() += pointer[i];
    }
  }
  return steps;
}

bool is_utf8(std::string_view text) {
  try {
    return !Json(text).dump().empty();
  } catch (const Json::type_error&) {
    return false;
  }
}

/// `text` as JSON where it is that, else as a text; or what is wrong with it.
std::variant<Json, std::string> value_in(std::string_view text) {
  if (!Json::accept(text)) return Json(text);
  Issues issues("");
  const std::optional<Node> json = read_json(text, issues);
  if (!issues.empty()) return issues.take().front().message;
  return to_json(*json);
}

/// A strategy or profile given by name, as the object that it stands for.
void spell_out(Node& node) {
  if (!node.is(Node::Type::kString) || (node.key != "strategy" && node.key != "profile")) return;
  node = to_node(Json{{node.key == "strategy" ? "name" : "base", node.text}}, node.pointer, node.key);
}

Node& append(Node& parent, Node child) { return parent.children.emplace_back(std::move(child)); }

/// The child of `node` that `step` names, made where it can be. Null where there is none.
Node* descend(Node& node, const std::string& step) {
  spell_out(node);
  const std::string pointer = node.pointer + "/" + escape_step(step);
  if (node.is(Node::Type::kNull)) node.type = Node::Type::kObject;
  if (node.is(Node::Type::kObject)) {
    if (Node* child = node.find(step)) return child;
    return &append(node, to_node(nullptr, pointer, step));
  }
  if (!node.is(Node::Type::kArray)) return nullptr;
  for (std::size_t i = 0; i < node.children.size(); ++i)
    if (std::to_string(i) == step) return &node.children[i];
  if (step == std::to_string(node.children.size())) return &append(node, to_node(nullptr, pointer));
  return nullptr;
}

/// The name of a file without folder and extension, as a name of the format.
std::string name_from(const std::string& file) {
  std::string name = std::filesystem::path(file).stem().string();
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-' && c != '.') c = '_';
  return name.empty() ? "scenario" : name.substr(0, kNameMost);
}

/// Reads `root` into `spec`, and that into what is run; right only where `issues` is empty in the end.
sim::RunOptions understand(const Node& root, const std::string& file, const std::filesystem::path& base_dir,
                           ScenarioSpec& spec, Issues& issues) {
  issues.set_root(&root);
  scenario_table().read(root, spec, issues);
  if (root.find("name") == nullptr) spec.name = name_from(file);
  if (!root.is(Node::Type::kObject) || issues.full()) return {};
  return resolve(spec, base_dir, issues);
}

LoadResult load_node(Node root, std::string file, const std::filesystem::path& base_dir, const Overrides& overrides,
                     Issues& issues) {
  for (const std::string& each : overrides)
    if (const auto wrong = apply_set(root, each)) issues.add({"--set " + shortened(each, 100), 0, 0, "", *wrong});
  ScenarioSpec spec;
  sim::RunOptions options = understand(root, file, base_dir, spec, issues);
  if (!issues.empty()) return issues.take();

  Loaded loaded;
  loaded.options = std::move(options);
  loaded.effective = scenario_table().write(spec);
  loaded.document = to_json(root);
  loaded.file = std::move(file);
  loaded.base_dir = base_dir;
  loaded.expect = std::move(spec.expect);
  return loaded;
}

}  // namespace

LoadResult load_file(const std::filesystem::path& path, const Overrides& overrides) {
  Issues issues(path.string());
  std::optional<Node> root = read_document(path, issues);
  if (!root) return issues.take();
  return load_node(std::move(*root), path.string(), path.parent_path(), overrides, issues);
}

std::optional<Node> read_document(const std::filesystem::path& path, Issues& issues) {
  const std::optional<std::string> text = read_text(path);
  if (text) return read_json(*text, issues);
  issues.add({path.string(), 0, 0, "", "this file cannot be read"});
  return std::nullopt;
}

LoadResult load_text(std::string_view text, std::string file, const std::filesystem::path& base_dir,
                     const Overrides& overrides) {
  Issues issues(file);
  std::optional<Node> root = read_json(text, issues);
  if (!root) return issues.take();
  return load_node(std::move(*root), std::move(file), base_dir, overrides, issues);
}

LoadResult load_document(const Json& document, std::string file, const std::filesystem::path& base_dir,
                         const Overrides& overrides) {
  Issues issues(file);
  return load_node(to_node(document), std::move(file), base_dir, overrides, issues);
}

std::variant<sim::RunOptions, std::vector<Issue>> options_of(const Node& root, const std::string& file,
                                                             const std::filesystem::path& base_dir) {
  Issues issues(file);
  ScenarioSpec spec;
  sim::RunOptions options = understand(root, file, base_dir, spec, issues);
  if (!issues.empty()) return issues.take();
  return options;
}

std::optional<std::string> apply_set(Node& document, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) return "expected /pointer=value";
  const std::string_view pointer = assignment.substr(0, equals), value = assignment.substr(equals + 1);
  if (!is_utf8(assignment)) return "this is not UTF-8";
  auto read = value_in(value);
  if (auto* wrong = std::get_if<std::string>(&read)) return std::move(*wrong);
  Node changed = document;
  if (auto wrong = set_at(changed, pointer, std::get<Json>(read))) return wrong;
  document = std::move(changed);
  return std::nullopt;
}

std::optional<std::string> set_at(Node& document, std::string_view pointer, const Json& value) {
  const auto steps = steps_of(pointer);
  if (!steps) return fmt::format("expected a JSON pointer such as /guests/0/memory, got {}", shortened(pointer, 100));
  if (steps->size() > JsonLimits{}.depth)
    return fmt::format("expected a JSON pointer of at most {} steps, got {}", JsonLimits{}.depth, steps->size());
  Node* at = &document;
  for (const std::string& step : *steps) {
    Node* next = descend(*at, step);
    if (next == nullptr)
      return fmt::format("{} leads nowhere: {} has no element {}", shortened(pointer, 100), at->pointer, step);
    at = next;
  }
  *at = to_node(value, at->pointer, at->key);
  return std::nullopt;
}

std::optional<std::string> apply_set(Json& document, std::string_view assignment) {
  Node node = to_node(document);
  auto wrong = apply_set(node, assignment);
  if (!wrong) document = to_json(node);
  return wrong;
}

Json with_strategy(Json document, const std::string& name) {
  if (!document.contains("migrations") || !document["migrations"].is_array()) return document;
  for (Json& migration : document["migrations"])
    if (migration.is_object()) migration["strategy"] = name;
  return document;
}

LoadResult with_strategy(const Loaded& loaded, const std::string& name) {
  return load_document(with_strategy(loaded.document, name), loaded.file, loaded.base_dir);
}

std::string to_string(const std::vector<Issue>& issues) {
  std::string text;
  for (const Issue& each : issues) text += each.to_string() + "\n";
  return text;
}

}  // namespace godwit::scenarios
