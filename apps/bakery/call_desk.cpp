#include "apps/bakery/call_desk.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/core.h>

namespace levain::bakery {

namespace {

using json = nlohmann::json;

struct route {
  std::string_view folder;
  std::string_view service;
  bool undoable;
};

constexpr std::array<route, 5> routes{{
  {"/forecasts", "forecasting", true},
  {"/schedules", "production", true},
  {"/procurement", "procurement", true},
  {"/notifications", "notifications", false},
  {"/insights", "insights", false},
}};

struct routed {
  const route* to = nullptr;
  /// What stands behind the folder; empty for the folder itself.
  std::string id;
};

routed find_route(std::string_view path) {
  for (const auto& each : routes) {
    if (path == each.folder)
      return {&each, {}};
    if (path.starts_with(each.folder) && path[each.folder.size()] == '/')
      return {&each, std::string(path.substr(each.folder.size() + 1))};
  }
  return {};
}

std::string header(const http_request& request, const std::string& name) {
  auto at = request.headers.find(name);
  return at == request.headers.end() ? std::string{} : at->second;
}

uint32_t read_attempt(const std::string& text) {
  uint32_t attempt = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), attempt);
  return error == std::errc{} && end == text.data() + text.size() ? attempt : 0;
}

/// The run a body speaks of; nothing when it is not one we can read, which the work itself will say.
std::string run_in(const std::string& body) {
  auto parsed = json::parse(body, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("run") || !parsed["run"].is_object() || !parsed["run"].contains("id"))
    return {};
  return parsed["run"]["id"].is_string() ? parsed["run"]["id"].get<std::string>() : std::string{};
}

json parse_body(const std::string& text) {
  try {
    return json::parse(text);
  } catch (const json::parse_error& wrong) {
    throw bad_input(400, "body", fmt::format("must be JSON: {}", wrong.what()));
  }
}

http_response ok(std::string body) {
  http_response response;
  response.body = std::move(body);
  return response;
}

http_response make_problem_of(const bad_input& wrong) {
  std::string_view title = wrong.status == 404   ? "Not Found"
                           : wrong.status == 405 ? "Method Not Allowed"
                           : wrong.status == 400 ? "Bad Request"
                                                 : "Unprocessable Content";
  return make_problem(wrong.status, title, fmt::format("{}: {}", wrong.field, wrong.what()), wrong.field);
}

} // namespace

bool call_desk::is_call(const http_request& request) {
  return request.method != "GET" && find_route(request.path).to;
}

desk_call call_desk::receive(http_request request, const fault_plan& faults, timestamp at) const {
  desk_call call;
  auto routed = find_route(request.path);
  call.entry = {
    .at = at,
    .method = request.method,
    .path = request.path,
    .service = std::string(routed.to->service),
    .key = header(request, "idempotency-key"),
    .attempt = read_attempt(header(request, "levain-attempt")),
    .tenant = header(request, "levain-tenant"),
    .run = header(request, "levain-run"),
  };
  if (call.entry.run.empty())
    call.entry.run = run_in(request.body);
  call.document = routed.id;
  if (auto tenant = uuid::parse(call.entry.tenant))
    if ((call.site = embedded_sample().find_bakery(*tenant)))
      call.fate = decide_fate(faults, call.entry.service, request.method, *tenant, call.entry.key, call.entry.attempt);
  call.request = std::move(request);
  return call;
}

void call_desk::check(const desk_call& call) const {
  auto undoing = !call.document.empty();
  const auto& method = call.request.method;
  if (method != (undoing ? "DELETE" : "POST"))
    throw bad_input(
      405, "method", fmt::format("must be {} for {}, not {}", undoing ? "DELETE" : "POST", call.request.path, method));
  if (undoing && !find_route(call.request.path).to->undoable)
    throw bad_input(405, "method", fmt::format("{} cannot be undone", call.entry.service));
  const auto& key = call.entry.key;
  // Anything else would not be the same key any more once it has been written as JSON and read again.
  bool printable = std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (key.empty() || key.size() > options_.key_bytes_max || !printable)
    throw bad_input(
      400, "Idempotency-Key",
      fmt::format("must be 1 to {} printable ASCII characters, not {} bytes", options_.key_bytes_max, key.size()));
  if (!uuid::parse(call.entry.tenant))
    throw bad_input(400, "Levain-Tenant", fmt::format("must be a tenant's UUID, not `{}`", call.entry.tenant));
  if (!call.site)
    throw bad_input(404, "Levain-Tenant", fmt::format("there is no bakery of tenant {}", call.entry.tenant));
  if (undoing && !uuid::parse(call.document))
    throw bad_input(400, "id", fmt::format("must be a UUID, not `{}`", call.document));
}

http_response call_desk::answer(desk_call& call, timestamp at) {
  auto response = respond(call, at);
  call.entry.status = response.status;
  state_.enter(call.entry);
  return response;
}

http_response call_desk::respond(desk_call& call, timestamp at) {
  try {
    check(call);
    auto lost = [&] {
      call.entry.fault = true;
      return make_problem(
        call.fate.status, "Fault", fmt::format("{} is told to fail by its faults", call.entry.service));
    };
    if (call.fate.status != 0 && !call.fate.answer_lost)
      return lost();
    http_response response;
    if (const auto* kept = state_.find_answer(call.entry.key)) {
      if (kept->method != call.request.method || kept->path != call.request.path || kept->tenant != call.site->tenant)
        throw bad_input(422, "Idempotency-Key", fmt::format("was used for {} {} before", kept->method, kept->path));
      call.entry.repeated = true;
      response = ok(kept->body);
      response.headers["Idempotency-Replayed"] = "true";
    } else if (state_.answers_kept() >= options_.answers_kept_max) {
      return make_problem(
        507, "Insufficient Storage",
        fmt::format("the answers of {} keys are kept, the most there may be", options_.answers_kept_max));
    } else {
      response = call.document.empty() ? work(call, at) : undo(call, at);
    }
    return call.fate.status != 0 ? lost() : response;
  } catch (const bad_input& wrong) {
    return make_problem_of(wrong);
  }
}

http_response call_desk::work(const desk_call& call, timestamp at) {
  service_call asked{call.entry.service, call.entry.key, call.site, parse_body(call.request.body)};
  json_place body(asked.body);
  if (auto run = body.find("run"))
    if (auto tenant = run->find("tenant"); tenant && uuid::parse(tenant->text()) != call.site->tenant)
      tenant->refuse(fmt::format("must be the tenant of the header Levain-Tenant, not `{}`", tenant->text()));
  auto made = serve(embedded_sample(), asked);
  auto text = made.body.dump();
  state_.keep_work(
    call.entry.key, {call.request.method, call.request.path, call.site->tenant, text}, made, call.entry.service, at);
  return ok(std::move(text));
}

http_response call_desk::undo(const desk_call& call, timestamp at) {
  const auto* found = state_.find_document(call.document);
  // A stranger's document is as good as none.
  bool known = found && found->tenant == call.site->tenant && found->service == call.entry.service;
  json answer{{"id", call.document}, {"undone", known && !found->undone}};
  if (!known)
    answer["reason"] = fmt::format("{} has no such document", call.entry.service);
  else if (found->undone)
    answer["reason"] = "it was undone before";
  auto text = answer.dump();
  state_.keep_undo(
    call.entry.key, {call.request.method, call.request.path, call.site->tenant, text}, known ? call.document : "", at);
  return ok(std::move(text));
}

http_response call_desk::read_document(const http_request& request) const {
  auto routed = find_route(request.path);
  const auto* found = routed.to && !routed.id.empty() ? state_.find_document(routed.id) : nullptr;
  auto tenant = header(request, "levain-tenant");
  if (!found || to_string(found->tenant) != tenant || found->service != routed.to->service)
    return make_problem(
      404, "Not Found", fmt::format("there is no {} of tenant `{}` (header Levain-Tenant)", request.path, tenant),
      "id");
  auto body = json::parse(found->body);
  return ok(json{{"undone", found->undone}, {"document", std::move(body)}}.dump());
}

} // namespace levain::bakery
