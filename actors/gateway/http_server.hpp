#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace levain {

/// A request that arrived whole and within its limits.
struct http_request {
  /// As it was sent; methods are case-sensitive. HEAD arrives as GET, and the server leaves the body of the answer out.
  std::string method;
  /// Percent-decoded, without the query: `/v1/runs`.
  std::string path;
  /// Decoded query parameters in their order; a name may come more than once.
  std::vector<std::pair<std::string, std::string>> query;
  /// Names in lower case; the values of a name that came more than once are joined by `, `.
  std::map<std::string, std::string> headers;
  std::string body;
};

struct http_response {
  /// 200 to 599.
  int status = 200;
  std::string content_type = "application/json";
  /// Beside `Content-Type`, `Content-Length`, `Transfer-Encoding`, `Connection` and `Date`, which are the server's.
  std::map<std::string, std::string> headers;
  std::string body;
};

/// An RFC 9457 problem document: `field` names what was wrong, in the words of the request.
http_response make_problem(int status, std::string_view title, std::string_view detail, std::string_view field = {});

/// Answers by calling `respond` exactly once, from any thread, now or later, also after the server is gone; later calls
/// are ignored. May not block: it runs on the I/O thread. An exception answers 500, and so does dropping every copy of
/// `respond` without a call.
using http_handler = std::function<void(http_request request, std::function<void(http_response)> respond)>;

/// Every limit of the server has a name and a default.
struct http_server_options {
  /// An address, not a name. Only loopback unless `allow_remote`.
  std::string host = "127.0.0.1";
  /// 0 lets the system choose.
  uint16_t port = 0;
  bool allow_remote = false;
  /// Clients beyond are answered 503 with `Retry-After` and closed.
  size_t connections_max = 4096;
  /// Request line and header fields together; then the client gets 431.
  size_t header_bytes_max = 16 * 1024;
  /// Then the client gets 413.
  size_t body_bytes_max = 16 * 1024 * 1024;
  /// For a whole request to arrive, from its first byte; then the client gets 408.
  std::chrono::milliseconds request_timeout_max{10'000};
  /// For a connection to stay silent between requests.
  std::chrono::milliseconds idle_timeout_max{60'000};
  /// For the handler to answer; then the client gets 504.
  std::chrono::milliseconds response_timeout_max{60'000};
  /// For a slow client to take its response.
  std::chrono::milliseconds write_timeout_max{10'000};
  /// For a refused client to read why, before its connection is reset.
  std::chrono::milliseconds linger_timeout_max{2'000};
  /// Clients being answered 503 at a time; while there are so many, the next wait in the system's queue.
  size_t refusals_max = 256;
};

/// Throws what a server with these options would throw because of its address, before anything is begun.
void check_address(const http_server_options& options);

/// Serves HTTP/1.1 with keep-alive on one I/O thread of its own (Boost.Beast).
class http_server {
public:
  /// Binds and begins to serve. Throws `std::runtime_error` with a sentence when the address cannot be bound, or is not
  /// loopback while `allow_remote` is false, or a limit is zero.
  http_server(http_server_options options, http_handler handler);
  /// Stops as `stop` does.
  ~http_server();

  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  /// The port it listens on.
  uint16_t port() const;

  /// Closes the door, lets answers that are on their way leave for at most `grace`, and ends the thread. Afterwards the
  /// handler is gone. Idempotent, from any thread but the I/O thread (a handler may not stop its server).
  void stop(std::chrono::milliseconds grace = std::chrono::milliseconds(1000));

private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

} // namespace levain
