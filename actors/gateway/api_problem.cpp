#include "actors/gateway/api_problem.hpp"

#include <nlohmann/json.hpp>

#include "persistence/exact_json.hpp"

namespace levain {

namespace {

/// What a caller is told to wait when nobody knows better.
constexpr std::chrono::milliseconds retry_after_default{1000};

/// `Retry-After` counts whole seconds; asking too early would be refused again.
int64_t whole_seconds(std::chrono::milliseconds wait) {
  return std::max<int64_t>(1, std::chrono::ceil<std::chrono::seconds>(wait).count());
}

std::string dump(const nlohmann::ordered_json& document) {
  // Details may quote what a stranger sent, which need not be UTF-8.
  return write_exact_json(document);
}

} // namespace

std::string_view title_of(int status) {
  switch (status) {
  case 400:
    return "Bad Request";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 409:
    return "Conflict";
  case 413:
    return "Content Too Large";
  case 415:
    return "Unsupported Media Type";
  case 422:
    return "Unprocessable Content";
  case 429:
    return "Too Many Requests";
  case 503:
    return "Service Unavailable";
  default:
    return "Internal Server Error";
  }
}

nlohmann::ordered_json problem_json(const api_problem& problem) {
  nlohmann::ordered_json document{
    {"type", "about:blank"},
    {"title", title_of(problem.status)},
    {"status", problem.status},
    {"detail", problem.detail},
  };
  if (!problem.field.empty())
    document["field"] = problem.field;
  if (!problem.errors.empty()) {
    auto& all = document["errors"] = nlohmann::ordered_json::array();
    for (const auto& each : problem.errors)
      all.push_back({{"field", each.field}, {"message", each.message}});
  }
  if (problem.retry_after)
    document["retry_after"] = whole_seconds(*problem.retry_after);
  if (problem.may_have_started)
    document["may_have_started"] = true;
  return document;
}

http_response to_response(const api_problem& problem) {
  auto response = json_response(problem.status, problem_json(problem));
  response.content_type = "application/problem+json";
  if (problem.retry_after)
    response.headers["Retry-After"] = std::to_string(whole_seconds(*problem.retry_after));
  return response;
}

api_problem invalid_content(std::vector<field_error> errors) {
  api_problem problem{422, to_string(errors.front()), errors.front().field};
  problem.errors = std::move(errors);
  return problem;
}

api_problem unavailable(std::string detail) {
  return {503, std::move(detail), {}, {}, retry_after_default};
}

api_problem problem_of(const start_refused& refused) {
  using reason_type = start_refused::reason_type;
  if (refused.may_have_started)
    return {503, refused.message, {}, {}, std::nullopt, true};
  switch (refused.reason) {
  case reason_type::busy:
    return {429, refused.message, {}, {}, refused.retry_after.value_or(retry_after_default)};
  case reason_type::not_ready:
    return {503, refused.message, {}, {}, refused.retry_after.value_or(retry_after_default)};
  case reason_type::key_conflict:
    return {409, refused.message, "idempotency_key"};
  case reason_type::rejected:
    break;
  }
  return {422, refused.message};
}

api_problem problem_of(const wish_refused& refused) {
  using reason_type = wish_refused::reason_type;
  switch (refused.reason) {
  case reason_type::not_found:
    return {404, refused.message, "run"};
  case reason_type::conflict:
    return {409, refused.message};
  case reason_type::unavailable:
  case reason_type::elsewhere:
    return unavailable(refused.message);
  case reason_type::rejected:
    break;
  }
  return {422, refused.message};
}

http_response json_response(int status, const nlohmann::ordered_json& document) {
  http_response response;
  response.status = status;
  response.body = dump(document) + '\n';
  return response;
}

} // namespace levain
