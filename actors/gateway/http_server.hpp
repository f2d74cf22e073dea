#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace levain {

/// A request that arrived whole and within its limits.
struct http_request {
  /// Upper case.
  std::string method;
  /// Percent-decoded, without the query: `/v1/runs`.
  std::string path;
  /// Decoded query parameters in their order; a name may come more than once.
  std::vector<std::pair<std::string, std::string>> query;
  /// Names in lower case.
  std::map<std::string, std::string> headers;
  std::string body;
};

struct http_response {
  int status = 200;
  std::string content_type = "application/json";
  std::map<std::string, std::string> headers;
  std::string body;
};

/// An RFC 9457 problem document: `field` names what was wrong, in the words of the request.
http_response make_problem(int status, std::string_view title, std::string_view detail, std::string_view field = {});

/// Answers by calling `respond` exactly once, from any thread, now or later. May not block: it runs on the I/O thread.
using http_handler = std::function<void(http_request request, std::function<void(http_response)> respond)>;

/// Every limit of the server has a name and a default.
struct http_server_options {
  /// An address, not a name. Only loopback unless `allow_remote`.
  std::string host = "127.0.0.1";
  /// 0 lets the system choose.
  uint16_t port = 0;
  bool allow_remote = false;
  size_t connections_max = 4096;
  size_t header_bytes_max = 16 * 1024;
  size_t body_bytes_max = 16 * 1024 * 1024;
  /// For a whole request to arrive, from its first byte.
  std::chrono::milliseconds request_timeout_max{10'000};
  /// For a connection to stay silent between requests.
  std::chrono::milliseconds idle_timeout_max{60'000};
  /// For the handler to answer; then the client gets 504.
  std::chrono::milliseconds response_timeout_max{60'000};
  /// For a slow client to take its response.
  std::chrono::milliseconds write_timeout_max{10'000};
};

/// Serves HTTP/1.1 with keep-alive on one I/O thread of its own (Boost.Beast).
class http_server {
public:
  /// Binds and begins to serve. Throws `std::runtime_error` with a sentence when the address cannot be bound, or is not
  /// loopback while `allow_remote` is false.
  http_server(http_server_options options, http_handler handler);
  /// Stops as `stop` does.
  ~http_server();

  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  /// The port it listens on.
  uint16_t port() const;

  /// Closes the door, lets answers that are on their way leave for at most `grace`, and ends the thread. Idempotent.
  void stop(std::chrono::milliseconds grace = std::chrono::milliseconds(1000));

private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

} // namespace levain
