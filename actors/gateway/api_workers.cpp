#include <nlohmann/json.hpp>

#include "actors/gateway/api_core.hpp"
#include "actors/gateway/worker_json.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;

void list_workers(const api_core_ptr& core, api_call call) {
  query_reader(call.request, {});
  core->ask_node(call.respond, [&](node& engine) { call.respond(json_response(200, workers_json(engine.workers()))); });
}

} // namespace

ordered_json workers_json(const std::vector<worker_view>& workers) {
  auto all = ordered_json::array();
  for (const auto& each : workers) {
    auto kinds = ordered_json::array();
    for (const auto& offer : each.kinds)
      kinds.push_back({{"kind", offer.kind}, {"at_once", offer.at_once}, {"free", offer.free}});
    all.push_back(
      {{"id", to_string(each.id)},
       {"name", each.name},
       {"host", each.host},
       {"version", each.version},
       {"connected_since", to_rfc3339(each.connected_since)},
       {"leaving", each.leaving},
       {"calls_out", each.calls_out},
       {"kinds", std::move(kinds)}});
  }
  return {{"workers", std::move(all)}};
}

std::vector<api_route> worker_routes(const api_core_ptr& core) {
  return {{"GET", "/v1/operator/workers", [core](api_call call) { list_workers(core, std::move(call)); }}};
}

} // namespace levain
