#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actors/gateway/api_core.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;

constexpr size_t endings_per_answer_default = 1000;
constexpr size_t endings_per_answer_max = 10'000;
/// In seconds; shorter than `response_timeout_max` is by default.
constexpr size_t endings_wait_max = 30;

ordered_json ending_json(const run_ending& ending) {
  return {
    {"id", to_string(ending.run)},
    {"tenant", to_string(ending.tenant)},
    {"status", to_string(ending.status)},
    {"ended_at", to_rfc3339(ending.ended_at)},
    {"steps_succeeded", ending.steps_succeeded}};
}

http_response to_response(const endings_page& page) {
  auto endings = ordered_json::array();
  for (const auto& each : page.endings)
    endings.push_back(ending_json(each));
  return json_response(200, {{"endings", std::move(endings)}, {"next", to_string(page.next)}, {"missed", page.missed}});
}

http_response to_response(const endings_refused& refused) {
  if (refused.reason == endings_refused::reason_type::no_such_cursor)
    return to_response(api_problem{400, fmt::format("after: {}", refused.message), "after", {}, std::nullopt});
  return to_response(api_problem{429, refused.message, {}, {}, std::chrono::seconds(1)});
}

endings_asked asked_by(const http_request& request) {
  const query_reader query(request, {"after", "wait", "limit"});
  endings_asked asked;
  if (const auto after = query.text("after"); after == "newest") {
    asked.from = endings_asked::from_type::newest;
  } else if (after) {
    const auto cursor = parse_endings_cursor(*after);
    if (!cursor)
      refuse_parameter("after", fmt::format("must be a 'next' of this list, or 'newest', not '{}'", *after));
    asked.from = endings_asked::from_type::cursor;
    asked.after = *cursor;
  }
  asked.wait = std::chrono::seconds(query.number("wait", 0, 0, endings_wait_max));
  asked.limit = query.number("limit", endings_per_answer_default, 1, endings_per_answer_max);
  return asked;
}

} // namespace

std::vector<api_route> ending_routes(const api_core_ptr& core) {
  return {{"GET", "/v1/operator/endings", [core](api_call call) {
             auto asked = asked_by(call.request);
             if (const auto client = call.request.client; client && asked.wait > duration(0)) {
               client->watch();
               asked.abandoned = [client] { return client->gone(); };
             }
             asked.outcome = [respond = call.respond](const endings_outcome& outcome) {
               respond(std::visit([](const auto& told) { return to_response(told); }, outcome));
             };
             core->ask_node(call.respond, [&](node& engine) { engine.ask_endings(std::move(asked)); });
           }}};
}

} // namespace levain
