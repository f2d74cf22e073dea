#include "actors/worker/work_result.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "actors/cluster/wire_limits.hpp"
#include "actors/worker/worker_limits.hpp"
#include "persistence/exact_json.hpp"
#include "persistence/plain_line.hpp"

namespace levain {

namespace {

work_result final_failure(std::string sentence) {
  return {.text = std::move(sentence)};
}

work_result from_output(const nlohmann::json& output) {
  std::string text;
  try {
    (void)output.dump(); // Throws for bytes that are not UTF-8, which the next line would replace.
    text = write_exact_json(output);
  } catch (const nlohmann::json::exception& wrong) {
    return final_failure(
      "the output cannot be written as JSON: " + plain_line(wrong.what(), worker_message_bytes_max / 2));
  }
  if (text.size() > wire_result_bytes_max)
    return final_failure(fmt::format(
      "the output is {} bytes of JSON, more than the {} that a worker may send", text.size(), wire_result_bytes_max));
  return {.succeeded = true, .text = std::move(text)};
}

std::string sentence_of(std::string_view text) {
  auto line = plain_line(text, worker_message_bytes_max);
  return line.empty() ? "the worker gave no reason" : line;
}

work_result from_failure(const worker_failure& failure) {
  work_result result{.text = sentence_of(failure.message), .retry = failure.retry};
  if (failure.retry && failure.retry_after && failure.retry_after->count() > 0)
    result.retry_after = std::min(*failure.retry_after, worker_retry_after_max).count();
  return result;
}

} // namespace

work_result to_work_result(const worker_result& answer) {
  if (const auto* failure = std::get_if<worker_failure>(&answer.value()))
    return from_failure(*failure);
  return from_output(std::get<nlohmann::json>(answer.value()));
}

work_result failed_by_exception(const char* what) {
  return {.text = sentence_of(what), .retry = true};
}

} // namespace levain
