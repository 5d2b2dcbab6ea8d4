#include "report/charts.h"

#include <fmt/format.h>

#include <array>

namespace godwit::report {

Json inline_data(Json records) { return {{"values", std::move(records)}}; }

Json named_data(const std::string& name) { return {{"name", name}}; }

Json axis_channel(const Channel& channel) {
  Json json{{"field", channel.field}, {"type", channel.type}, {"title", channel.title}};
  if (channel.log) {
    json["scale"] = {{"type", "log"}};
    json["axis"] = {{"tickCount", 5}, {"format", "~s"}, {"labelOverlap", true}};
  }
  return json;
}

Json name_axis() { return {{"labelExpr", "split(datum.label, ': ')"}}; }

Json tooltip(const std::vector<Channel>& channels) {
  Json all = Json::array();
  for (const Channel& each : channels) {
    Json one{{"field", each.field}, {"type", each.type}, {"title", each.title}};
    if (each.type == "quantitative") one["format"] = ",.6~g";
    all.push_back(std::move(one));
  }
  return all;
}

Json stacked_bars(Json data, const Channel& x, const Channel& y, const Channel& part,
                  const std::vector<std::string>& parts) {
  Json y_json = axis_channel(y);
  y_json["sort"] = nullptr;  // as the records come
  y_json["title"] = nullptr;
  y_json["axis"] = name_axis();
  Json x_json = axis_channel(x);
  x_json["axis"] = {{"labelExpr", "format(datum.value, '~s')"}, {"tickCount", 6}};
  Json color{{"field", part.field}, {"type", "nominal"}, {"title", part.title}, {"scale", {{"domain", parts}}}};
  color["sort"] = parts;
  return {{"data", std::move(data)},
          {"width", "container"},
          {"height", {{"step", 30}}},
          {"transform",
           {{{"calculate", fmt::format("indexof({}, datum['{}'])", Json(parts).dump(), part.field)},
             {"as", "part_order"}}}},
          {"mark", {{"type", "bar"}}},
          {"encoding",
           {{"y", std::move(y_json)},
            {"x", std::move(x_json)},
            {"color", std::move(color)},
            {"order", {{"field", "part_order"}, {"type", "quantitative"}}},
            {"tooltip", tooltip({y, part, x})}}}};
}

bool is_done(const std::string& outcome) { return outcome == "completed" || outcome == "converges"; }

void mark_outcomes(Json& bars, const std::string& field, const std::vector<std::string>& outcomes) {
  const std::array<const char*, 4> greys{"#6f6f6f", "#8f8f8f", "#a8a8a8", "#555555"};
  Json range = Json::array(), full = Json::array();
  std::size_t grey = 0;
  for (const std::string& each : outcomes) {
    const bool partly = each == "with some seeds";
    range.push_back(is_done(each) ? "#0072b2" : partly ? "#e69f00" : greys[grey++ % greys.size()]);
    if (is_done(each) || partly) full.push_back(each);
  }
  const std::string hollow = fmt::format("indexof({}, datum['{}']) < 0", full.dump(), field);
  Json& encoding = bars["encoding"];
  encoding["color"]["scale"] = {{"domain", outcomes}, {"range", range}};
  encoding["stroke"] = encoding["color"];
  encoding["fillOpacity"] = {{"condition", {{"test", hollow}, {"value", 0.2}}}, {"value", 1}};
  encoding["strokeWidth"] = {{"condition", {{"test", hollow}, {"value", 1}}}, {"value", 0}};
  encoding["strokeDash"] = {{"condition", {{"test", hollow}, {"value", {5, 3}}}}, {"value", {1, 0}}};
}

Json with_failures(Json bars, const std::string& field, const std::vector<std::pair<std::string, std::string>>& all) {
  Json failures = Json::array();
  for (const auto& [name, outcome] : all)
    if (!is_done(outcome)) failures.push_back({{field, name}, {"outcome", outcome}});
  if (failures.empty()) return bars;
  Json spec{{"width", bars["width"]}, {"height", bars["height"]}};
  bars.erase("width");
  bars.erase("height");
  Json text{
      {"data", inline_data(std::move(failures))},
      {"mark", {{"type", "text"}, {"align", "left"}, {"fontStyle", "italic"}}},
      {"encoding",
       {{"y", bars["encoding"]["y"]}, {"x", {{"value", 6}}}, {"text", {{"field", "outcome"}, {"type", "nominal"}}}}}};
  spec["layer"] = Json::array({std::move(bars), std::move(text)});
  return spec;
}

void add_filters(Json& spec, const std::vector<Channel>& channels, const std::vector<Json>& values) {
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const std::string name = fmt::format("filter_{}", i);
    Json options = Json::array(), labels = Json::array();
    options.push_back(nullptr);
    labels.push_back("all");
    for (const Json& value : values[i]) {
      options.push_back(value);
      labels.push_back(value.is_string() ? value.get<std::string>() : value.dump());
    }
    spec["params"].push_back({{"name", name},
                              {"value", nullptr},
                              {"bind",
                               {{"input", "select"},
                                {"options", std::move(options)},
                                {"labels", std::move(labels)},
                                {"name", channels[i].title + " "}}}});
    spec["transform"].push_back(
        {{"filter", fmt::format("{0} === null || datum['{1}'] === {0}", name, channels[i].field)}});
  }
}

}  // namespace godwit::report
