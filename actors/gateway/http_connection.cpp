#include "actors/gateway/http_connection.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <exception>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <utility>
#include <variant>

#include "actors/gateway/request_target.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "persistence/log_quoted.hpp"

namespace levain {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr size_t discard_bytes = 2048;

/// What every answer says to browsers where its handler says nothing else: that it is what its type says, that no copy
/// is kept, and that no page of another origin may take it in.
constexpr std::pair<beast::string_view, beast::string_view> usual_fields[] = {
  {"Cache-Control", "no-store"},
  {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
  {"Cross-Origin-Resource-Policy", "same-origin"},
  {"Referrer-Policy", "no-referrer"},
  {"X-Content-Type-Options", "nosniff"},
};

/// The right to answer one request: used once, or when it is dropped. Keeps what the request's body has of the budget
/// until then.
class answer_slot {
public:
  answer_slot(
    std::weak_ptr<http_server_core> core, std::weak_ptr<http_connection> connection, uint64_t number, byte_share body)
    : core_(std::move(core))
    , connection_(std::move(connection))
    , number_(number)
    , body_(std::move(body)) {}

  answer_slot(const answer_slot&) = delete;
  answer_slot& operator=(const answer_slot&) = delete;

  ~answer_slot() {
    if (used_)
      return;
    try {
      answer(make_problem(500, "Internal Server Error", "The request was dropped without an answer."));
    } catch (const std::exception& error) {
      spdlog::error("http_answer_lost reason={}", log_quoted(error.what()));
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
  byte_share body_;
  std::atomic<bool> used_ = false;
};

/// What is said where a handler fails: the reason is for the log alone.
http_response handler_failed() {
  return make_problem(500, "Internal Server Error", "The request could not be handled; the log says why.");
}

/// On the I/O thread or on a handler thread.
void call_handler(const http_handler& handler, http_request request, const std::shared_ptr<answer_slot>& slot) {
  const auto method = request.method;
  const auto path = log_quoted(request.path);
  try {
    handler(std::move(request), [slot](http_response response) { slot->answer(std::move(response)); });
  } catch (const std::exception& error) {
    spdlog::error("http_handler_threw method={} path={} reason={}", method, path, log_quoted(error.what()));
    slot->answer(handler_failed());
  } catch (...) {
    spdlog::error("http_handler_threw method={} path={} reason=\"not a std::exception\"", method, path);
    slot->answer(handler_failed());
  }
}

http_response busy(std::string_view detail) {
  auto response = make_problem(503, "Service Unavailable", detail);
  response.headers["Retry-After"] = "1";
  return response;
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

} // namespace

http_server_core::http_server_core(http_server_options given_options, http_handler given_handler)
  : options(std::move(given_options))
  , tick(std::min(
      {options.request_timeout_max, options.request_total_timeout_max, options.idle_timeout_max,
       options.response_timeout_max, options.write_timeout_max, options.linger_timeout_max}))
  , handler(std::move(given_handler))
  , bodies(std::make_shared<byte_budget>(options.bodies_bytes_max))
  , answers(std::make_shared<byte_budget>(options.answers_bytes_max)) {}

bool http_server_core::run_apart(std::function<void()> work) {
  work();
  return true;
}

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
  , timer_(core.io)
  , buffer_(buffer_bytes_max(core.options)) {
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
  write(
    busy(fmt::format("All {} connections of this server are in use; try again later.", core_.options.connections_max)));
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
  if (client_)
    client_->leave();
  answer_share_.release();
  error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
  core_.forget(shared_from_this());
}

// -- handling ---------------------------------------------------------------------------------------------------------

void http_connection::handle() {
  enter(phase_type::handling, core_.options.response_timeout_max);
  ++number_;
  auto message = parser_->release();
  auto target = parse_request_target({message.target().data(), message.target().size()});
  if (const auto* wrong = std::get_if<std::string>(&target))
    return write(make_problem(400, "Bad Request", *wrong));
  http_request request;
  request.method = without_body_ ? "GET" : std::string(message.method_string().data(), message.method_string().size());
  request.path = std::move(std::get<request_target>(target).path);
  request.segments = std::move(std::get<request_target>(target).segments);
  request.query = std::move(std::get<request_target>(target).query);
  request.headers = std::move(headers_);
  request.body = std::move(message.body().text);
  request.client = client_ = std::make_shared<client_presence>();
  hand_over(std::move(request), std::move(message.body().share));
}

void http_connection::hand_over(http_request request, byte_share body) {
  const bool is_large = request.body.size() > core_.options.inline_body_bytes_max;
  auto slot = std::make_shared<answer_slot>(core_.weak_from_this(), weak_from_this(), number_, std::move(body));
  if (!is_large) {
    call_handler(core_.handler, std::move(request), slot);
    if (client_ && client_->watched())
      watch_client();
    return;
  }
  auto kept = std::make_shared<http_request>(std::move(request));
  if (!core_.run_apart([&handler = core_.handler, kept, slot] { call_handler(handler, std::move(*kept), slot); }))
    slot->answer(busy(fmt::format(
      "{} requests with large bodies wait to be read already (handlings_waiting_max); try again later.",
      core_.options.handlings_waiting_max)));
}

/// Looks for a client that closes its connection while its answer is being made.
void http_connection::watch_client() {
  if (watching_ || phase_ != phase_type::handling)
    return;
  watching_ = true;
  socket_.async_wait(asio::socket_base::wait_read, [self = shared_from_this()](error_code error) {
    self->watching_ = false;
    self->client_moved(error);
  });
}

void http_connection::client_moved(error_code error) {
  if (phase_ != phase_type::handling || !client_ || !client_->watched())
    return;
  if (error == asio::error::operation_aborted)
    return watch_client();
  char next = 0;
  const auto found = ::recv(socket_.native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
  // What it sends ahead of its turn says that it is there, and hides what comes after.
  if (found > 0)
    return;
  if (found < 0 && (errno == EAGAIN || errno == EINTR))
    return watch_client();
  close();
}

void http_connection::deliver(uint64_t number, http_response response) {
  if (phase_ == phase_type::handling && number == number_)
    write(std::move(response));
}

void http_connection::refuse_request(http_response response) {
  // Where the next request would begin is not known any more.
  keep_alive_ = false;
  write(std::move(response));
}

/// Before the body was read: what follows is known only where there is no body.
void http_connection::refuse_head(http_response response) {
  if (!parser_->is_done())
    keep_alive_ = false;
  write(std::move(response));
}

// -- writing ----------------------------------------------------------------------------------------------------------

void http_connection::write(http_response response) {
  if (!is_sendable(response)) {
    spdlog::error("http_response_unsendable status={}", response.status);
    response = make_problem(500, "Internal Server Error", "The answer could not be sent; the log says why.");
  }
  take_room(response);
  client_.reset();
  enter(phase_type::writing, core_.options.write_timeout_max);
  auto& message = response_.emplace();
  message.result(static_cast<unsigned>(response.status));
  message.version(version_);
  for (const auto& [name, value] : response.headers)
    message.set(name, value);
  for (const auto& [name, value] : usual_fields)
    if (message.count(name) == 0)
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
  serializer_.emplace(message);
  write_more();
}

/// Takes what a large answer holds from its budget; puts a problem in its place when it is too large.
void http_connection::take_room(http_response& response) {
  const auto& options = core_.options;
  const auto bytes = response.body.size();
  if (bytes <= answer_bytes_free)
    return;
  answer_share_ = byte_share(core_.answers);
  if (bytes > options.answer_bytes_max) {
    spdlog::warn("http_answer_too_large bytes={} bytes_max={}", bytes, options.answer_bytes_max);
    response = make_problem(
      500, "Internal Server Error",
      fmt::format(
        "The answer has {} bytes, and at most {} are sent (answer_bytes_max); ask for less.", bytes,
        options.answer_bytes_max));
  } else if (!answer_share_.grow_to(bytes)) {
    response = busy(fmt::format(
      "Clients are taking {} bytes of answers already, of at most {} (answers_bytes_max); try again later.",
      core_.answers->bytes_taken(), options.answers_bytes_max));
  }
}

/// As much as the system takes at once. The time for the client begins anew with every such part.
void http_connection::write_more() {
  http::async_write_some(socket_, *serializer_, [self = shared_from_this()](error_code error, size_t) {
    if (self->phase_ != phase_type::writing)
      return;
    if (error || self->serializer_->is_done())
      return self->written(error);
    self->enter(phase_type::writing, self->core_.options.write_timeout_max);
    self->write_more();
  });
  untaken_before_ = answer_share_.bytes() > 0 ? bytes_untaken().value_or(0) : 0;
}

/// What the system holds of the answer that the client's system has not taken yet.
std::optional<int> http_connection::bytes_untaken() {
  int bytes = 0;
  if (::ioctl(socket_.native_handle(), SIOCOUTQ, &bytes) != 0)
    return std::nullopt;
  return bytes;
}

/// Since it was last asked or a part was written. The system takes further parts only when much of the last is gone, so
/// a slow client shows here long before.
bool http_connection::client_took_some() {
  const auto untaken = bytes_untaken();
  if (!untaken)
    return false;
  return *untaken < std::exchange(untaken_before_, *untaken);
}

void http_connection::written(error_code error) {
  if (phase_ == phase_type::closed)
    return;
  // An answer may have been made before the drain began; then the client learns it from the closed connection.
  const bool request_was_read = parser_ && parser_->is_done();
  serializer_.reset();
  response_.reset();
  answer_share_.release();
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
  untaken_before_ = bytes_untaken().value_or(0);
  enter(phase_type::lingering, core_.options.linger_timeout_max);
  discard();
}

void http_connection::discard() {
  buffer_.clear();
  socket_.async_read_some(buffer_.prepare(discard_bytes), [self = shared_from_this()](error_code error, size_t) {
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
  // One wait lasts at most a tick, and no deadline is nearer than a tick when it is set (but the last one of a request
  // that trickles): so the timer is not late although requests do not touch it.
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
  const auto& options = core_.options;
  if (phase_ == phase_type::handling) {
    client_->leave();
    return write(make_problem(
      504, "Gateway Timeout",
      fmt::format("No answer was ready within {}.", format_duration(options.response_timeout_max))));
  }
  if (phase_ == phase_type::writing && client_took_some())
    return enter(phase_type::writing, options.write_timeout_max);
  if (phase_ == phase_type::lingering && client_took_some())
    return enter(phase_type::lingering, options.linger_timeout_max);
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
