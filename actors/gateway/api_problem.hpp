#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "actors/gateway/http_server.hpp"
#include "actors/messages.hpp"
#include "actors/workflow/parse_definition.hpp"

namespace levain {

/// Why a request, or one start of a list, was not granted: an RFC 9457 problem document before it is JSON.
struct api_problem {
  /// 400 to 599.
  int status = 400;
  /// A sentence that names the thing, the value and what would have been right.
  std::string detail;
  /// Where in the request: `[3].priority`, `limit`; empty for the request as a whole.
  std::string field;
  /// Everything that is wrong, where there can be more than one thing; empty otherwise.
  std::vector<field_error> errors;
  /// When to ask again.
  std::optional<std::chrono::milliseconds> retry_after;
  /// Of a start: it may have been made all the same. Without a key it must not be asked for again.
  bool may_have_started = false;
};

/// The problem's `title`: the name of its status.
std::string_view title_of(int status);

/// The document, with `retry_after` in seconds.
nlohmann::ordered_json problem_json(const api_problem& problem);

/// The document as an answer, with `Retry-After` where there is one.
http_response to_response(const api_problem& problem);

/// 422 for what is wrong in a body: all of it, the first as `field` and `detail`. Requires at least one error.
api_problem invalid_content(std::vector<field_error> errors);

/// 503: a service that is needed cannot be asked now.
api_problem unavailable(std::string detail);

/// Why a start was refused, in the words of HTTP: 429 busy, 503 not ready, 409 key conflict, 422 rejected. A start that
/// may have been made is a 503 without `retry_after`, because clients ask again by themselves where there is one.
api_problem problem_of(const start_refused& refused);

/// Why a wish was refused: 404, 409, 503 or 422.
api_problem problem_of(const wish_refused& refused);

/// An answer with this document.
http_response json_response(int status, const nlohmann::ordered_json& document);

} // namespace levain
