#include <nlohmann/json.hpp>

#include "actors/gateway/api_core.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;

/// Why the node takes no starts; empty when it does.
std::vector<std::string> why_not_ready(const node_status& status) {
  std::vector<std::string> reasons;
  if (!status.database_answers) {
    std::string reason = "the database takes nothing";
    if (status.database_failing_since)
      reason = "the database has taken nothing since " + to_rfc3339(*status.database_failing_since);
    if (!status.database_failing_reason.empty())
      reason += ": " + status.database_failing_reason;
    reasons.push_back(std::move(reason));
  }
  if (status.runs.shards_ready == 0)
    reasons.emplace_back("the node owns no shards that are recovered");
  if (!status.runs.has_run_numbers)
    reasons.emplace_back("the node waits for run numbers from the database");
  if (!status.runs.admitting)
    reasons.emplace_back("the node is shutting down");
  return reasons;
}

http_response readiness(const std::vector<std::string>& reasons) {
  if (reasons.empty())
    return json_response(200, {{"status", "ready"}});
  std::string detail;
  for (const auto& each : reasons)
    detail += (detail.empty() ? "" : "; ") + each;
  auto problem = unavailable(detail);
  auto document = problem_json(problem);
  document["reasons"] = reasons;
  auto response = to_response(problem);
  // Also where the database spoke another encoding than UTF-8.
  response.body = json_response(503, document).body;
  return response;
}

void show_readiness(const api_core_ptr& core, api_call call) {
  query_reader(call.request, {});
  // Asks the database too: an idle node would not notice that it is gone.
  core->read_or(
    [core, respond = call.respond](queries& database) {
      database.ping();
      core->ask_node(respond, [&](node& engine) {
        engine.status([respond](const node_status& status) { respond(readiness(why_not_ready(status))); });
      });
    },
    [respond = call.respond](const api_problem& problem) { respond(readiness({problem.detail})); });
}

void show_status(const api_core_ptr& core, api_call call) {
  query_reader(call.request, {});
  core->ask_node(call.respond, [&](node& engine) {
    engine.status([core, respond = call.respond](const node_status& status) {
      const auto& since = status.database_failing_since;
      const auto& reason = status.database_failing_reason;
      const ordered_json document{
        {"version", core->options.version},
        {"started_at", to_rfc3339(core->started_at)},
        {"ready", why_not_ready(status).empty()},
        {"runs",
         {{"live", status.runs.runs_live},
          {"running", status.runs.runs_running},
          {"waiting", status.runs.runs_waiting}}},
        {"shards_ready", status.runs.shards_ready},
        {"admitting", status.runs.admitting},
        {"database",
         {{"answers", status.database_answers},
          {"failing_since", since ? ordered_json(to_rfc3339(*since)) : ordered_json()},
          {"reason", reason.empty() ? ordered_json() : ordered_json(reason)}}},
        {"journal",
         {{"batches", status.batches},
          {"appends", status.appends},
          {"events", status.events},
          {"appends_waiting", status.appends_waiting}}},
      };
      respond(json_response(200, document));
    });
  });
}

} // namespace

std::vector<api_route> health_routes(const api_core_ptr& core) {
  return {
    {"GET", "/health/live",
     [](api_call call) {
       query_reader(call.request, {});
       call.respond(json_response(200, {{"status", "live"}}));
     }},
    {"GET", "/health/ready", [core](api_call call) { show_readiness(core, std::move(call)); }},
    {"GET", "/v1/status", [core](api_call call) { show_status(core, std::move(call)); }},
  };
}

} // namespace levain
