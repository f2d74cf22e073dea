#include "actors/gateway/request_target.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "persistence/utf8.hpp"

namespace levain {

namespace {

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9')
    return digit - '0';
  if (digit >= 'a' && digit <= 'f')
    return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F')
    return digit - 'A' + 10;
  return -1;
}

/// Percent-decodes; in a query a plus is a blank. Nothing when a percent sign is not followed by two hex digits.
std::optional<std::string> decode(std::string_view text, bool in_query) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && in_query) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0)
        return std::nullopt;
      decoded += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    }
  }
  return decoded;
}

/// Well-formed UTF-8 without NUL, which PostgreSQL cannot keep.
bool is_clean(std::string_view text) {
  return is_utf8(text) && text.find('\0') == std::string_view::npos;
}

std::optional<std::string> decode_clean(std::string_view text, bool in_query) {
  auto decoded = decode(text, in_query);
  if (decoded && !is_clean(*decoded))
    return std::nullopt;
  return decoded;
}

std::string broken_encoding(std::string_view what, std::string_view text) {
  return "The " + std::string(what) + " '" + std::string(text.substr(0, 200)) +
         "' is not percent-encoded UTF-8; a percent sign is written %25.";
}

/// The segments of a path that begins with a slash. Decoding never makes a new one.
std::optional<std::vector<std::string>> split_path(std::string_view path) {
  std::vector<std::string> segments;
  if (path == "/")
    return segments;
  for (size_t begin = 1; begin <= path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    auto segment = decode_clean(path.substr(begin, end - begin), false);
    if (!segment)
      return std::nullopt;
    segments.push_back(std::move(*segment));
    begin = end + 1;
  }
  return segments;
}

} // namespace

std::variant<request_target, std::string> parse_request_target(std::string_view text) {
  text = text.substr(0, text.find('#'));
  if (text == "*")
    return request_target{"*"};
  std::optional<std::string> authority;
  for (std::string_view scheme : {"http://", "https://"}) {
    if (text.substr(0, scheme.size()) != scheme)
      continue;
    text.remove_prefix(scheme.size());
    const auto path_begin = text.find_first_of("/?");
    authority = std::string(text.substr(0, path_begin));
    text = path_begin == std::string_view::npos ? std::string_view("/") : text.substr(path_begin);
    if (text.front() == '?')
      return "The request target has a host and a query but no path; write '/' before the '?'.";
    break;
  }
  if (text.empty() || text.front() != '/')
    return "The request target '" + std::string(text.substr(0, 200)) + "' does not begin with '/'.";

  const auto question = text.find('?');
  const auto raw_path = text.substr(0, question);
  auto path = decode_clean(raw_path, false);
  auto segments = split_path(raw_path);
  if (!path || !segments)
    return broken_encoding("path", raw_path);
  request_target target{std::move(*path), std::move(*segments), {}, std::move(authority)};
  if (question == std::string_view::npos)
    return target;
  for (auto rest = text.substr(question + 1); !rest.empty();) {
    const auto pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    if (pair.empty())
      continue;
    const auto equals = pair.find('=');
    auto name = decode_clean(pair.substr(0, equals), true);
    auto value = equals == std::string_view::npos ? std::string() : decode_clean(pair.substr(equals + 1), true);
    if (!name || !value)
      return broken_encoding("query parameter", pair);
    target.query.emplace_back(std::move(*name), std::move(*value));
  }
  return target;
}

} // namespace levain
