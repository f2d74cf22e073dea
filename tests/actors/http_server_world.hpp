#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "actors/gateway/http_server.hpp"

namespace levain::test {

using namespace std::chrono_literals;

using respond_type = std::function<void(http_response)>;

/// What a raw client reads off the wire.
struct raw_response {
  std::string status_line;
  std::map<std::string, std::string> headers;
  std::string body;
};

/// Bytes out, bytes in; gives up after some seconds so that a broken server fails a test and does not hang it.
class raw_client {
public:
  explicit raw_client(uint16_t port) {
    stream_.expires_after(5s);
    stream_.connect(boost::asio::ip::tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), port));
  }

  raw_client& send(const std::string& bytes) {
    stream_ << bytes << std::flush;
    return *this;
  }

  std::string line() {
    std::string text;
    std::getline(stream_, text);
    if (!text.empty() && text.back() == '\r')
      text.pop_back();
    return text;
  }

  raw_response receive(bool with_body = true) {
    raw_response response;
    response.status_line = line();
    for (auto text = line(); !text.empty(); text = line())
      response.headers[text.substr(0, text.find(':'))] = text.substr(text.find(':') + 2);
    if (with_body && response.headers.contains("Content-Length")) {
      response.body.resize(std::stoul(response.headers["Content-Length"]));
      stream_.read(response.body.data(), static_cast<std::streamsize>(response.body.size()));
    }
    return response;
  }

  /// Whether the server closes without another byte.
  bool sees_the_end() {
    return stream_.peek() == std::char_traits<char>::eof() && stream_.error() == boost::asio::error::eof;
  }

private:
  boost::asio::ip::tcp::iostream stream_;
};

inline http_response text_response(std::string body) {
  http_response response;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

/// Says what it was asked.
inline void echo(http_request request, const respond_type& respond) {
  nlohmann::json seen{
    {"method", request.method},
    {"path", request.path},
    {"query", nlohmann::json::array()},
    {"headers", request.headers},
    {"body", request.body}};
  for (const auto& [name, value] : request.query)
    seen["query"].push_back({name, value});
  http_response response;
  response.body = seen.dump();
  respond(std::move(response));
}

inline std::string get(const std::string& target, const std::string& more = {}) {
  return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n";
}

inline std::string post(const std::string& target, const std::string& body) {
  return "POST " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

inline void check_problem(const raw_response& response, int status, const std::string& detail_part) {
  BOOST_TEST(response.status_line.substr(0, 12) == "HTTP/1.1 " + std::to_string(status));
  BOOST_TEST(response.headers.at("Content-Type") == "application/problem+json");
  const auto problem = nlohmann::json::parse(response.body);
  BOOST_TEST(problem.at("type") == "about:blank");
  BOOST_TEST(problem.at("status") == status);
  BOOST_TEST(problem.at("detail").get<std::string>().find(detail_part) != std::string::npos, problem.dump());
}

inline std::string refusal(const http_server_options& options) {
  try {
    http_server server(options, echo);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "not refused";
}

} // namespace levain::test
