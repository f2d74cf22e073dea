// How a connection reads a request, up to its handling.
#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/read.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "actors/gateway/http_connection.hpp"
#include "actors/gateway/request_head.hpp"
#include "actors/workflow/parse_definition.hpp"

namespace levain {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr size_t read_bytes = 2048;
/// At a time, where the buffer has room for it.
constexpr size_t body_read_bytes = 64 * 1024;
/// A larger buffer is not kept for the next request.
constexpr size_t kept_buffer_bytes_max = 64 * 1024;
constexpr std::string_view empty_line = "\r\n";
constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

http_response problem_of(const head_refused& refused) {
  return make_problem(refused.status, refused.title, refused.detail);
}

} // namespace

size_t buffer_bytes_max(const http_server_options& options) {
  return options.header_bytes_max + read_bytes;
}

void http_connection::await_request() {
  parser_.emplace();
  parser_->header_limit(static_cast<uint32_t>(core_.options.header_bytes_max));
  parser_->body_limit(core_.options.body_bytes_max);
  parser_->get().body().share = byte_share(core_.bodies);
  keep_alive_ = true;
  without_body_ = false;
  version_ = 11;
  // A big header must not leave a big buffer behind with a connection that may stay silent.
  if (buffer_.size() == 0 && buffer_.capacity() > kept_buffer_bytes_max)
    buffer_ = beast::flat_buffer(buffer_bytes_max(core_.options));
  enter(phase_type::idle, core_.options.idle_timeout_max);
  read_start();
}

/// Empty lines before a request are skipped (RFC 9112 section 2.2), and do not make the connection less idle.
void http_connection::read_start() {
  if (request_begins())
    return read_header();
  socket_.async_read_some(buffer_.prepare(read_bytes), [self = shared_from_this()](error_code error, size_t bytes) {
    if (error || self->phase_ == phase_type::closed)
      return self->close();
    self->buffer_.commit(bytes);
    self->read_start();
  });
}

bool http_connection::request_begins() {
  const auto begins_with = [this](std::string_view text) {
    const auto there = buffer_.cdata();
    return std::string_view(static_cast<const char*>(there.data()), there.size()).starts_with(text);
  };
  while (begins_with(empty_line))
    buffer_.consume(empty_line.size());
  return buffer_.size() > 1 || (buffer_.size() == 1 && !begins_with("\r"));
}

void http_connection::read_header() {
  timed_out_ = false;
  arrival_deadline_ = http_server_core::clock::now() + core_.options.request_total_timeout_max;
  enter(phase_type::reading, core_.options.request_timeout_max);
  http::async_read_header(
    socket_, buffer_, *parser_, [self = shared_from_this()](error_code error, size_t) { self->header_arrived(error); });
}

void http_connection::header_arrived(error_code error) {
  if (error)
    return reading_failed(error);
  if (phase_ == phase_type::closed)
    return;
  timed_out_ = false;
  const auto& head = parser_->get();
  keep_alive_ = head.keep_alive();
  without_body_ = head.method() == http::verb::head;
  version_ = head.version();
  error_code unknown;
  const auto local = socket_.local_endpoint(unknown).address();
  if (const auto refused = check_head(head, core_.options, local))
    return refused->status == 400 ? refuse_request(problem_of(*refused)) : refuse_head(problem_of(*refused));
  // Before the body, because trailers are added to the same fields.
  headers_ = lower_case_headers(head);
  const auto expect = head.find(http::field::expect);
  if (expect == head.end() || version_ < 11 || parser_->is_done())
    return read_body();
  if (!beast::iequals(expect->value(), "100-continue"))
    return refuse_request(make_problem(
      417, "Expectation Failed",
      fmt::format(
        "Expect '{}' is not known; '100-continue' is.",
        std::string_view(expect->value().data(), expect->value().size()))));
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
  body_wire_bytes_ = 0;
  parser_->eager(true);
  read_more();
}

/// Parses what is there, and reads on if that is not all. (Beast's own loop would not say how far it has come.)
void http_connection::read_more() {
  const auto& options = core_.options;
  error_code error;
  while (buffer_.size() > 0 && !error && !parser_->is_done()) {
    const auto used = parser_->put(buffer_.cdata(), error);
    buffer_.consume(used);
    body_wire_bytes_ += used;
  }
  if (error == http::error::need_more && buffer_.size() < buffer_.max_size())
    error = {};
  if (error)
    return reading_failed(error == http::error::need_more ? http::error::buffer_overflow : error);
  if (body_wire_bytes_ > parser_->get().body().text.size() + options.body_bytes_max)
    return refuse_request(make_problem(
      413, "Content Too Large",
      fmt::format(
        "Chunk lines, their extensions and trailers may have {} bytes beside the body of a request.",
        options.body_bytes_max)));
  if (parser_->is_done())
    return handle();
  if (http_server_core::clock::now() >= arrival_deadline_)
    return refuse_request(late_request());
  // The time for silence begins anew with every part of the body, the time for the whole request does not.
  enter(phase_type::reading, options.request_timeout_max);
  deadline_ = std::min(deadline_, arrival_deadline_);
  socket_.async_read_some(
    buffer_.prepare(std::min(body_read_bytes, buffer_.max_size() - buffer_.size())),
    [self = shared_from_this()](error_code failure, size_t bytes) { self->more_arrived(failure, bytes); });
}

void http_connection::more_arrived(error_code error, size_t bytes) {
  if (phase_ == phase_type::closed)
    return;
  if (error)
    return reading_failed(error);
  timed_out_ = false;
  buffer_.commit(bytes);
  read_more();
}

http_response http_connection::late_request() const {
  const auto& options = core_.options;
  const auto detail = http_server_core::clock::now() >= arrival_deadline_
                        ? fmt::format(
                            "The request did not arrive whole within {} (request_total_timeout_max).",
                            format_duration(options.request_total_timeout_max))
                        : fmt::format(
                            "The request did not arrive: its header was not whole within {}, or nothing more of its "
                            "body came for so long (request_timeout_max).",
                            format_duration(options.request_timeout_max));
  return make_problem(408, "Request Timeout", detail);
}

void http_connection::reading_failed(error_code error) {
  if (phase_ == phase_type::closed)
    return;
  const auto& options = core_.options;
  if (timed_out_)
    return refuse_request(late_request());
  if (error == http::error::buffer_overflow && parser_->is_header_done())
    return refuse_request(make_problem(
      431, "Request Header Fields Too Large",
      fmt::format(
        "A chunk line with its extensions, and all trailers together, may have {} bytes.", options.header_bytes_max)));
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return refuse_request(make_problem(
      431, "Request Header Fields Too Large",
      fmt::format("Request line and header fields may have {} bytes together.", options.header_bytes_max)));
  if (error == http::error::body_limit)
    return refuse_request(make_problem(
      413, "Content Too Large", fmt::format("The body of a request may have {} bytes.", options.body_bytes_max)));
  if (error == boost::system::errc::not_enough_memory) {
    auto response = make_problem(
      503, "Service Unavailable",
      fmt::format(
        "The bodies of all requests have {} bytes already, of at most {} (bodies_bytes_max); try again later.",
        core_.bodies->bytes_taken(), options.bodies_bytes_max));
    response.headers["Retry-After"] = "1";
    return refuse_request(std::move(response));
  }
  const bool client_left = error == http::error::end_of_stream || error == http::error::partial_message;
  if (error.category() == make_error_code(http::error::bad_method).category() && !client_left)
    return refuse_request(
      make_problem(400, "Bad Request", "This is not an HTTP/1.1 request: " + error.message() + "."));
  close();
}

} // namespace levain
