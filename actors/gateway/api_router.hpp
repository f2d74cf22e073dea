#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/gateway/api_problem.hpp"
#include "actors/gateway/http_server.hpp"

namespace levain {

/// Takes a request's answer; any thread, exactly once.
using api_respond = std::function<void(http_response)>;

/// A request that found its route.
struct api_call {
  http_request request;
  /// The `{name}` segments of the pattern with what stood there, never empty.
  std::vector<std::pair<std::string, std::string>> captured;
  api_respond respond;

  /// What stood for `{name}`, which the route's pattern has.
  const std::string& segment(std::string_view name) const;
};

/// What a route does: calls `respond` once, now or later, or throws `request_refused`.
using api_action = std::function<void(api_call)>;

/// Who answers a method and a path: `GET`, `/v1/tenants/{tenant}/runs/{run}`.
struct api_route {
  std::string method;
  std::string pattern;
  api_action action;
};

/// Thrown by an action on a request that is at fault; the client gets the problem.
class request_refused : public std::exception {
public:
  explicit request_refused(api_problem given)
    : problem(std::move(given)) {}
  const char* what() const noexcept override { return problem.detail.c_str(); }

  api_problem problem;
};

/// Finds the route of a request. Where segments of two patterns are equal but one names the segment and the other
/// captures it, the earlier route wins.
class api_router {
public:
  explicit api_router(std::vector<api_route> routes);

  /// Calls the action of the request's route. Answers 404 where no pattern fits the path, 405 with `Allow` where one
  /// fits but not for this method.
  void route(http_request request, api_respond respond) const;

private:
  struct parsed_route {
    std::string method;
    std::vector<std::string> segments;
    api_action action;
  };
  std::vector<parsed_route> routes_;
};

} // namespace levain
