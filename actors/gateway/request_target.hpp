#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace levain {

/// What a request line asks for, decoded.
struct request_target {
  std::string path;
  /// The path split at the slashes that it was sent with, each part decoded after: `/a%2Fb/` is `a/b` and an empty one.
  /// None for `*` and for `/`.
  std::vector<std::string> segments = {};
  /// In their order; a name may come more than once.
  std::vector<std::pair<std::string, std::string>> query = {};
  /// The host that a whole URL named, as it was sent; it goes before the request's `Host` field (RFC 9112 section
  /// 3.2.2).
  std::optional<std::string> authority = {};
};

/// Reads the target of a request line: `/path?query`, `http://host/path?query` or `*`. What is decoded is valid UTF-8
/// without NUL. Otherwise the answer is a sentence that says what is wrong.
std::variant<request_target, std::string> parse_request_target(std::string_view text);

} // namespace levain
