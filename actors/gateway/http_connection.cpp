#include "actors/gateway/http_connection.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <exception>
#include <utility>
#include <variant>

#include "actors/gateway/request_target.hpp"

namespace levain {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr size_t read_bytes = 2048;
constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

/// The right to answer one request: used once, or when it is dropped.
class answer_slot {
public:
  answer_slot(std::weak_ptr<http_server_core> core, std::weak_ptr<http_connection> connection, uint64_t number)
    : core_(std::move(core))
    , connection_(std::move(connection))
    , number_(number) {}

  answer_slot(const answer_slot&) = delete;
  answer_slot& operator=(const answer_slot&) = delete;

  ~answer_slot() {
    if (used_)
      return;
    try {
      answer(make_problem(500, "Internal Server Error", "The request was dropped without an answer."));
    } catch (const std::exception& error) {
      spdlog::error("http-answer-lost a dropped request could not be answered: {}", error.what());
    }
  }

  /// From any thread. The connection itself is touched on the I/O thread only, so nobody else can be its last owner.
  void answer(http_response response) {
    if (used_.exchange(true))
      return;
    if (auto core = core_.lock())
      asio::dispatch(core->io, [connection = connection_, number = number_, response = std::move(response)]() mutable {
        if (auto target = connection.lock())
          target->deliver(number, std::move(response));
      });
  }

private:
  std::weak_ptr<http_server_core> core_;
  std::weak_ptr<http_connection> connection_;
  uint64_t number_;
  std::atomic<bool> used_ = false;
};

/// Why the rules of HTTP forbid to handle this request; nothing when they do not.
std::optional<std::string> broken_rule(const http::request_header<>& head) {
  if (head.version() == 11 && head.count(http::field::host) != 1)
    return fmt::format("A request has exactly one Host field; this one has {}.", head.count(http::field::host));
  const auto coding = head.find(http::field::transfer_encoding);
  if (coding != head.end() && !beast::iequals(coding->value(), "chunked"))
    return fmt::format("The transfer coding '{}' is not known; 'chunked' is.", view(coding->value()));
  return std::nullopt;
}

bool is_sendable(const http_response& response) {
  const auto is_clean = [](const std::string& text) {
    return std::none_of(text.begin(), text.end(), [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7F; });
  };
  return response.status >= 200 && response.status <= 599 && is_clean(response.content_type) &&
         std::all_of(response.headers.begin(), response.headers.end(), [&](const auto& header) {
           return !header.first.empty() && header.first.find_first_of(" :\t") == std::string::npos &&
                  is_clean(header.first) && is_clean(header.second);
         });
}

std::map<std::string, std::string> lower_case_headers(const http::request_header<>& head) {
  std::map<std::string, std::string> headers;
  for (const auto& field : head) {
    std::string name(view(field.name_string()));
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    auto [at, is_new] = headers.try_emplace(std::move(name), view(field.value()));
    if (!is_new)
      at->second.append(", ").append(view(field.value()));
  }
  return headers;
}

} // namespace

http_server_core::http_server_core(http_server_options given_options, http_handler given_handler)
  : options(std::move(given_options))
  , tick(std::min(
      {options.request_timeout_max, options.idle_timeout_max, options.response_timeout_max, options.write_timeout_max,
       options.linger_timeout_max}))
  , handler(std::move(given_handler)) {}

const std::string& http_server_core::date() {
  const auto now = std::time(nullptr);
  if (now != date_second_) {
    date_second_ = now;
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::array<char, 40> text{};
    // The programs never call setlocale, so names of days and months are the English ones that HTTP wants.
    date_.assign(text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc));
  }
  return date_;
}

http_connection::http_connection(http_server_core& core, http_server_core::socket_type socket)
  : core_(core)
  , socket_(std::move(socket))
  , timer_(core.io) {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

void http_connection::serve() {
  await_request();
  watch();
}

void http_connection::refuse() {
  refused_ = true;
  keep_alive_ = false;
  auto response = make_problem(
    503, "Service Unavailable",
    fmt::format("All {} connections of this server are in use; try again later.", core_.options.connections_max));
  response.headers["Retry-After"] = "1";
  write(std::move(response));
  watch();
}

void http_connection::drain() {
  draining_ = true;
  if (phase_ != phase_type::handling && phase_ != phase_type::writing)
    close();
}

void http_connection::close() {
  if (phase_ == phase_type::closed)
    return;
  phase_ = phase_type::closed;
  error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
  core_.forget(shared_from_this());
}

// -- reading ----------------------------------------------------------------------------------------------------------

void http_connection::await_request() {
  parser_.emplace();
  parser_->header_limit(static_cast<uint32_t>(core_.options.header_bytes_max));
  parser_->body_limit(core_.options.body_bytes_max);
  keep_alive_ = true;
  without_body_ = false;
  version_ = 11;
  if (buffer_.size() > 0)
    return read_header();
  // A big request must not leave a big buffer behind with a connection that may stay silent.
  if (buffer_.capacity() > 64 * 1024)
    buffer_ = beast::flat_buffer();
  enter(phase_type::idle, core_.options.idle_timeout_max);
  socket_.async_read_some(buffer_.prepare(read_bytes), [self = shared_from_this()](error_code error, size_t bytes) {
    if (error || self->phase_ == phase_type::closed)
      return self->close();
    self->buffer_.commit(bytes);
    self->read_header();
  });
}

void http_connection::read_header() {
  timed_out_ = false;
  enter(phase_type::reading, core_.options.request_timeout_max);
  http::async_read_header(
    socket_, buffer_, *parser_, [self = shared_from_this()](error_code error, size_t) { self->header_arrived(error); });
}

void http_connection::header_arrived(error_code error) {
  if (error)
    return reading_failed(error);
  if (phase_ == phase_type::closed)
    return;
  const auto& head = parser_->get();
  keep_alive_ = head.keep_alive();
  without_body_ = head.method() == http::verb::head;
  version_ = head.version();
  if (const auto broken = broken_rule(head))
    return refuse_request(400, "Bad Request", *broken);
  const auto expect = head.find(http::field::expect);
  if (expect == head.end() || version_ < 11 || parser_->is_done())
    return read_body();
  if (!beast::iequals(expect->value(), "100-continue"))
    return refuse_request(
      417, "Expectation Failed", fmt::format("Expect '{}' is not known; '100-continue' is.", view(expect->value())));
  send_continue();
}

void http_connection::send_continue() {
  asio::async_write(
    socket_, asio::buffer(continue_line.data(), continue_line.size()),
    [self = shared_from_this()](error_code error, size_t) {
      if (error)
        return self->reading_failed(error);
      self->read_body();
    });
}

void http_connection::read_body() {
  if (phase_ == phase_type::closed)
    return;
  if (parser_->is_done())
    return handle();
  http::async_read(socket_, buffer_, *parser_, [self = shared_from_this()](error_code error, size_t) {
    if (error)
      return self->reading_failed(error);
    if (self->phase_ != phase_type::closed)
      self->handle();
  });
}

void http_connection::reading_failed(error_code error) {
  if (phase_ == phase_type::closed)
    return;
  const auto& options = core_.options;
  if (timed_out_)
    return refuse_request(
      408, "Request Timeout",
      fmt::format("The request did not arrive whole within {} ms.", options.request_timeout_max.count()));
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return refuse_request(
      431, "Request Header Fields Too Large",
      fmt::format("Request line and header fields may have {} bytes together.", options.header_bytes_max));
  if (error == http::error::body_limit)
    return refuse_request(
      413, "Content Too Large", fmt::format("The body of a request may have {} bytes.", options.body_bytes_max));
  const bool client_left = error == http::error::end_of_stream || error == http::error::partial_message;
  if (error.category() == make_error_code(http::error::bad_method).category() && !client_left)
    return refuse_request(400, "Bad Request", "This is not an HTTP/1.1 request: " + error.message() + ".");
  close();
}

// -- handling ---------------------------------------------------------------------------------------------------------

void http_connection::handle() {
  enter(phase_type::handling, core_.options.response_timeout_max);
  ++number_;
  auto message = parser_->release();
  auto target = parse_request_target(view(message.target()));
  if (const auto* wrong = std::get_if<std::string>(&target))
    return write(make_problem(400, "Bad Request", *wrong));
  http_request request;
  request.method = without_body_ ? "GET" : std::string(view(message.method_string()));
  request.path = std::move(std::get<request_target>(target).path);
  request.query = std::move(std::get<request_target>(target).query);
  request.headers = lower_case_headers(message);
  request.body = std::move(message.body());
  hand_over(std::move(request));
}

void http_connection::hand_over(http_request request) {
  auto slot = std::make_shared<answer_slot>(core_.weak_from_this(), weak_from_this(), number_);
  const auto method = request.method;
  const auto path = request.path;
  try {
    core_.handler(std::move(request), [slot](http_response response) { slot->answer(std::move(response)); });
  } catch (const std::exception& error) {
    spdlog::error("http-handler-threw {} {}: {}", method, path, error.what());
    slot->answer(make_problem(500, "Internal Server Error", "The request could not be handled; the log says why."));
  } catch (...) {
    spdlog::error("http-handler-threw {} {}: not a std::exception", method, path);
    slot->answer(make_problem(500, "Internal Server Error", "The request could not be handled; the log says why."));
  }
}

void http_connection::deliver(uint64_t number, http_response response) {
  if (phase_ == phase_type::handling && number == number_)
    write(std::move(response));
}

void http_connection::refuse_request(int status, std::string_view title, std::string_view detail) {
  // Where the next request would begin is not known any more.
  keep_alive_ = false;
  write(make_problem(status, title, detail));
}

// -- writing ----------------------------------------------------------------------------------------------------------

void http_connection::write(http_response response) {
  if (!is_sendable(response)) {
    spdlog::error("http-response-unsendable status {} or a header is not fit to be sent", response.status);
    response = make_problem(500, "Internal Server Error", "The answer could not be sent; the log says why.");
  }
  enter(phase_type::writing, core_.options.write_timeout_max);
  auto& message = response_.emplace();
  message.result(static_cast<unsigned>(response.status));
  message.version(version_);
  for (const auto& [name, value] : response.headers)
    message.set(name, value);
  message.set(http::field::date, core_.date());
  message.erase(http::field::transfer_encoding);
  message.erase(http::field::content_length);
  const bool has_body = response.status != 204 && response.status != 304;
  if (has_body) {
    message.set(http::field::content_type, response.content_type);
    message.content_length(response.body.size());
    if (!without_body_)
      message.body() = std::move(response.body);
  }
  message.keep_alive(keep_alive_ && !draining_);
  http::async_write(socket_, message, [self = shared_from_this()](error_code error, size_t) { self->written(error); });
}

void http_connection::written(error_code error) {
  if (phase_ == phase_type::closed)
    return;
  // An answer may have been made before the drain began; then the client learns it from the closed connection.
  const bool request_was_read = parser_ && parser_->is_done();
  response_.reset();
  if (error)
    return close();
  if (keep_alive_ && !draining_)
    return await_request();
  if (request_was_read && buffer_.size() == 0)
    return close();
  linger();
}

void http_connection::linger() {
  // Closing with bytes unread would reset the connection, and the client might lose the answer it has not read yet
  // (RFC 9112 section 9.6).
  error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  enter(phase_type::lingering, core_.options.linger_timeout_max);
  discard();
}

void http_connection::discard() {
  buffer_.clear();
  socket_.async_read_some(buffer_.prepare(read_bytes), [self = shared_from_this()](error_code error, size_t) {
    if (error || self->phase_ == phase_type::closed)
      return self->close();
    self->discard();
  });
}

// -- time -------------------------------------------------------------------------------------------------------------

void http_connection::enter(phase_type phase, http_server_core::clock::duration time) {
  phase_ = phase;
  deadline_ = http_server_core::clock::now() + time;
}

void http_connection::watch() {
  // One wait lasts at most a tick, and no deadline is nearer than a tick when it is set: so the timer is never late
  // although requests do not touch it.
  timer_.expires_at(std::min(deadline_, http_server_core::clock::now() + core_.tick));
  timer_.async_wait([self = shared_from_this()](error_code) {
    if (self->phase_ == phase_type::closed)
      return;
    if (http_server_core::clock::now() >= self->deadline_)
      self->time_is_up();
    if (self->phase_ != phase_type::closed)
      self->watch();
  });
}

void http_connection::time_is_up() {
  if (phase_ == phase_type::handling)
    return write(make_problem(
      504, "Gateway Timeout",
      fmt::format("No answer was ready within {} ms.", core_.options.response_timeout_max.count())));
  if (phase_ != phase_type::reading || timed_out_)
    return close();
  // The read ends as aborted and answers 408. Should it be past the point where it can be aborted, the next time is the
  // last.
  timed_out_ = true;
  deadline_ = http_server_core::clock::now() + core_.tick;
  error_code ignored;
  socket_.cancel(ignored);
}

} // namespace levain
