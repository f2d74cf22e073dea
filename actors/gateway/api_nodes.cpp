#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "actors/gateway/api_core.hpp"
#include "actors/gateway/api_words.hpp"
#include "persistence/utf8.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;

/// As in the column `name` of `nodes`.
constexpr size_t node_name_characters_max = 100;

ordered_json node_json(const node_view& node, const cluster_view& all) {
  auto numbers = ordered_json::array();
  for (size_t shard = 0; shard < all.owners.size(); ++shard)
    if (all.owners[shard] == node.id)
      numbers.push_back(shard);
  return {
    {"id", to_string(node.id)},
    {"name", node.name},
    {"address", node.address},
    {"cluster_address", node.cluster_address},
    {"version", node.version},
    {"protocol_min", node.protocol_min},
    {"protocol_max", node.protocol_max},
    {"schema_version", node.schema_version},
    {"alive", node.alive},
    {"draining", node.draining},
    {"lacks", node.figures.lacks.empty() ? ordered_json() : ordered_json(node.figures.lacks)},
    {"age_ms", node.age.count()},
    {"silent_ms", node.silent.count()},
    {"shards", node.shards},
    {"shard_numbers", std::move(numbers)},
    {"runs_live", node.figures.runs_live},
    {"runs_waiting", node.figures.runs_waiting},
    {"slots_free", node.figures.slots_free},
    {"runs_ended_per_second", node.figures.runs_ended_per_second},
    {"append_wait_ms", node.figures.append_wait_ms},
    {"workers", node.figures.workers}};
}

void list_nodes(const api_core_ptr& core, api_call call) {
  query_reader(call.request, {});
  core->read(std::move(call.respond), [](queries& database, const api_respond& respond) {
    const auto all = database.view_cluster();
    auto nodes = ordered_json::array();
    for (const auto& each : all.nodes)
      nodes.push_back(node_json(each, all));
    const auto free = std::count(all.owners.begin(), all.owners.end(), std::nullopt);
    respond(json_response(200, {{"nodes", std::move(nodes)}, {"shards_free", free}}));
  });
}

std::string candidates_text(const std::vector<node_view>& nodes) {
  std::vector<std::string> texts;
  for (const auto& each : nodes)
    texts.push_back(fmt::format("'{}' {}", each.name, to_string(each.id)));
  return fmt::format("{}", fmt::join(texts, ", "));
}

/// The node that the path names: by its id, whether it lives or not, or by a name that one living node has.
node_view node_named(const std::string& text, const std::vector<node_view>& nodes) {
  const auto id = uuid::parse(text);
  std::vector<node_view> living;
  std::vector<node_view> found;
  for (const auto& each : nodes) {
    if (each.alive)
      living.push_back(each);
    if (id ? each.id == *id : each.alive && each.name == text)
      found.push_back(each);
  }
  if (found.size() == 1)
    return found.front();
  if (found.empty())
    throw request_refused(
      {404,
       fmt::format("there is no node '{}'; living are {}", text, living.empty() ? "none" : candidates_text(living)),
       "node"});
  throw request_refused(
    {409,
     fmt::format(
       "{} living nodes are called '{}'; say which by its id: {}", found.size(), text, candidates_text(found)),
     "node"});
}

void mark_node(const api_core_ptr& core, api_call call, bool draining) {
  query_reader(call.request, {});
  require_json(call.request);
  if (const auto body = nlohmann::json::parse(call.request.body, nullptr, false);
      !call.request.body.empty() && (!body.is_object() || !body.empty()))
    throw request_refused({400, "the body must be absent or an empty object {}: the path says it all"});
  const auto named = call.segment("node");
  if (count_characters(named) > node_name_characters_max)
    refuse_parameter(
      "node", fmt::format("must be a node's id, or its name of at most {} characters", node_name_characters_max));
  core->read(std::move(call.respond), [core, named, draining](queries& database, const api_respond& respond) {
    const auto node = node_named(named, database.view_cluster().nodes);
    core->ask_node(respond, [&](levain::node& engine) {
      engine.set_draining(node.id, draining, [node, draining, respond](const std::variant<bool, std::string>& outcome) {
        if (const auto* failure = std::get_if<std::string>(&outcome))
          return respond(to_response(unavailable("the database cannot be asked: " + *failure)));
        if (!std::get<bool>(outcome))
          return respond(
            to_response(api_problem{404, fmt::format("node {} has left just now", to_string(node.id)), "node"}));
        respond(json_response(200, {{"id", to_string(node.id)}, {"name", node.name}, {"draining", draining}}));
      });
    });
  });
}

} // namespace

std::vector<api_route> node_routes(const api_core_ptr& core) {
  const std::string nodes = "/v1/operator/nodes";
  return {
    {"GET", nodes, [core](api_call call) { list_nodes(core, std::move(call)); }},
    {"POST", nodes + "/{node}/drain", [core](api_call call) { mark_node(core, std::move(call), true); }},
    {"POST", nodes + "/{node}/undrain", [core](api_call call) { mark_node(core, std::move(call), false); }},
  };
}

} // namespace levain
