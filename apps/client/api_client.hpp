#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace levain {

struct api_client_options {
  /// Where the daemon listens: `http://127.0.0.1:7400`.
  std::string url = "http://127.0.0.1:7400";
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds answer_timeout{60'000};
  /// Of an answer; a longer one is refused.
  size_t answer_bytes_max = 256 * 1024 * 1024;
  /// A daemon that takes nothing now and says when it may (429 or 503 with `Retry-After`) is asked again, for so long.
  std::chrono::milliseconds busy_patience{0};
};

/// Parameters after the question mark, in their order.
using query_parameters = std::vector<std::pair<std::string, std::string>>;

/// What came of a request, whatever it was.
struct api_reply {
  /// Of the answer; 0 when none came.
  int http_status = 0;
  std::string body;
  /// Why no answer came, or none that can be used; a few words.
  std::string failure;
  /// The request may have reached the daemon.
  bool sent = false;

  bool granted() const { return http_status >= 200 && http_status <= 299; }
};

/// Asks a daemon over HTTP, one request at a time over one connection. What is not granted becomes a `command_failed`
/// whose sentence is the problem document's: `service_missing` when nobody answers or the daemon cannot work now (503),
/// `wrong_command_line` when a parameter was wrong (400), `failed` for the rest. One thread at a time.
class api_client {
public:
  /// Throws `command_failed` when the URL is none of HTTP.
  explicit api_client(api_client_options options);
  ~api_client();
  api_client(const api_client&) = delete;
  api_client& operator=(const api_client&) = delete;

  nlohmann::ordered_json get(const std::string& path, const query_parameters& query = {});
  /// `body` is JSON text.
  nlohmann::ordered_json
  post(const std::string& path, const std::string& body, const std::map<std::string, std::string>& headers = {});

  /// For callers who tell the ways apart in which a request can fail; throws nothing for them.
  api_reply exchange(const char* method, const std::string& path, const std::string& body);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// A text as a segment of a path or a parameter's value: everything but letters, digits and `-._~` percent-encoded.
std::string percent_encoded(std::string_view text);

/// The sentence of a problem document, all its errors a line each; `fallback` for anything else.
std::string problem_sentence(const std::string& body, const std::string& fallback);

} // namespace levain
