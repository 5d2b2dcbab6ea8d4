// What compile.gwt compiles: templates enough to keep a compiler busy for some seconds.
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/dijkstra_shortest_paths.hpp>
#include <boost/graph/strong_components.hpp>
#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <vector>

using Weight = boost::property<boost::edge_weight_t, int>;
using Directed = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, boost::no_property, Weight>;

std::vector<int> distances(const Directed& graph) {
  std::vector<int> found(num_vertices(graph));
  boost::dijkstra_shortest_paths(graph, 0, boost::distance_map(found.data()));
  return found;
}

int components(const Directed& graph) {
  std::vector<int> found(num_vertices(graph));
  return boost::strong_components(graph,
                                  boost::make_iterator_property_map(found.begin(), get(boost::vertex_index, graph)));
}

std::string describe(const std::string& text) {
  nlohmann::json document = nlohmann::json::parse(text);
  const std::map<std::string, std::vector<int>> series = document.at("series");
  document["names"] = series.size();
  return document.dump(2);
}
