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

#include "actors/gateway/client_presence.hpp"

namespace levain {

/// A request that arrived whole and within its limits.
struct http_request {
  /// As it was sent; methods are case-sensitive. HEAD arrives as GET, and the server leaves the body of the answer out.
  std::string method;
  /// Percent-decoded, without the query: `/v1/runs`. For people; routes are chosen by `segments`.
  std::string path;
  /// Decoded query parameters in their order; a name may come more than once.
  std::vector<std::pair<std::string, std::string>> query;
  /// Names in lower case; the values of a name that came more than once are joined by `, `. Fields that came after the
  /// body (trailers) are not among them.
  std::map<std::string, std::string> headers;
  std::string body;
  /// The path split at the slashes that it was sent with, each part decoded after: a `%2F` makes no new segment. `/v1/`
  /// is `v1` and an empty one; `/` has none.
  std::vector<std::string> segments = {};
  /// Never null where a server made the request.
  std::shared_ptr<client_presence> client = {};
};

struct http_response {
  /// 200 to 599.
  int status = 200;
  std::string content_type = "application/json";
  /// Beside `Content-Type`, `Content-Length`, `Transfer-Encoding`, `Connection` and `Date`, which are the server's. The
  /// server adds those that keep browsers from guessing and from keeping copies, where they are not here.
  std::map<std::string, std::string> headers;
  std::string body;
};

/// An RFC 9457 problem document: `field` names what was wrong, in the words of the request.
http_response make_problem(int status, std::string_view title, std::string_view detail, std::string_view field = {});

/// Answers by calling `respond` exactly once, from any thread, now or later, also after the server is gone; later calls
/// are ignored. May not block: it runs on the I/O thread. An exception answers 500, and so does dropping every copy of
/// `respond` without a call. Requests with a body above `inline_body_bytes_max` come on a thread of their own instead.
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
  /// Then the client gets 413. Chunk lines with their extensions and trailers may have as many bytes beside the body.
  size_t body_bytes_max = 16 * 1024 * 1024;
  /// Of the bodies of all requests together, from the first byte that arrives to the answer; then clients get 503 with
  /// `Retry-After`. A body counts with what it holds, not with what it announces.
  size_t bodies_bytes_max = 256 * 1024 * 1024;
  /// Of one answer's body; a larger one is not sent, and the client gets 500 that says so.
  size_t answer_bytes_max = 256 * 1024 * 1024;
  /// Of all answers above `answer_bytes_free` that clients are taking; then further ones get 503 with `Retry-After`.
  size_t answers_bytes_max = 1024 * 1024 * 1024;
  /// Handlers of requests with a larger body run on the handler threads, not on the I/O thread.
  size_t inline_body_bytes_max = 64 * 1024;
  size_t handler_threads = 2;
  /// Requests that wait for a handler thread; further ones get 503 with `Retry-After`.
  size_t handlings_waiting_max = 256;
  /// Names beside `localhost` by which clients reach the server, as `parse_host_port` returns them. A request that
  /// names another host than these and the server's addresses gets 421.
  std::vector<std::string> host_names = {};
  /// Serves requests whatever host or page they come from: for services that anybody may ask.
  bool any_host = false;
  /// For a request's header to arrive whole, from its first byte, and for its body to go on arriving; then the client
  /// gets 408.
  std::chrono::milliseconds request_timeout_max{10'000};
  /// For a request to arrive whole, however steadily it trickles; then the client gets 408.
  std::chrono::milliseconds request_total_timeout_max{600'000};
  /// For a connection to stay silent between requests.
  std::chrono::milliseconds idle_timeout_max{60'000};
  /// For the handler to answer; then the client gets 504.
  std::chrono::milliseconds response_timeout_max{60'000};
  /// For a client to take some part of its answer: begins anew with every part that it took.
  std::chrono::milliseconds write_timeout_max{10'000};
  /// For a refused client to read why, before its connection is reset.
  std::chrono::milliseconds linger_timeout_max{2'000};
  /// Clients being answered 503 at a time; while there are so many, the next wait in the system's queue.
  size_t refusals_max = 256;
};

/// Answers of at most so many bytes are sent whatever `answers_bytes_max` says.
inline constexpr size_t answer_bytes_free = 64 * 1024;

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
