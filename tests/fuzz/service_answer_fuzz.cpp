// What services answer to a call: the status, the words after it, the content type, the time to wait, then the body.
#include <charconv>

#include "actors/calls/http_outcome.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace levain::test {

namespace {

int64_t number_of(std::string_view text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

} // namespace

LEVAIN_FUZZ_TARGET(service_answer) {
  fuzz_input lines(input);
  http_answer answer;
  answer.status = static_cast<long>(number_of(lines.line()) % 1000);
  answer.reason = lines.line();
  answer.content_type = lines.line();
  if (const auto wait = number_of(lines.line()); wait > 0)
    answer.retry_after = std::chrono::microseconds(wait);
  answer.body = lines.rest();
  const auto body = answer.body;
  const auto call = name_call("POST", answer.content_type);
  require_line(call);
  const auto outcome = judge_answer(call, answer);
  const bool success = answer.status >= 200 && answer.status <= 299;
  require(std::holds_alternative<std::string>(outcome) == success, "2xx is success and nothing else");
  if (success)
    return require(
      std::get<std::string>(outcome) == body || std::get<std::string>(outcome) == "{}", "an answer stays as it is");
  const auto& failure = std::get<call_failure>(outcome);
  require_line(failure.message);
  require(failure.message.size() <= message_bytes_max, "a message is short", failure.message);
}

} // namespace levain::test
