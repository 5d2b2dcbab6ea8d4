#include "scenarios/schema.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "scenarios/load.h"
#include "scenarios/strategy.h"
#include "tests/support/command.h"

// The schema is held against the parser with an independent validator.
namespace godwit::scenarios {
namespace {

using Plain = nlohmann::json;

const std::string kLibrary = std::string(GODWIT_SOURCE_DIR) + "/scenarios/library";

class Schema {
 public:
  Schema() {
    valijson::SchemaParser parser;
    document_ = Plain::parse(schema_json());
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(document_), schema_);
  }
  bool accepts(const Plain& document) {
    valijson::Validator validator;
    return validator.validate(schema_, valijson::adapters::NlohmannJsonAdapter(document), nullptr);
  }

 private:
  Plain document_;
  valijson::Schema schema_;
};

bool parser_accepts(const Plain& document) {
  const LoadResult result = load_text(document.dump(), "test.json", kLibrary);
  return std::holds_alternative<Loaded>(result);
}

Plain read(const std::string& name) { return Plain::parse(test::read_file(kLibrary + "/" + name + ".json")); }

TEST(Schema, TheCommittedCopiesAreTheGeneratedOnes) {
  const std::string sources = GODWIT_SOURCE_DIR;
  EXPECT_EQ(test::read_file(sources + "/scenarios/schema/scenario.schema.json"), schema_json())
      << "run: godwit schema > scenarios/schema/scenario.schema.json";
  EXPECT_EQ(test::read_file(sources + "/docs/scenario-reference.md"), reference_markdown())
      << "run: godwit schema --reference > docs/scenario-reference.md";
}

TEST(Strategies, EveryOneHasItsPage) {
  const std::filesystem::path folder = std::string(GODWIT_SOURCE_DIR) + "/docs/strategies";
  for (const Strategy& each : strategies()) {
    EXPECT_EQ(test::read_file((folder / (each.name() + ".md")).string()), strategy_page(each))
        << "run: godwit strategies " << each.name() << " --page > docs/strategies/" << each.name() << ".md";
  }
  const auto pages = std::distance(std::filesystem::directory_iterator(folder), {});
  EXPECT_EQ(static_cast<std::size_t>(pages), strategies().size()) << "a page of no strategy";
}

TEST(Schema, AcceptsTheLibraryAndTheBenchmarksCases) {
  Schema schema;
  for (const std::string& folder : {kLibrary, std::string(GODWIT_SOURCE_DIR) + "/bench/cases"}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() != ".json") continue;
      const Plain document = Plain::parse(test::read_file(entry.path().string()));
      EXPECT_TRUE(schema.accepts(document)) << entry.path();
      EXPECT_TRUE(parser_accepts(document)) << entry.path();
      EXPECT_EQ(document["name"], entry.path().stem().string());
    }
  }
}

// Every field of every library scenario in turn is replaced by something wrong: both must refuse.
TEST(Schema, RefusesWhatTheParserRefuses) {
  Schema schema;
  std::size_t tried = 0;
  for (const char* name : {"hot_heap_over_1g", "nightly_batch_phased", "nomadbios_100mbit", "redis_over_1g"}) {
    const Plain flat = read(name).flatten();
    for (const auto& [pointer, value] : flat.items()) {
      if (pointer == "/$schema" || pointer.starts_with("/expect")) continue;
      for (const Plain& wrong : {Plain(-5), Plain("no such thing!"), Plain::array({1}), Plain()}) {
        const bool is_text = pointer == "/name" || pointer == "/question" || pointer == "/notes" ||
                             pointer.ends_with("/name") || pointer.ends_with("/file");
        if (is_text && wrong.is_string()) continue;
        Plain document = read(name);
        document[Plain::json_pointer(pointer)] = wrong;
        const bool parsed = parser_accepts(document);
        const bool accepted = schema.accepts(document);
        EXPECT_FALSE(parsed && !accepted) << name << pointer << wrong;
        // Names of hosts and guests are known to the parser only.
        const bool is_name =
            wrong.is_string() && (pointer.ends_with("/to") || pointer.ends_with("/host") ||
                                  pointer.find("/between/") != std::string::npos || pointer.ends_with("/guest"));
        EXPECT_FALSE(accepted && !is_name) << name << pointer << wrong;
        EXPECT_FALSE(parsed && !is_name) << name << pointer << wrong;
        ++tried;
      }
    }
  }
  EXPECT_GT(tried, 200u);
}

TEST(Schema, RefusesUnknownFieldsEverywhere) {
  Schema schema;
  for (const char* pointer : {"", "/hosts/0", "/links/0", "/guests/0", "/guests/0/workload", "/migrations/0"}) {
    Plain document = read("hot_heap_over_1g");
    document[Plain::json_pointer(pointer)]["no_such_field"] = 1;
    EXPECT_FALSE(schema.accepts(document)) << pointer;
    EXPECT_FALSE(parser_accepts(document)) << pointer;
  }
}

}  // namespace
}  // namespace godwit::scenarios
