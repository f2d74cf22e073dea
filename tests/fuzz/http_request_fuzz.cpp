// Raw bytes from a client, through the connection, the router and every route up to where the node would be asked.
#include <charconv>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actors/gateway/api.hpp"
#include "actors/gateway/http_connection.hpp"
#include "persistence/model_definition_store.hpp"
#include "persistence/model_journal.hpp"
#include "persistence/model_leases.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace levain::test {

namespace {

/// The requests of a client that takes no answers must not pile up; more than this much of them is one socket's buffer.
constexpr size_t input_bytes_max = 64 * 1024;
constexpr size_t header_bytes_max = 2048;
/// Ends a header, whatever came before.
constexpr std::string_view header_end = "\r\n\r\n";

/// The real routes behind a closed gate: the node was stopped, so whoever gets as far as asking it gets 503.
http_handler routes() {
  const auto database = std::make_shared<model_database>();
  node_options options;
  options.threads = 1;
  options.sole = true;
  node engine(
    options, {[=](const std::string&) { return std::make_unique<model_journal>(database); },
              [=] { return std::make_unique<model_definition_store>(database); },
              [=] { return std::make_unique<model_leases>(database); }});
  api interface(engine, std::make_unique<reader>(reader_options{}), {"0.0.0"});
  auto handler = interface.handler();
  interface.stop();
  engine.stop();
  return handler;
}

/// A server without a thread and a door: it takes the connections that it is given, and moves when it is told.
struct still_server : http_server_core {
  explicit still_server(http_server_options given)
    : http_server_core(std::move(given), routes()) {}

  void forget(const std::shared_ptr<http_connection>& connection) override { connections.erase(connection); }

  void move() {
    io.restart();
    io.poll();
  }
};

still_server& server() {
  static const auto one = [] {
    spdlog::set_level(spdlog::level::off);
    http_server_options options;
    options.header_bytes_max = header_bytes_max;
    options.body_bytes_max = 16 * 1024;
    // The hosts that the corpus names.
    options.host_names = {"t", "test"};
    return std::make_shared<still_server>(options);
  }();
  return *one;
}

void take(int client, std::string& answer) {
  char block[64 * 1024];
  for (ssize_t bytes = 0; (bytes = ::recv(client, block, sizeof block, MSG_DONTWAIT)) > 0;)
    answer.append(block, static_cast<size_t>(bytes));
}

/// What a client gets that sends these bytes, so many at a time, and then closes its side.
std::string answer_to(std::string_view bytes, size_t at_a_time) {
  int ends[2];
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "there are sockets");
  http_server_core::socket_type socket(server().io);
  // To the server it is a stream like any other.
  socket.assign(boost::asio::ip::tcp::v4(), ends[0]);
  const auto connection = std::make_shared<http_connection>(server(), std::move(socket));
  server().connections.insert(connection);
  connection->serve();
  const int client = ends[1];
  std::string answer;
  for (int idle = 0; !server().connections.empty(); ++idle) {
    require(idle < 10'000, "a connection ends when its client has");
    const auto sent = ::send(client, bytes.data(), std::min(at_a_time, bytes.size()), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
      idle = 0;
    }
    if (bytes.empty())
      ::shutdown(client, SHUT_WR);
    server().move();
    take(client, answer);
  }
  ::close(client);
  // The last handlers hold the connection.
  server().move();
  return answer;
}

std::string_view header_of(std::string_view head, std::string_view name) {
  const auto at = head.find(name);
  if (at == std::string_view::npos)
    return {};
  const auto begin = at + name.size();
  return head.substr(begin, head.find('\r', begin) - begin);
}

/// Takes one answer off the bytes and requires that it is one.
void require_answer(std::string_view& bytes) {
  constexpr std::string_view version = "HTTP/1.";
  const std::string shown(bytes.substr(0, 300));
  require(bytes.starts_with(version) && bytes.size() > 12, "an answer begins with its version", shown);
  int status = 0;
  std::from_chars(bytes.data() + 9, bytes.data() + 12, status);
  const auto end = bytes.find("\r\n\r\n");
  require(end != std::string_view::npos, "a header ends", shown);
  const auto head = bytes.substr(0, end + 2);
  bytes.remove_prefix(end + 4);
  if (status == 100)
    return;
  require(status >= 200 && status <= 599 && status != 500, "no request brings the server into trouble", shown);
  const auto length = header_of(head, "Content-Length: ");
  size_t body_bytes = 0;
  std::from_chars(length.data(), length.data() + length.size(), body_bytes);
  // The answer to HEAD says the length of a body that it leaves out.
  if (bytes.starts_with(version) || bytes.empty())
    return;
  require(body_bytes <= bytes.size(), "a body is as long as its header says", shown);
  const auto body = bytes.substr(0, body_bytes);
  bytes.remove_prefix(body_bytes);
  require(nlohmann::json::accept(body), "every body is JSON", std::string(body));
  if (status >= 400) {
    const auto problem = nlohmann::json::parse(body);
    require(problem.value("status", 0) == status, "a problem says its status", std::string(body));
    require(!problem.value("detail", "").empty(), "a problem says something", std::string(body));
  }
}

/// Without what depends on the second it was made in.
std::string without_dates(std::string text) {
  constexpr size_t date_bytes = 29;
  for (size_t at = 0; (at = text.find("\r\nDate: ", at)) != std::string::npos;)
    text.erase(at, 8 + date_bytes);
  return text;
}

/// True when the answers are the same in whatever pieces the bytes arrive.
bool is_same_in_pieces(std::string_view bytes, const std::string& answer) {
  return without_dates(answer_to(bytes, 1 + bytes.size() % 13)) == without_dates(answer);
}

} // namespace

LEVAIN_FUZZ_TARGET(http_request) {
  const auto bytes = input.substr(0, input_bytes_max);
  const auto answer = answer_to(bytes, bytes.size());
  for (std::string_view rest = answer; !rest.empty();)
    require_answer(rest);
  // What is wrong beside being too long may be told of either fault.
  if (bytes.empty() || bytes.size() + header_end.size() > header_bytes_max)
    return;
  if (is_same_in_pieces(bytes, answer))
    return;
  // A client that leaves in the middle of a request may be told what is wrong with the part that came or be left
  // without an answer (RFC 9112 section 8): the parser looks at a part when it comes at once, and waits for the end
  // otherwise. It must be the same once the end is there.
  const auto whole = std::string(bytes) + std::string(header_end);
  require(
    is_same_in_pieces(whole, answer_to(whole, whole.size())), "it does not matter in which pieces a request arrives",
    answer);
}

} // namespace levain::test
