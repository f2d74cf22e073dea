#include "actors/gateway/http_server.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <signal.h>
#include <spdlog/spdlog.h>

#include <limits>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "actors/gateway/handler_threads.hpp"
#include "actors/gateway/http_connection.hpp"
#include "persistence/log_quoted.hpp"

namespace levain {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds accept_pause{100};

bool is_loopback(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback();
  return address.is_loopback();
}

void check_limits(const http_server_options& options) {
  const auto at_least_one = [](std::string_view name, auto value) {
    if (value < 1)
      throw std::runtime_error(fmt::format("{} is {}; it must be at least 1", name, value));
  };
  at_least_one("connections_max", options.connections_max);
  at_least_one("refusals_max", options.refusals_max);
  at_least_one("header_bytes_max", options.header_bytes_max);
  at_least_one("body_bytes_max", options.body_bytes_max);
  at_least_one("bodies_bytes_max", options.bodies_bytes_max);
  at_least_one("answer_bytes_max", options.answer_bytes_max);
  at_least_one("answers_bytes_max", options.answers_bytes_max);
  at_least_one("handler_threads", options.handler_threads);
  at_least_one("handlings_waiting_max", options.handlings_waiting_max);
  at_least_one("request_timeout_max", options.request_timeout_max.count());
  at_least_one("request_total_timeout_max", options.request_total_timeout_max.count());
  at_least_one("idle_timeout_max", options.idle_timeout_max.count());
  at_least_one("response_timeout_max", options.response_timeout_max.count());
  at_least_one("write_timeout_max", options.write_timeout_max.count());
  at_least_one("linger_timeout_max", options.linger_timeout_max.count());
  constexpr auto header_bytes_ceiling = std::numeric_limits<uint32_t>::max();
  if (options.header_bytes_max > header_bytes_ceiling)
    throw std::runtime_error(
      fmt::format("header_bytes_max is {}; it must be at most {}", options.header_bytes_max, header_bytes_ceiling));
}

asio::ip::tcp::endpoint endpoint_of(const http_server_options& options) {
  error_code error;
  const auto address = asio::ip::make_address(options.host, error);
  if (error)
    throw std::runtime_error(
      fmt::format("cannot listen on '{}': not an IP address, such as 127.0.0.1 or ::1", options.host));
  if (!options.allow_remote && !is_loopback(address))
    throw std::runtime_error(fmt::format(
      "refusing to listen on {}: it can be reached from other machines and requests are not authenticated; use "
      "127.0.0.1 or ::1",
      options.host));
  return {address, options.port};
}

} // namespace

void check_address(const http_server_options& options) {
  endpoint_of(options);
}

struct http_server::impl : http_server_core {
  impl(http_server_options given_options, http_handler given_handler)
    : http_server_core(std::move(given_options), std::move(given_handler))
    , acceptor(io)
    , apart(options.handler_threads, options.handlings_waiting_max)
    , pause(io)
    , grace_timer(io) {}

  void listen() {
    const auto endpoint = endpoint_of(options);
    try {
      acceptor.open(endpoint.protocol());
      acceptor.set_option(asio::socket_base::reuse_address(true));
      acceptor.bind(endpoint);
      acceptor.listen();
      port = acceptor.local_endpoint().port();
    } catch (const boost::system::system_error& error) {
      throw std::runtime_error(
        fmt::format("cannot listen on {} port {}: {}", options.host, options.port, error.code().message()));
    }
  }

  void accept_next() {
    if (stopping)
      return;
    if (connections.size() >= options.connections_max + options.refusals_max) {
      accepting = false;
      return;
    }
    accepting = true;
    acceptor.async_accept([this](error_code error, socket_type socket) {
      if (stopping)
        return;
      if (error && error != asio::error::connection_aborted)
        return accept_later(error);
      if (!error)
        welcome(std::move(socket));
      accept_next();
    });
  }

  /// Out of file descriptors, most likely: trying again at once would only burn the processor.
  void accept_later(error_code error) {
    spdlog::warn("http_accept_failed port={} reason={}", port, log_quoted(error.message()));
    pause.expires_after(accept_pause);
    pause.async_wait([this](error_code) { accept_next(); });
  }

  void welcome(socket_type socket) {
    auto connection = std::make_shared<http_connection>(*this, std::move(socket));
    connections.insert(connection);
    if (connections.size() - refused <= options.connections_max)
      return connection->serve();
    ++refused;
    connection->refuse();
  }

  bool run_apart(std::function<void()> work) override { return apart.run(std::move(work)); }

  void forget(const std::shared_ptr<http_connection>& connection) override {
    if (connections.erase(connection) == 0)
      return;
    if (connection->refused())
      --refused;
    if (stopping && connections.empty())
      io.stop();
    else if (!accepting)
      accept_next();
  }

  void begin_stop(std::chrono::milliseconds grace) {
    stopping = true;
    error_code ignored;
    acceptor.close(ignored);
    // Closing takes connections out of the set.
    const std::vector<std::shared_ptr<http_connection>> present(connections.begin(), connections.end());
    for (const auto& connection : present)
      connection->drain();
    if (connections.empty())
      return io.stop();
    grace_timer.expires_after(grace);
    grace_timer.async_wait([this](error_code) { io.stop(); });
  }

  void run() {
    // Signals are for the program's own threads.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    for (;;) {
      try {
        io.run();
        return;
      } catch (const std::exception& error) {
        // Memory ran out in the middle of something; its connection is closed by its timer.
        spdlog::error("http_io_threw port={} reason={}", port, log_quoted(error.what()));
      }
    }
  }

  /// After the I/O thread has ended.
  void clear() {
    const std::vector<std::shared_ptr<http_connection>> present(connections.begin(), connections.end());
    for (const auto& connection : present)
      connection->close();
    apart.stop();
    handler = nullptr;
  }

  asio::basic_socket_acceptor<asio::ip::tcp, executor_type> acceptor;
  handler_threads apart;
  timer_type pause;
  timer_type grace_timer;
  uint16_t port = 0;
  /// How many of the connections are being answered 503.
  size_t refused = 0;
  bool accepting = false;
  bool stopping = false;
  std::mutex stop_mutex;
  std::thread thread;
};

http_server::http_server(http_server_options options, http_handler handler) {
  check_limits(options);
  impl_ = std::make_shared<impl>(std::move(options), std::move(handler));
  impl_->listen();
  impl_->accept_next();
  impl_->thread = std::thread([core = impl_.get()] { core->run(); });
}

http_server::~http_server() {
  stop();
}

uint16_t http_server::port() const {
  return impl_->port;
}

void http_server::stop(std::chrono::milliseconds grace) {
  const std::lock_guard lock(impl_->stop_mutex);
  if (!impl_->thread.joinable())
    return;
  asio::post(impl_->io, [core = impl_.get(), grace] { core->begin_stop(grace); });
  impl_->thread.join();
  impl_->clear();
}

} // namespace levain
