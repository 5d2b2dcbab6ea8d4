#include "tests/support/xml.h"

#include <expat.h>

#include <memory>

namespace godwit::test {
namespace {

struct Reader {
  std::vector<Element> elements;
  std::vector<std::size_t> open;
};

void begin(void* user, const XML_Char* name, const XML_Char** attributes) {
  auto& reader = *static_cast<Reader*>(user);
  Element element{.name = name, .attributes = {}, .text = {}};
  for (; *attributes; attributes += 2) element.attributes[attributes[0]] = attributes[1];
  reader.open.push_back(reader.elements.size());
  reader.elements.push_back(std::move(element));
}

void end(void* user, const XML_Char*) { static_cast<Reader*>(user)->open.pop_back(); }

void text(void* user, const XML_Char* characters, int length) {
  auto& reader = *static_cast<Reader*>(user);
  reader.elements[reader.open.back()].text.append(characters, static_cast<std::size_t>(length));
}

}  // namespace

std::optional<std::vector<Element>> parse_xml(std::string_view xml) {
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(XML_ParserCreate(nullptr), &XML_ParserFree);
  Reader reader;
  XML_SetUserData(parser.get(), &reader);
  XML_SetElementHandler(parser.get(), begin, end);
  XML_SetCharacterDataHandler(parser.get(), text);
  if (XML_Parse(parser.get(), xml.data(), static_cast<int>(xml.size()), 1) != XML_STATUS_OK) return std::nullopt;
  return reader.elements;
}

}  // namespace godwit::test
