#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <functional>
#include <future>
#include <memory>
#include <mutex>

#include <stdexcept>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "actors/calls/http_executor.hpp"
#include "actors/gateway/http_server.hpp"

namespace levain::test {

using namespace std::chrono_literals;

using respond_type = std::function<void(http_response)>;
using outcome = http_executor::outcome;

inline call_request request_to(const std::string& url, std::string method = "POST") {
  call_request request;
  request.run = {*uuid::parse("01932e4b-7c00-7000-8000-00000000002a")};
  request.tenant = {*uuid::parse("11111111-2222-4333-8444-555555555555")};
  request.step = "forecasting";
  request.attempt = 3;
  request.idempotency_key = to_string(request.run) + "/forecasting";
  request.timeout = 5s;
  request.call = http_call{std::move(method), url, {}};
  request.body = R"({"input":{}})";
  return request;
}

inline std::string url_of(const http_server& server, const std::string& target = "/") {
  return "http://127.0.0.1:" + std::to_string(server.port()) + target;
}

inline std::future<outcome> begin(http_executor& executor, call_request request, call_ticket* ticket = nullptr) {
  auto promise = std::make_shared<std::promise<outcome>>();
  auto future = promise->get_future();
  const auto given =
    executor.begin(std::move(request), [promise](outcome what) { promise->set_value(std::move(what)); });
  if (ticket)
    *ticket = given;
  return future;
}

inline outcome wait_for(std::future<outcome> future) {
  BOOST_TEST_REQUIRE((future.wait_for(8s) == std::future_status::ready));
  return future.get();
}

inline outcome call(http_executor& executor, call_request request) {
  return wait_for(begin(executor, std::move(request)));
}

inline call_failure failure_of(const outcome& what) {
  if (const auto* text = std::get_if<std::string>(&what))
    BOOST_FAIL("succeeded with " + *text);
  return std::get<call_failure>(what);
}

inline std::string text_of(const outcome& what) {
  if (const auto* failure = std::get_if<call_failure>(&what))
    BOOST_FAIL("failed: " + failure->message);
  return std::get<std::string>(what);
}

/// Every request is answered with the same.
inline http_handler always(http_response response) {
  return [response](http_request, const respond_type& respond) { respond(response); };
}

/// Takes requests and answers none by itself.
struct silent_service {
  ~silent_service() { server.stop(0ms); }
  std::string url() const { return url_of(server); }
  void await(size_t count) {
    std::unique_lock lock(mutex);
    BOOST_TEST_REQUIRE(arrived.wait_for(lock, 5s, [&] { return kept.size() >= count; }));
  }
  std::mutex mutex;
  std::condition_variable arrived;
  std::vector<respond_type> kept;
  http_server server{{.any_host = true}, [this](http_request, respond_type respond) {
                       const std::lock_guard lock(mutex);
                       kept.push_back(std::move(respond));
                       arrived.notify_all();
                     }};
};

inline bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A port nobody listens on, for as long as this lives: bound, never listening.
struct closed_port {
  closed_port()
    : socket(io, boost::asio::ip::tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0)) {}
  std::string url() const { return "http://127.0.0.1:" + std::to_string(socket.local_endpoint().port()) + "/"; }
  boost::asio::io_context io;
  boost::asio::ip::tcp::socket socket;
};

/// Takes connections into the system's queue and says nothing, or only what a test writes.
struct raw_service {
  raw_service()
    : acceptor(io, boost::asio::ip::tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0)) {}
  std::string url() const { return "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/"; }
  boost::asio::io_context io;
  boost::asio::ip::tcp::acceptor acceptor;
};

} // namespace levain::test
