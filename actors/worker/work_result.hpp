#pragma once

#include <cstdint>
#include <string>

#include "actors/worker/include/levain/worker.hpp"

namespace levain {

/// What a function made of a call, as it goes over the wire: the last part of a `call_ended`.
struct work_result {
  bool succeeded = false;
  /// JSON text, or a sentence that says why not.
  std::string text;
  bool retry = false;
  /// Milliseconds; 0 when the step's own policy is to say.
  int64_t retry_after = 0;
  bool operator==(const work_result&) const = default;
};

/// Puts a function's answer into this form. What cannot travel becomes a final failure that says why: JSON with bytes
/// that are no UTF-8, or more than `wire_result_bytes_max` of it. Sentences become plain lines.
work_result to_work_result(const worker_result& answer);

/// What an exception that left a function comes to: a failure that a later attempt may mend.
work_result failed_by_exception(const char* what);

} // namespace levain
