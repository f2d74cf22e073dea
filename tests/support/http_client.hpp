#pragma once

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace levain::test {

/// An answer over HTTP.
struct http_answer {
  int status = 0;
  std::string body;
  /// Names in lower case.
  std::map<std::string, std::string> headers;

  /// The body as JSON; throws where it is none.
  nlohmann::json json() const { return nlohmann::json::parse(body); }
};

/// A request over HTTP.
struct http_question {
  std::string method;
  /// The whole URL.
  std::string url;
  std::string body = {};
  std::map<std::string, std::string> headers = {{"Content-Type", "application/json"}};
  std::chrono::milliseconds limit = std::chrono::seconds(60);
};

/// Asks and waits. Nothing when no answer came: refused, cut, or not within the limit. Any thread.
std::optional<http_answer> ask(const http_question& question);

} // namespace levain::test
