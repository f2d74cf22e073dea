// Each limit of the server, and what a client is told who goes beyond it.
#include <boost/test/unit_test.hpp>

#include "tests/actors/http_server_world.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(http_server_limits_test)

BOOST_AUTO_TEST_CASE(clients_beyond_connections_max_are_answered_503) {
  http_server server({.connections_max = 2}, echo);
  std::optional<raw_client> first(server.port());
  first->send(get("/")).receive();
  raw_client second(server.port());
  second.send(get("/")).receive();

  raw_client third(server.port());
  const auto response = third.send(get("/")).receive();
  check_problem(response, 503, "All 2 connections");
  BOOST_TEST(response.headers.at("Retry-After") == "1");
  BOOST_TEST(third.sees_the_end());

  // When one leaves, another may come; the server learns of it a moment after the client.
  first.reset();
  for (int tries = 0; tries < 1000; ++tries)
    if (raw_client next(server.port()); next.send(get("/")).receive().status_line == "HTTP/1.1 200 OK")
      return;
  BOOST_ERROR("the freed connection was never given to another client");
}

BOOST_AUTO_TEST_CASE(while_refusals_max_are_being_refused_the_next_waits) {
  http_server server({.connections_max = 1, .linger_timeout_max = 100ms, .refusals_max = 1}, echo);
  raw_client served(server.port());
  served.send(get("/")).receive();
  // Neither says anything, so the refusal of the first lingers, and the second waits for it at the door.
  const auto before = std::chrono::steady_clock::now();
  raw_client refused(server.port());
  raw_client waiting(server.port());
  check_problem(refused.receive(), 503, "connections");
  check_problem(waiting.receive(), 503, "connections");
  BOOST_TEST((std::chrono::steady_clock::now() - before >= 100ms));
}

BOOST_AUTO_TEST_CASE(a_header_beyond_header_bytes_max_is_answered_431) {
  http_server server({.header_bytes_max = 512}, echo);
  raw_client fitting(server.port());
  BOOST_TEST(fitting.send(get("/", "A: " + std::string(400, 'a') + "\r\n")).receive().status_line == "HTTP/1.1 200 OK");
  raw_client fields(server.port());
  check_problem(fields.send(get("/", "A: " + std::string(600, 'a') + "\r\n")).receive(), 431, "512 bytes");
  raw_client line(server.port());
  check_problem(line.send(get("/" + std::string(600, 'a'))).receive(), 431, "512 bytes");
}

BOOST_AUTO_TEST_CASE(a_body_beyond_body_bytes_max_is_answered_413) {
  http_server server({.body_bytes_max = 1000}, echo);
  raw_client fitting(server.port());
  BOOST_TEST(fitting.send(post("/", std::string(1000, 'b'))).receive().status_line == "HTTP/1.1 200 OK");
  raw_client declared(server.port());
  check_problem(declared.send(post("/", std::string(1001, 'b'))).receive(), 413, "1000 bytes");
  raw_client chunked(server.port());
  chunked.send(
    "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'b'));
  check_problem(chunked.receive(), 413, "1000 bytes");
}

BOOST_AUTO_TEST_CASE(a_refused_client_that_sends_on_still_reads_why) {
  http_server server({.body_bytes_max = 1000}, echo);
  raw_client client(server.port());
  client.send(post("/", std::string(2'000'000, 'b')));
  check_problem(client.receive(), 413, "1000 bytes");
}

BOOST_AUTO_TEST_CASE(a_request_that_trickles_is_answered_408) {
  http_server server({.request_timeout_max = 60ms}, echo);
  raw_client header(server.port());
  check_problem(header.send("GET / HT").receive(), 408, "60ms");
  BOOST_TEST(header.sees_the_end());
  raw_client body(server.port());
  check_problem(body.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc").receive(), 408, "60ms");
}

BOOST_AUTO_TEST_CASE(a_silent_connection_is_closed) {
  http_server server({.idle_timeout_max = 60ms}, echo);
  raw_client never(server.port());
  BOOST_TEST(never.sees_the_end());
  raw_client after(server.port());
  BOOST_TEST(after.send(get("/")).receive().status_line == "HTTP/1.1 200 OK");
  BOOST_TEST(after.sees_the_end());
}

BOOST_AUTO_TEST_CASE(a_handler_that_stays_silent_is_answered_504_and_its_late_answer_ignored) {
  respond_type late;
  http_server server({.response_timeout_max = 60ms}, [&](http_request request, respond_type respond) {
    if (request.path == "/slow") {
      late = std::move(respond);
      return;
    }
    // While another request of the same connection waits for its own answer.
    late(text_response("late"));
    respond(text_response("quick"));
  });
  raw_client client(server.port());
  check_problem(client.send(get("/slow")).receive(), 504, "60ms");
  BOOST_TEST(client.send(get("/")).receive().body == "quick");
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_take_its_answer_is_closed) {
  http_server server({.write_timeout_max = 60ms}, [](http_request, respond_type respond) {
    respond(text_response(std::string(64 * 1024 * 1024, 'x')));
  });
  boost::asio::io_context io;
  boost::asio::ip::tcp::socket socket(io);
  socket.connect({boost::asio::ip::make_address("127.0.0.1"), server.port()});
  boost::asio::write(socket, boost::asio::buffer(get("/")));
  // Stopping waits for answers on their way, so it returns early only because the server gave this one up.
  const auto before = std::chrono::steady_clock::now();
  std::vector<char> piece(1);
  boost::asio::read(socket, boost::asio::buffer(piece));
  server.stop(5s);
  BOOST_TEST((std::chrono::steady_clock::now() - before < 4s));
}

BOOST_AUTO_TEST_CASE(zero_limits_are_refused_by_name) {
  BOOST_TEST(refusal({.connections_max = 0}) == "connections_max is 0; it must be at least 1");
  BOOST_TEST(refusal({.header_bytes_max = 0}) == "header_bytes_max is 0; it must be at least 1");
  BOOST_TEST(refusal({.body_bytes_max = 0}) == "body_bytes_max is 0; it must be at least 1");
  BOOST_TEST(refusal({.request_timeout_max = 0ms}) == "request_timeout_max is 0; it must be at least 1");
  BOOST_TEST(refusal({.linger_timeout_max = -1ms}) == "linger_timeout_max is -1; it must be at least 1");
}

BOOST_AUTO_TEST_SUITE_END()
