#include <nlohmann/json.hpp>

#include "actors/gateway/http_server.hpp"

namespace levain {

http_response make_problem(int status, std::string_view title, std::string_view detail, std::string_view field) {
  nlohmann::ordered_json document{
    {"type", "about:blank"},
    {"title", title},
    {"status", status},
    {"detail", detail},
  };
  if (!field.empty())
    document["field"] = field;
  http_response response;
  response.status = status;
  response.content_type = "application/problem+json";
  // The detail may quote what a stranger sent, which need not be UTF-8.
  response.body = document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
  return response;
}

} // namespace levain
