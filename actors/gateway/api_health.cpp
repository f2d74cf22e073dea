#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include "actors/database_findings.hpp"
#include "actors/gateway/api_core.hpp"
#include "actors/node_findings.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;

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

/// Says what `/v1/status` and the doctor say at the same moment: the node's heartbeats ask the database all the time.
void show_readiness(const api_core_ptr& core, api_call call) {
  query_reader(call.request, {});
  core->ask_node(call.respond, [&](node& engine) {
    engine.status([respond = call.respond](const node_status& status) { respond(readiness(why_not_ready(status))); });
  });
}

ordered_json figures_json(const recent_values::figures& figures) {
  return {{"count", figures.count}, {"median", figures.median}, {"p99", figures.p99}, {"max", figures.max}};
}

ordered_json liveness_json(const liveness_figures& found) {
  ordered_json violations;
  for (size_t i = 0; i < liveness_kind_count; ++i)
    violations[std::string(to_string(static_cast<liveness_kind>(i)))] = found.violations[i];
  auto last = ordered_json::array();
  for (const auto& each : found.last)
    last.push_back(
      {{"at", to_rfc3339(each.at)},
       {"run", to_string(each.run)},
       {"kind", to_string(each.kind)},
       {"detail", each.detail}});
  return {
    {"looks", found.looks},
    {"looked_at", found.looked_at ? ordered_json(to_rfc3339(*found.looked_at)) : ordered_json()},
    {"violations", std::move(violations)},
    {"given_up", found.given_up},
    {"last", std::move(last)}};
}

/// What the node counts of its memory, beside the limits.
ordered_json memory_json(const node_status& status) {
  const auto& calls = status.calls_memory;
  return {{"runs_bytes", status.runs_bytes},         {"runs_bytes_peak", status.runs_bytes_peak},
          {"runs_bytes_max", status.runs_bytes_max}, {"calls_bytes", calls.bytes},
          {"calls_bytes_peak", calls.bytes_peak},    {"calls_bytes_max", calls.bytes_max},
          {"calls_waiting", calls.calls_waiting},    {"answers_waiting", calls.answers_waiting}};
}

/// What this process has used since it began.
ordered_json process_json() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto millis = [](const timeval& time) { return time.tv_sec * 1000 + time.tv_usec / 1000; };
  constexpr int64_t bytes_in_kibibyte = 1024;
  return {
    {"id", ::getpid()},
    {"cpu_ms", millis(used.ru_utime) + millis(used.ru_stime)},
    {"peak_rss_bytes", used.ru_maxrss * bytes_in_kibibyte}};
}

void show_status(const api_core_ptr& core, api_call call) {
  query_reader(call.request, {});
  core->ask_node(call.respond, [&](node& engine) {
    engine.status([core, respond = call.respond](const node_status& status) {
      const auto& outage = status.database_outage;
      const ordered_json document{
        {"version", core->options.version},
        {"started_at", to_rfc3339(core->started_at)},
        {"ready", why_not_ready(status).empty()},
        {"reasons", why_not_ready(status)},
        {"runs",
         {{"live", status.runs.runs_live},
          {"running", status.runs.runs_running},
          {"waiting", status.runs.runs_waiting},
          {"stopped", status.runs.runs_stopped}}},
        {"memory", memory_json(status)},
        {"shards_ready", status.runs.shards_ready},
        {"shards_leaving", status.runs.shards_leaving},
        {"draining", status.draining},
        {"lacks", status.lacks.empty() ? ordered_json() : ordered_json(status.lacks)},
        {"recovery",
         {{"going_on", status.runs.shards_recovering > 0},
          {"runs_recovered", status.runs.runs_recovered},
          {"shards_left", status.runs.shards_recovering}}},
        {"lease",
         {{"times_fenced", status.runs.times_fenced},
          {"fenced_at", status.runs.fenced_at ? ordered_json(to_rfc3339(*status.runs.fenced_at)) : ordered_json()}}},
        {"admitting", status.runs.admitting},
        {"database",
         {{"answers", !outage},
          {"writers_failing", outage ? outage->writers_failing : 0},
          {"failing_since", outage ? ordered_json(to_rfc3339(outage->since)) : ordered_json()},
          {"reason", outage ? ordered_json(outage->reason) : ordered_json()}}},
        {"journal",
         {{"batches", status.batches},
          {"appends", status.appends},
          {"events", status.events},
          {"appends_waiting", status.appends_waiting},
          {"batch_runs", figures_json(status.batch_runs)},
          {"batch_events", figures_json(status.batch_events)},
          {"commit_micros", figures_json(status.commit_micros)}}},
        {"workers",
         {{"connected", status.workers.connected},
          {"calls_out", status.workers.calls_out},
          {"calls_waiting", status.workers.calls_waiting}}},
        {"liveness", liveness_json(status.liveness)},
        {"process", process_json()},
      };
      respond(json_response(200, document));
    });
  });
}

/// What is known of the database by now, then the node's own figures.
void answer_doctor(const api_core_ptr& core, const api_respond& respond, std::vector<finding> database) {
  core->ask_node(respond, [&](node& engine) {
    engine.status([core, respond, database = std::move(database)](const node_status& status) {
      auto findings = node_findings(status);
      findings.insert(findings.end(), database.begin(), database.end());
      ordered_json document{
        {"version", core->options.version},
        {"started_at", to_rfc3339(core->started_at)},
        {"worst", to_string(worst_of(findings))},
        {"findings", ordered_json::array()},
      };
      for (const auto& each : findings)
        document["findings"].push_back(finding_json(each));
      respond(json_response(200, document));
    });
  });
}

void show_doctor(const api_core_ptr& core, api_call call) {
  query_reader(call.request, {});
  core->read_or(
    [core, respond = call.respond](queries& database) {
      const auto health = database.health();
      auto findings = database_findings(health);
      findings.insert(findings.begin(), clock_finding(health.clock, finding_subject::node));
      answer_doctor(core, respond, std::move(findings));
    },
    // The node can tell of itself all the same.
    [core, respond = call.respond](const api_problem& problem) {
      answer_doctor(core, respond, {unreachable_finding(finding_subject::database, problem.detail)});
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
    {"GET", "/v1/doctor", [core](api_call call) { show_doctor(core, std::move(call)); }},
    {"GET", "/v1/status", [core](api_call call) { show_status(core, std::move(call)); }},
  };
}

} // namespace levain
