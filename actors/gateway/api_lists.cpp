#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "actors/gateway/api_core.hpp"
#include "actors/gateway/api_words.hpp"
#include "actors/gateway/run_view.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;

/// Without `since`, the summary looks back so far.
constexpr std::chrono::days metrics_span_default{30};

const std::vector<std::string_view> run_types{"scheduled", "manual", "test"};

ordered_json rows_json(const std::vector<listed_run>& rows) {
  auto all = ordered_json::array();
  for (const auto& each : rows) {
    auto row = audit_row_json(each, row_columns::without_documents);
    row["activity"] = each.activity ? ordered_json(to_string(*each.activity)) : ordered_json();
    all.push_back(std::move(row));
  }
  return all;
}

/// The runs, and beside them the rows that cannot be read where there are such.
ordered_json list_json(const run_list& list) {
  ordered_json json{{"runs", rows_json(list.runs)}};
  if (list.unreadable.empty())
    return json;
  auto& unreadable = json["unreadable"] = ordered_json::array();
  for (const auto& each : list.unreadable)
    unreadable.push_back(
      {{"id", to_string(each.run)},
       {"run_number", each.run_number},
       {"column", each.column},
       {"message", each.message}});
  return json;
}

/// A list that has no next page: says whether it was cut at its limit.
http_response limited_list(const run_list& list, size_t limit) {
  auto json = list_json(list);
  json["limit_reached"] = list.size() >= limit;
  return json_response(200, json);
}

/// A status of the audit table, or what a run that has not ended is doing.
void add_status(run_filter& filter, const std::string& name) {
  if (const auto status = parse_run_status(name))
    filter.statuses.push_back(*status);
  else if (const auto activity = parse_run_activity(name))
    filter.activities.push_back(*activity);
  else
    refuse_parameter(
      "status",
      fmt::format(
        "must be pending, running, completed, partial_success, failed, cancelled, paused or cancelling, not '{}'",
        name));
}

std::optional<std::string> run_type_of(const query_reader& query) {
  auto type = query.text("run_type");
  if (type && std::find(run_types.begin(), run_types.end(), *type) == run_types.end())
    refuse_parameter("run_type", fmt::format("must be {}, not '{}'", list_names(run_types), *type));
  return type;
}

run_filter filter_of(const http_request& request, read_scope scope) {
  const query_reader query(request, {"status", "run_type", "workflow", "from", "to", "limit", "cursor"});
  run_filter filter{scope};
  for (const auto& each : query.many("status"))
    add_status(filter, each);
  filter.run_type = run_type_of(query);
  filter.workflow = query.text("workflow");
  filter.started_from = query.time("from");
  filter.started_before = query.time("to");
  if (filter.started_from && filter.started_before && *filter.started_before < *filter.started_from)
    refuse_parameter("to", "must not be before 'from'");
  filter.limit = query.limit(rows_per_answer_default);
  filter.cursor = query.text("cursor").value_or("");
  return filter;
}

/// Everything that `ask` asks with is checked already, but the cursor.
run_page read_page(const auto& ask) {
  try {
    return ask();
  } catch (const std::invalid_argument& failure) {
    refuse_parameter("cursor", fmt::format("must be a 'next_cursor' of this list: {}", failure.what()));
  }
}

ordered_json page_json(const run_page& page) {
  auto json = list_json(page);
  json["next_cursor"] = page.next.empty() ? ordered_json() : ordered_json(page.next);
  return json;
}

void list_runs(const api_core_ptr& core, api_call call, read_scope scope) {
  core->read(
    std::move(call.respond), [filter = filter_of(call.request, scope)](queries& database, const api_respond& respond) {
      respond(json_response(200, page_json(read_page([&] { return database.list_runs(filter); }))));
    });
}

void list_active(const api_core_ptr& core, api_call call) {
  const auto tenant = tenant_of(call);
  const auto limit = query_reader(call.request, {"limit"}).limit(rows_per_answer_max);
  core->read(std::move(call.respond), [=](queries& database, const api_respond& respond) {
    respond(limited_list(database.active_runs(tenant, limit), limit));
  });
}

void list_history(const api_core_ptr& core, api_call call) {
  const auto tenant = tenant_of(call);
  const query_reader query(call.request, {"from", "to", "limit"});
  const auto limit = query.limit(rows_per_answer_max);
  const auto from = query.time("from");
  if (!from)
    refuse_parameter("from", "is missing; it must be a time such as 2026-11-23T04:00:00Z or a date such as 2026-11-23");
  const auto to = query.time("to").value_or(now_utc());
  if (to < *from)
    refuse_parameter("to", fmt::format("must not be before 'from', as {} is", to_rfc3339(to)));
  core->read(std::move(call.respond), [=](queries& database, const api_respond& respond) {
    respond(limited_list(database.run_history(tenant, *from, to, limit), limit));
  });
}

ordered_json number_or_null(const std::optional<double>& average) {
  return average ? ordered_json(*average) : ordered_json();
}

void summarize_metrics(const api_core_ptr& core, api_call call) {
  const auto tenant = tenant_of(call);
  const query_reader query(call.request, {"since"});
  const auto since = query.time("since").value_or(now_utc() - metrics_span_default);
  core->read(std::move(call.respond), [=](queries& database, const api_respond& respond) {
    const auto averages = database.metrics_summary(tenant, since);
    respond(json_response(
      200, {{"since", to_rfc3339(since)},
            {"runs", averages.runs},
            {"fulfillment_rate", number_or_null(averages.fulfillment_rate)},
            {"on_time_delivery_rate", number_or_null(averages.on_time_delivery_rate)},
            {"cost_accuracy", number_or_null(averages.cost_accuracy)},
            {"quality_score", number_or_null(averages.quality_score)},
            {"duration_seconds", number_or_null(averages.duration_seconds)}}));
  });
}

void list_attention(const api_core_ptr& core, api_call call, read_scope scope) {
  const query_reader query(call.request, {"run_type", "limit", "cursor"});
  attention_filter filter{scope};
  filter.run_type = run_type_of(query);
  filter.limit = query.limit(rows_per_answer_max);
  filter.cursor = query.text("cursor").value_or("");
  core->read(std::move(call.respond), [filter](queries& database, const api_respond& respond) {
    const auto page = read_page([&] { return database.runs_needing_attention(filter); });
    auto json = page_json(page);
    json["limit_reached"] = !page.next.empty();
    respond(json_response(200, json));
  });
}

} // namespace

std::vector<api_route> list_routes(const api_core_ptr& core) {
  const std::string tenant = "/v1/tenants/{tenant}";
  return {
    {"GET", tenant + "/runs",
     [core](api_call call) {
       const auto whose = tenant_of(call);
       list_runs(core, std::move(call), whose);
     }},
    {"GET", tenant + "/active", [core](api_call call) { list_active(core, std::move(call)); }},
    {"GET", tenant + "/history", [core](api_call call) { list_history(core, std::move(call)); }},
    {"GET", tenant + "/metrics-summary", [core](api_call call) { summarize_metrics(core, std::move(call)); }},
    {"GET", "/v1/operator/runs", [core](api_call call) { list_runs(core, std::move(call), operator_scope{}); }},
    {"GET", tenant + "/attention",
     [core](api_call call) {
       const auto whose = tenant_of(call);
       list_attention(core, std::move(call), whose);
     }},
    {"GET", "/v1/operator/attention",
     [core](api_call call) { list_attention(core, std::move(call), operator_scope{}); }},
  };
}

} // namespace levain
