#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actors/gateway/api_core.hpp"
#include "actors/workflow/literal_secrets.hpp"
#include "persistence/exact_json.hpp"
#include "persistence/log_quoted.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;

/// Refuses a definition that names settings this node has no value for: no run of it could ever end well here.
std::vector<field_error> unset_variables(const workflow_definition& workflow, const call_variables& variables) {
  std::vector<field_error> errors;
  for (const auto& [name, place] : missing_variables(workflow, variables))
    errors.push_back(
      {place, fmt::format("this node has no value for ${{{}}}; give it one by --var {}=VALUE", name, name)});
  return errors;
}

ordered_json name_json(const workflow_definition& workflow) {
  return {{"workflow", workflow.name}, {"version", workflow.version}, {"content_hash", workflow.content_hash}};
}

/// What is allowed and better done otherwise; the log has it too.
ordered_json warnings_of(const workflow_definition& workflow) {
  auto warnings = ordered_json::array();
  for (const auto& [field, message] : literal_secrets(workflow)) {
    spdlog::warn(
      "definition_holds_secret workflow={} version={} field={} message={}", workflow.name, workflow.version,
      log_quoted(field), log_quoted(message));
    warnings.push_back({{"field", field}, {"message", message}});
  }
  return warnings;
}

http_response registered(const workflow_definition& workflow, definition_store::put_result result) {
  using put_result = definition_store::put_result;
  if (result == put_result::conflict)
    return to_response(
      {409,
       fmt::format(
         "version {} of workflow '{}' is registered with another content; definitions never change, so register this "
         "one as version {}",
         workflow.version, workflow.name, workflow.version + 1),
       "version"});
  auto document = name_json(workflow);
  document["registered"] = result == put_result::registered;
  if (auto warnings = warnings_of(workflow); !warnings.empty())
    document["warnings"] = std::move(warnings);
  auto response = json_response(result == put_result::registered ? 201 : 200, document);
  if (result == put_result::registered)
    response.headers["Location"] = fmt::format("/v1/workflows/{}/{}", workflow.name, workflow.version);
  return response;
}

void register_definition(const api_core_ptr& core, api_call call) {
  query_reader(call.request, {});
  require_json(call.request);
  auto parsed = parse_definition(call.request.body);
  if (!parsed.errors.empty())
    throw request_refused(invalid_content(std::move(parsed.errors)));
  core->ask_node(call.respond, [&](node& engine) {
    if (auto errors = unset_variables(*parsed.workflow, engine.variables()); !errors.empty())
      return call.respond(to_response(invalid_content(std::move(errors))));
    engine.put_workflow(parsed.workflow, [workflow = parsed.workflow, respond = call.respond](auto outcome) {
      if (const auto* failure = std::get_if<std::string>(&outcome))
        respond(to_response(unavailable(*failure)));
      else if (const auto* refused = std::get_if<definition_refused>(&outcome))
        respond(to_response({422, fmt::format("the database refuses this definition: {}", refused->reason)}));
      else
        respond(registered(*workflow, std::get<definition_store::put_result>(outcome)));
    });
  });
}

/// A cursor is the last version's place in the list: `bread/1`.
std::optional<definition_place> place_in(const query_reader& query) {
  const auto cursor = query.text("cursor");
  if (!cursor)
    return std::nullopt;
  const auto slash = cursor->rfind('/');
  definition_place place{cursor->substr(0, slash), 0};
  if (slash != std::string::npos && slash > 0) {
    const char* end = cursor->data() + cursor->size();
    const auto [stopped, error] = std::from_chars(cursor->data() + slash + 1, end, place.version);
    if (error == std::errc() && stopped == end && place.version > 0)
      return place;
  }
  refuse_parameter("cursor", fmt::format("must be a 'next_cursor' of this list, not '{}'", *cursor));
}

ordered_json listed_json(const listed_definition& each) {
  ordered_json json{
    {"workflow", each.name},
    {"version", each.version},
    {"content_hash", each.content_hash},
    {"registered_at", each.registered_at ? ordered_json(to_rfc3339(*each.registered_at)) : ordered_json()}};
  if (!each.registered_at)
    json["unreadable"] = "registered_at: the row holds a time that no calendar has";
  return json;
}

/// Over a connection for reads: starts wait for the definitions' own.
void list_definitions(const api_core_ptr& core, api_call call) {
  const query_reader query(call.request, {"limit", "cursor"});
  const auto limit = query.limit(rows_per_answer_max);
  const auto after = place_in(query);
  core->read(std::move(call.respond), [limit, after](queries& database, const api_respond& respond) {
    const auto listed = database.list_definitions(after, limit);
    const bool is_full = listed.size() == limit;
    ordered_json next;
    if (is_full)
      if (const auto& last = listed.back();
          !database.list_definitions(definition_place{last.name, last.version}, 1).empty())
        next = fmt::format("{}/{}", last.name, last.version);
    auto all = ordered_json::array();
    for (const auto& each : listed)
      all.push_back(listed_json(each));
    respond(json_response(200, {{"workflows", std::move(all)}, {"next_cursor", std::move(next)}}));
  });
}

int32_t version_of(const api_call& call) {
  const auto& text = call.segment("version");
  int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1)
    refuse_parameter(
      "version",
      fmt::format("must be a whole number from 1 to {}, not '{}'", std::numeric_limits<int32_t>::max(), text));
  return number;
}

void show_definition(const api_core_ptr& core, const api_call& call, std::optional<int32_t> version) {
  query_reader(call.request, {});
  const auto& name = call.segment("name");
  core->ask_node(call.respond, [&](node& engine) {
    engine.find(name, version, [name, version, respond = call.respond](auto outcome) {
      if (const auto* failure = std::get_if<std::string>(&outcome))
        return respond(to_response(unavailable(*failure)));
      const auto workflow = std::get<workflow_ptr>(outcome);
      if (!workflow)
        return respond(to_response(
          version ? api_problem{404, fmt::format("workflow '{}' has no version {}", name, *version), "version"}
                  : api_problem{404, fmt::format("there is no workflow '{}'", name), "name"}));
      auto document = name_json(*workflow);
      document["definition"] = read_exact_json<ordered_json>(workflow->body);
      respond(json_response(200, document));
    });
  });
}

void show_schema(const api_call& call) {
  query_reader(call.request, {});
  http_response response;
  response.content_type = "application/schema+json";
  response.body = definition_schema();
  call.respond(std::move(response));
}

} // namespace

std::vector<api_route> workflow_routes(const api_core_ptr& core) {
  return {
    {"POST", "/v1/workflows", [core](api_call call) { register_definition(core, std::move(call)); }},
    {"GET", "/v1/workflows", [core](api_call call) { list_definitions(core, std::move(call)); }},
    {"GET", "/v1/workflows/{name}", [core](api_call call) { show_definition(core, call, std::nullopt); }},
    {"GET", "/v1/workflows/{name}/{version}", [core](api_call call) { show_definition(core, call, version_of(call)); }},
    {"GET", "/v1/workflow-schema", [](api_call call) { show_schema(call); }},
  };
}

} // namespace levain
