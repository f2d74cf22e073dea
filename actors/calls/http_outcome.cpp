#include "actors/calls/http_outcome.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

#include "persistence/plain_line.hpp"

namespace levain {

namespace {

constexpr size_t url_bytes_max = 300;
constexpr size_t reason_bytes_max = 100;
constexpr size_t body_bytes_shown = 200;
constexpr size_t detail_bytes_shown = 1000;

bool may_be_mended(long status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

/// What an RFC 9457 problem document says; nothing when the body is none.
std::optional<std::string> problem_detail(const http_answer& answer) {
  if (answer.content_type.rfind("application/problem+json", 0) != 0)
    return std::nullopt;
  const auto document = nlohmann::json::parse(answer.body, nullptr, false);
  if (!document.is_object())
    return std::nullopt;
  for (const char* member : {"detail", "title"}) {
    const auto at = document.find(member);
    if (at == document.end() || !at->is_string())
      continue;
    const auto field = document.find("field");
    const auto text = plain_line(at->get_ref<const std::string&>(), detail_bytes_shown);
    if (field == document.end() || !field->is_string())
      return text;
    // Many services begin the detail with the field, too.
    auto lead = plain_line(field->get_ref<const std::string&>(), reason_bytes_max) + ": ";
    return text.starts_with(lead) ? text : lead + text;
  }
  return std::nullopt;
}

} // namespace

std::string name_call(std::string_view method, std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  std::string place(url);
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) {
    const auto host = scheme + 3;
    const auto credentials = url.substr(host, url.find('/', host) - host).rfind('@');
    if (credentials != std::string_view::npos)
      place = std::string(url.substr(0, host)).append(url.substr(host + credentials + 1));
  }
  return fmt::format("{} {}", plain_line(method, 20), plain_line(place, url_bytes_max));
}

std::variant<std::string, call_failure> judge_answer(std::string_view call, http_answer answer) {
  if (answer.status >= 200 && answer.status <= 299) {
    const bool is_empty = answer.status == 204 || answer.body.find_first_not_of(" \t\r\n") == std::string::npos;
    return is_empty ? std::string("{}") : std::move(answer.body);
  }
  auto message = fmt::format("{} answered {}", call, answer.status);
  if (!answer.reason.empty())
    message += " " + plain_line(answer.reason, reason_bytes_max);
  const auto detail = problem_detail(answer).value_or(plain_line(answer.body, body_bytes_shown));
  if (!detail.empty())
    message += ": " + detail;

  call_failure failure{call_failure::kind_type::final, plain_line(message, message_bytes_max), std::nullopt};
  if (may_be_mended(answer.status)) {
    failure.kind = call_failure::kind_type::retryable;
    failure.retry_after = answer.retry_after;
  }
  return failure;
}

} // namespace levain
