#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace levain {

/// What a request line asks for, decoded.
struct request_target {
  std::string path;
  /// In their order; a name may come more than once.
  std::vector<std::pair<std::string, std::string>> query;
};

/// Reads the target of a request line: `/path?query`, `http://host/path?query` or `*`. What is decoded is valid UTF-8
/// without NUL. Otherwise the answer is a sentence that says what is wrong.
std::variant<request_target, std::string> parse_request_target(std::string_view text);

} // namespace levain
