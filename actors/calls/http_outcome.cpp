#include "actors/calls/http_outcome.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

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
    const auto text = one_line(at->get_ref<const std::string&>(), detail_bytes_shown);
    if (field == document.end() || !field->is_string())
      return text;
    return fmt::format("{}: {}", one_line(field->get_ref<const std::string&>(), reason_bytes_max), text);
  }
  return std::nullopt;
}

} // namespace

std::string one_line(std::string_view text, size_t bytes_max) {
  // Escaping and reading back replaces what is not UTF-8. A sequence cut at the end of the view is replaced like
  // others.
  using nlohmann::json;
  const json escaped(text.substr(0, bytes_max));
  auto line = json::parse(escaped.dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
  std::replace_if(
    line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
  if (line.size() > bytes_max) {
    auto end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80)
      --end;
    line.resize(end);
  }
  while (!line.empty() && line.back() == ' ')
    line.pop_back();
  return line;
}

std::string name_call(std::string_view method, std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  std::string place(url);
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) {
    const auto host = scheme + 3;
    const auto credentials = url.substr(host, url.find('/', host) - host).rfind('@');
    if (credentials != std::string_view::npos)
      place = std::string(url.substr(0, host)).append(url.substr(host + credentials + 1));
  }
  return fmt::format("{} {}", one_line(method, 20), one_line(place, url_bytes_max));
}

std::variant<std::string, call_failure> judge_answer(std::string_view call, http_answer answer) {
  if (answer.status >= 200 && answer.status <= 299) {
    const bool is_empty = answer.status == 204 || answer.body.find_first_not_of(" \t\r\n") == std::string::npos;
    return is_empty ? std::string("{}") : std::move(answer.body);
  }
  auto message = fmt::format("{} answered {}", call, answer.status);
  if (!answer.reason.empty())
    message += " " + one_line(answer.reason, reason_bytes_max);
  const auto detail = problem_detail(answer).value_or(one_line(answer.body, body_bytes_shown));
  if (!detail.empty())
    message += ": " + detail;

  call_failure failure{call_failure::kind_type::final, one_line(message, message_bytes_max), std::nullopt};
  if (may_be_mended(answer.status)) {
    failure.kind = call_failure::kind_type::retryable;
    failure.retry_after = answer.retry_after;
  }
  return failure;
}

} // namespace levain
