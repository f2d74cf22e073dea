#include "actors/gateway/api_router.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <stdexcept>

namespace levain {

namespace {

/// `/v1/runs` has two segments.
std::vector<std::string> split_pattern(std::string_view pattern) {
  std::vector<std::string> segments;
  for (size_t begin = 1; begin < pattern.size();) {
    const auto end = std::min(pattern.find('/', begin), pattern.size());
    segments.emplace_back(pattern.substr(begin, end - begin));
    begin = end + 1;
  }
  return segments;
}

bool captures(const std::string& segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  return std::equal(
    pattern.begin(), pattern.end(), path.begin(), path.end(), [](const std::string& expected, const std::string& got) {
      return captures(expected) ? !got.empty() : expected == got;
    });
}

std::string join(const std::set<std::string>& methods) {
  std::string text;
  for (const auto& each : methods)
    text += (text.empty() ? "" : ", ") + each;
  return text;
}

http_response wrong_method(const http_request& request, std::set<std::string> allowed) {
  // The server answers HEAD by what GET answers.
  if (allowed.contains("GET"))
    allowed.insert("HEAD");
  const auto list = join(allowed);
  auto response =
    to_response({405, fmt::format("{} does not take {}; it takes {}", request.path, request.method, list)});
  response.headers["Allow"] = list;
  return response;
}

} // namespace

const std::string& api_call::segment(std::string_view name) const {
  for (const auto& [key, value] : captured)
    if (key == name)
      return value;
  throw std::logic_error(fmt::format("the route captures no segment '{}'", name));
}

api_router::api_router(std::vector<api_route> routes) {
  for (auto& each : routes)
    routes_.push_back({std::move(each.method), split_pattern(each.pattern), std::move(each.action)});
}

void api_router::route(http_request request, api_respond respond) const {
  const auto path = request.segments;
  std::set<std::string> allowed;
  for (const auto& route : routes_) {
    if (!fits(route.segments, path))
      continue;
    if (route.method != request.method) {
      allowed.insert(route.method);
      continue;
    }
    api_call call{std::move(request), {}, respond};
    for (size_t i = 0; i < path.size(); ++i)
      if (const auto& name = route.segments[i]; captures(name))
        call.captured.emplace_back(name.substr(1, name.size() - 2), path[i]);
    try {
      route.action(std::move(call));
    } catch (const request_refused& refused) {
      respond(to_response(refused.problem));
    }
    return;
  }
  if (!allowed.empty())
    return respond(wrong_method(request, std::move(allowed)));
  respond(to_response({404, fmt::format("there is nothing at {}", request.path)}));
}

} // namespace levain
