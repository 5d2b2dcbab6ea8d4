#include "report/charts.h"

#include <fmt/format.h>

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
