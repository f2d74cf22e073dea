#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "actors/run_machine/state.hpp"

namespace levain {

/// What a service answered.
struct http_answer {
  long status = 0;
  /// The words after the status, which a service may leave out.
  std::string reason;
  std::string content_type;
  std::string body;
  /// From `Retry-After`, relative to the answer's arrival.
  std::optional<duration> retry_after;
};

/// What an answer means for the attempt: 2xx is success, 408, 425, 429 and 5xx may be mended by a retry, anything else
/// is final. `call` says in a message whose answer it is: `POST http://host/path`.
std::variant<std::string, call_failure> judge_answer(std::string_view call, http_answer answer);

/// How messages name a call: without query and credentials, which may be secrets, and not too long.
std::string name_call(std::string_view method, std::string_view url);

} // namespace levain
