// Raw bytes from a service, through the executor of calls and libcurl; and their lines, as a header by itself.
#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <future>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include <spdlog/spdlog.h>

#include "actors/calls/answer_header.hpp"
#include "actors/calls/call_budget.hpp"
#include "actors/calls/http_executor.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace levain::test {

namespace {

/// More is one socket's buffer, and an answer that nobody takes.
constexpr size_t input_bytes_max = 32 * 1024;
constexpr size_t response_bytes_max = 4096;
/// Of each field of a header that is kept.
constexpr size_t field_bytes_max = 300;
constexpr std::string_view body = R"({"input":{}})";

/// Where calls go: a door on the loopback that is opened once.
struct front_door {
  front_door() {
    spdlog::set_level(spdlog::level::off);
    listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    require(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0, "there are ports");
    require(::listen(listener, 16) == 0, "there are sockets");
    require(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0, "a socket has a name");
    url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
  }
  int listener = -1;
  std::string url;
};

const front_door& door() {
  static const front_door one;
  return one;
}

/// Takes the whole request: what is left unread would cut the answer off.
void take_request(int client) {
  std::string request;
  char block[4096];
  while (request.find(body) == std::string::npos) {
    const auto bytes = ::recv(client, block, sizeof block, 0);
    require(bytes > 0, "a request comes whole");
    request.append(block, static_cast<size_t>(bytes));
  }
}

void send_in_pieces(int client, std::string_view bytes, size_t at_a_time) {
  const int at_once = 1;
  ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  while (!bytes.empty()) {
    // A caller that has had enough closes.
    const auto sent = ::send(client, bytes.data(), std::min(at_a_time, bytes.size()), MSG_NOSIGNAL);
    if (sent <= 0)
      return;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  ::shutdown(client, SHUT_WR);
}

/// What a call comes to whose service sends these bytes, so many at a time, and then closes its side.
http_executor::outcome outcome_of(std::string_view bytes, size_t at_a_time) {
  call_budget budget(response_bytes_max);
  http_executor::outcome what;
  {
    http_executor executor({.response_bytes_max = response_bytes_max});
    call_request request;
    request.step = "bake";
    request.idempotency_key = "key";
    request.timeout = std::chrono::seconds(8);
    request.call = http_call{"POST", door().url, {}};
    request.body = body;
    auto room = budget.enter("door", request.body.size(), [](const call_bytes_ptr&) {});
    request.memory = std::get<call_bytes_ptr>(std::move(room));
    std::promise<http_executor::outcome> told;
    executor.begin(std::move(request), [&told](auto result) { told.set_value(std::move(result)); });
    const int client = ::accept4(door().listener, nullptr, nullptr, SOCK_CLOEXEC);
    require(client >= 0, "a call is made");
    take_request(client);
    send_in_pieces(client, bytes, at_a_time);
    auto result = told.get_future();
    require(result.wait_for(std::chrono::seconds(10)) == std::future_status::ready, "a call ends when its service has");
    what = result.get();
    ::close(client);
  }
  const auto memory = budget.read();
  require(memory.bytes == 0, "a call that has ended holds no memory");
  require(memory.bytes_peak <= body.size() + response_bytes_max, "an answer holds no more than it may have");
  return what;
}

void check_outcome(std::string_view bytes, const http_executor::outcome& what) {
  if (const auto* text = std::get_if<std::string>(&what)) {
    require(bytes.starts_with("HTTP/"), "an answer begins with its version");
    require(
      bytes.find("\n\r\n") != std::string_view::npos || bytes.find("\n\n") != std::string_view::npos,
      "an answer counts when its header has ended");
    require(text->size() <= response_bytes_max, "an answer is not too large");
    require(!text->empty(), "no answer is an empty object");
    return;
  }
  const auto& failure = std::get<call_failure>(what);
  require_line(failure.message);
  require(failure.message.size() <= message_bytes_max, "a message is short", failure.message);
  require(
    failure.kind != call_failure::kind_type::timeout, "an answer that is over is not waited for", failure.message);
  if (failure.retry_after)
    require(
      *failure.retry_after > duration(0) && *failure.retry_after <= retry_after_max, "a wait has its limit",
      failure.message);
}

/// What a wait of digits alone comes to, in seconds; by other means than the engine's.
int64_t seconds_of(std::string_view digits) {
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.size() > 4)
    return 3600;
  return digits.empty() ? 0 : std::min<int64_t>(3600, std::stoll(std::string(digits)));
}

void check_header(std::string_view bytes) {
  answer_header header;
  for (auto rest = bytes; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    const auto ended = header.ended();
    const auto before = header;
    header.take_line(rest.substr(0, end));
    rest.remove_prefix(end);
    require(
      !ended || (header.ended() && header.retry_after() == before.retry_after() &&
                 header.content_type() == before.content_type() && header.reason() == before.reason() &&
                 header.content_encoding() == before.content_encoding()),
      "a trailer changes nothing");
  }
  for (const auto* field : {&header.content_type(), &header.content_encoding(), &header.retry_after()})
    require(field->size() <= field_bytes_max, "what is kept of a header is short");
  require(!header.ended() || header.begun(), "what has not begun has no end");
  const auto now = std::chrono::system_clock::time_point(std::chrono::hours(24) * 365 * 57);
  const auto& wait = header.retry_after();
  const auto read = read_retry_after(wait, now);
  require(!read || (*read > duration(0) && *read <= retry_after_max), "a wait has its limit", wait);
  if (!wait.empty() && std::ranges::all_of(wait, [](unsigned char c) { return std::isdigit(c) != 0; }))
    require(
      read.value_or(duration(0)) == std::chrono::seconds(seconds_of(wait)), "digits are seconds, at most an hour",
      wait);
}

} // namespace

LEVAIN_FUZZ_TARGET(http_answer) {
  const auto bytes = input.substr(0, input_bytes_max);
  check_header(bytes);
  const auto at_once = outcome_of(bytes, bytes.size());
  check_outcome(bytes, at_once);
  const auto in_pieces = outcome_of(bytes, 1 + bytes.size() / (2 + bytes.size() % 7));
  check_outcome(bytes, in_pieces);
  require(at_once.index() == in_pieces.index(), "it does not matter in which pieces an answer arrives");
  if (const auto* text = std::get_if<std::string>(&at_once))
    require(*text == std::get<std::string>(in_pieces), "it does not matter in which pieces a body arrives", *text);
  else
    require(
      std::get<call_failure>(at_once).kind == std::get<call_failure>(in_pieces).kind,
      "it does not matter in which pieces a failure arrives", std::get<call_failure>(at_once).message);
}

} // namespace levain::test
