#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>

#include <chrono>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "actors/gateway/arriving_body.hpp"
#include "actors/gateway/byte_budget.hpp"
#include "actors/gateway/http_server.hpp"

namespace levain {

class http_connection;

/// What all connections of one server share. Everything in it belongs to the I/O thread.
struct http_server_core : std::enable_shared_from_this<http_server_core> {
  using clock = std::chrono::steady_clock;
  using executor_type = boost::asio::io_context::executor_type;
  using socket_type = boost::asio::basic_stream_socket<boost::asio::ip::tcp, executor_type>;
  using timer_type = boost::asio::basic_waitable_timer<clock, boost::asio::wait_traits<clock>, executor_type>;

  http_server_core(http_server_options given_options, http_handler given_handler);
  virtual ~http_server_core() = default;

  /// A connection has closed its socket.
  virtual void forget(const std::shared_ptr<http_connection>& connection) = 0;

  /// Runs `work` beside the I/O thread. False when too much waits for that already. A server without such threads runs
  /// it at once.
  virtual bool run_apart(std::function<void()> work);

  /// The time now as the `Date` field wants it (RFC 9110 section 5.6.7), made once a second.
  const std::string& date();

  /// First, so that it outlives everything that stands on it.
  boost::asio::io_context io{1};
  const http_server_options options;
  /// The shortest of all timeouts: no deadline can come up sooner than this.
  const clock::duration tick;
  http_handler handler;
  /// What requests hold of their bodies.
  const std::shared_ptr<byte_budget> bodies;
  /// What connections hold of large answers.
  const std::shared_ptr<byte_budget> answers;
  std::unordered_set<std::shared_ptr<http_connection>> connections;

private:
  std::time_t date_second_ = 0;
  std::string date_;
};

/// What a connection may hold of what its client sends ahead of being read: a header, or a part of a body.
size_t buffer_bytes_max(const http_server_options& options);

/// One client. Reads a request, has it handled, writes the answer, reads the next: what a client pipelines waits in the
/// buffer and the socket, so answers keep the order of their requests. I/O thread only.
class http_connection : public std::enable_shared_from_this<http_connection> {
public:
  http_connection(http_server_core& core, http_server_core::socket_type socket);

  /// Serves requests until either side has enough.
  void serve();

  /// Answers 503 without reading, and closes.
  void refuse();

  /// Closes as soon as no answer is on its way.
  void drain();

  /// The handler's answer to the request with this number; ignored when another answer was sooner.
  void deliver(uint64_t number, http_response response);

  void close();

  bool refused() const { return refused_; }

private:
  enum class phase_type : uint8_t { idle, reading, handling, writing, lingering, closed };

  void await_request();
  void read_start();
  bool request_begins();
  void read_header();
  void header_arrived(boost::system::error_code error);
  void send_continue();
  void read_body();
  void read_more();
  void more_arrived(boost::system::error_code error, size_t bytes);
  void reading_failed(boost::system::error_code error);
  http_response late_request() const;
  void handle();
  void hand_over(http_request request, byte_share body);
  void watch_client();
  void client_moved(boost::system::error_code error);
  void refuse_request(http_response response);
  void refuse_head(http_response response);
  void write(http_response response);
  void take_room(http_response& response);
  void write_more();
  void written(boost::system::error_code error);
  void linger();
  void discard();
  std::optional<int> bytes_untaken();
  bool client_took_some();

  void enter(phase_type phase, http_server_core::clock::duration time);
  void watch();
  void time_is_up();

  http_server_core& core_;
  http_server_core::socket_type socket_;
  http_server_core::timer_type timer_;
  http_server_core::clock::time_point deadline_;
  phase_type phase_ = phase_type::idle;
  bool refused_ = false;
  bool draining_ = false;
  bool timed_out_ = false;
  bool keep_alive_ = true;
  bool without_body_ = false;
  unsigned version_ = 11;
  /// When the request that is arriving has to be here.
  http_server_core::clock::time_point arrival_deadline_;
  /// Bytes of the body on the wire with everything between them: chunk lines, extensions, trailers.
  size_t body_wire_bytes_ = 0;
  /// Of the request that is arriving, from before its body.
  std::map<std::string, std::string> headers_;
  /// Of the request that is being handled.
  std::shared_ptr<client_presence> client_;
  /// A wait for the client's next byte, or its end, is on its way.
  bool watching_ = false;
  /// What the system still held of the answer when the client was last looked at.
  int untaken_before_ = 0;
  byte_share answer_share_;
  /// Counts the requests of this connection; what an answer names.
  uint64_t number_ = 0;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<arriving_body>> parser_;
  std::optional<boost::beast::http::response<boost::beast::http::string_body>> response_;
  std::optional<boost::beast::http::response_serializer<boost::beast::http::string_body>> serializer_;
};

} // namespace levain
