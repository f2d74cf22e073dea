#include <boost/test/unit_test.hpp>

#include "tests/actors/http_server_world.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(http_server_test)

BOOST_AUTO_TEST_CASE(a_request_reaches_the_handler_decoded) {
  http_server server({}, echo);
  raw_client client(server.port());
  client.send("PUT /a%20b/%C3%A9?x=1+2&x=%26&flag HTTP/1.1\r\nHost: localhost\r\nX-Thing: one\r\nx-thing: two\r\n"
              "Content-Length: 4\r\n\r\nbody");
  const auto response = client.receive();
  BOOST_TEST(response.status_line == "HTTP/1.1 200 OK");
  const auto seen = nlohmann::json::parse(response.body);
  BOOST_TEST(seen["method"] == "PUT");
  BOOST_TEST(seen["path"] == "/a b/\xC3\xA9");
  BOOST_TEST(seen["query"] == nlohmann::json::parse(R"([["x","1 2"],["x","&"],["flag",""]])"));
  BOOST_TEST(seen["headers"]["x-thing"] == "one, two");
  BOOST_TEST(seen["body"] == "body");
  BOOST_TEST(response.headers.at("Content-Type") == "application/json");
  BOOST_TEST(response.headers.contains("Date"));
}

BOOST_AUTO_TEST_CASE(a_connection_serves_many_requests) {
  http_server server({}, echo);
  raw_client client(server.port());
  for (int i = 0; i < 100; ++i) {
    client.send(get("/" + std::to_string(i)));
    BOOST_TEST(nlohmann::json::parse(client.receive().body)["path"] == "/" + std::to_string(i));
  }
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_their_order) {
  // The first is answered by another thread, late; the second must not overtake it.
  std::vector<std::thread> threads;
  http_server server({}, [&](http_request request, respond_type respond) {
    if (request.path == "/1")
      threads.emplace_back([respond] { respond(text_response("/1")); });
    else
      respond(text_response(request.path));
  });
  raw_client client(server.port());
  client.send(get("/1") + post("/2", "xyz") + get("/3"));
  for (const char* path : {"/1", "/2", "/3"})
    BOOST_TEST(client.receive().body == path);
  for (auto& thread : threads)
    thread.join();
}

BOOST_AUTO_TEST_CASE(connection_close_is_honoured) {
  http_server server({}, echo);
  raw_client client(server.port());
  client.send(get("/", "Connection: close\r\n"));
  BOOST_TEST(client.receive().headers.at("Connection") == "close");
  BOOST_TEST(client.sees_the_end());
}

BOOST_AUTO_TEST_CASE(an_old_client_is_closed_unless_it_asks_to_stay) {
  http_server server({}, echo);
  raw_client leaving(server.port());
  leaving.send("GET / HTTP/1.0\r\n\r\n").receive();
  BOOST_TEST(leaving.sees_the_end());
  raw_client staying(server.port());
  for (int i = 0; i < 2; ++i)
    BOOST_TEST(
      staying.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").receive().headers.at("Connection") ==
      "keep-alive");
}

BOOST_AUTO_TEST_CASE(head_is_answered_as_get_without_the_body) {
  http_server server({}, [](http_request request, respond_type respond) { respond(text_response(request.method)); });
  raw_client client(server.port());
  client.send("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("/"));
  BOOST_TEST(client.receive(false).headers.at("Content-Length") == "3");
  const auto next = client.receive();
  BOOST_TEST(next.status_line == "HTTP/1.1 200 OK");
  BOOST_TEST(next.body == "GET");
}

BOOST_AUTO_TEST_CASE(an_empty_answer_has_neither_body_nor_length) {
  http_server server({}, [](http_request, respond_type respond) { respond({.status = 204}); });
  raw_client client(server.port());
  const auto response = client.send(get("/")).receive();
  BOOST_TEST(response.status_line == "HTTP/1.1 204 No Content");
  BOOST_TEST(!response.headers.contains("Content-Length"));
  BOOST_TEST(!response.headers.contains("Content-Type"));
}

BOOST_AUTO_TEST_CASE(a_client_that_expects_to_be_asked_is_asked_for_its_body) {
  http_server server({}, echo);
  raw_client client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  BOOST_TEST(client.line() == "HTTP/1.1 100 Continue");
  BOOST_TEST(client.line() == "");
  BOOST_TEST(nlohmann::json::parse(client.send("body").receive().body)["body"] == "body");
}

BOOST_AUTO_TEST_CASE(a_chunked_body_arrives_whole) {
  http_server server({}, echo);
  raw_client client(server.port());
  client.send(
    "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  BOOST_TEST(nlohmann::json::parse(client.receive().body)["body"] == "abcde");
}

// -- bad requests -----------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(what_is_not_http_is_answered_400_and_closed) {
  http_server server({}, echo);
  const std::vector<std::pair<std::string, std::string>> bad{
    {"\x16\x03\x01 hello\r\n\r\n", "not an HTTP/1.1 request"},
    {"GET /\r\n\r\n", "not an HTTP/1.1 request"},
    {"GET / HTTP/2.0\r\n\r\n", "not an HTTP/1.1 request"},
    {"GET / HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n", "not an HTTP/1.1 request"},
    {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: many\r\n\r\n", "not an HTTP/1.1 request"},
    {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
     "not an HTTP/1.1 request"},
    {"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", "transfer coding 'gzip'"},
    {"GET / HTTP/1.1\r\n\r\n", "exactly one Host field"},
  };
  for (const auto& [bytes, detail] : bad) {
    BOOST_TEST_CONTEXT(bytes) {
      raw_client client(server.port());
      check_problem(client.send(bytes).receive(), 400, detail);
      BOOST_TEST(client.sees_the_end());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_bad_target_is_answered_400_and_the_connection_stays) {
  http_server server({}, echo);
  raw_client client(server.port());
  for (const char* target : {"/%", "/%4", "/%zz", "/a%00", "/%ff", "/%c0%af", "/%ed%a0%80", "/?a=%", "nowhere"})
    BOOST_TEST_CONTEXT(target)
  check_problem(client.send(get(target)).receive(), 400, "T");
  BOOST_TEST(nlohmann::json::parse(client.send(get("http://localhost/x?y=z")).receive().body)["path"] == "/x");
}

BOOST_AUTO_TEST_CASE(an_unknown_expectation_is_answered_417) {
  http_server server({}, echo);
  raw_client client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nExpect: miracles\r\nContent-Length: 4\r\n\r\n");
  check_problem(client.receive(), 417, "miracles");
}

// -- handlers ---------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(only_the_first_answer_counts) {
  http_server server({}, [](http_request, respond_type respond) {
    respond(text_response("first"));
    respond(text_response("second"));
  });
  raw_client client(server.port());
  BOOST_TEST(client.send(get("/")).receive().body == "first");
  BOOST_TEST(client.send(get("/")).receive().body == "first");
}

BOOST_AUTO_TEST_CASE(an_exception_is_answered_500) {
  http_server server({}, [](http_request request, respond_type) {
    if (request.path == "/odd")
      throw 42;
    throw std::runtime_error("secret");
  });
  raw_client client(server.port());
  const auto response = client.send(get("/")).receive();
  check_problem(response, 500, "the log says why");
  BOOST_TEST(response.body.find("secret") == std::string::npos);
  check_problem(client.send(get("/odd")).receive(), 500, "the log says why");
}

BOOST_AUTO_TEST_CASE(a_dropped_request_is_answered_500) {
  http_server server({}, [](http_request, respond_type) {});
  raw_client client(server.port());
  check_problem(client.send(get("/")).receive(), 500, "without an answer");
}

BOOST_AUTO_TEST_CASE(an_answer_cannot_smuggle_header_lines) {
  http_server server({}, [](http_request request, respond_type respond) {
    auto response = text_response("x");
    response.headers["X-Note"] = request.body;
    respond(std::move(response));
  });
  raw_client client(server.port());
  check_problem(client.send(post("/", "a\r\nSet-Cookie: b")).receive(), 500, "could not be sent");
  BOOST_TEST(client.send(post("/", "fine")).receive().headers.at("X-Note") == "fine");
}

BOOST_AUTO_TEST_CASE(an_answer_after_the_server_is_gone_is_ignored) {
  std::promise<respond_type> kept;
  std::optional<http_server> server;
  server.emplace(
    http_server_options{}, [&](http_request, respond_type respond) { kept.set_value(std::move(respond)); });
  raw_client client(server->port());
  client.send(get("/"));
  auto respond = kept.get_future().get();
  server->stop(0ms);
  server.reset();
  respond(text_response("too late"));
  BOOST_TEST(client.line() == "");
}

BOOST_AUTO_TEST_CASE(thousands_of_requests_on_many_connections_are_answered) {
  http_server server({}, echo);
  std::atomic<int> answered = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      raw_client client(server.port());
      for (int i = 0; i < 500; ++i)
        answered += client.send(post("/", "{}")).receive().status_line == "HTTP/1.1 200 OK";
    });
  for (auto& thread : threads)
    thread.join();
  BOOST_TEST(answered == 2000);
}

// -- opening and stopping ---------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(anything_but_loopback_is_refused_unless_allowed) {
  BOOST_TEST(refusal({.host = "0.0.0.0"}).find("refusing to listen on 0.0.0.0") == 0);
  BOOST_TEST(refusal({.host = "::"}).find("refusing to listen on ::") == 0);
  BOOST_TEST(
    refusal({.host = "localhost"}) == "cannot listen on 'localhost': not an IP address, such as 127.0.0.1 or ::1");
  http_server loopback({.host = "127.0.0.2"}, echo);
  BOOST_TEST(loopback.port() > 0);
}

BOOST_AUTO_TEST_CASE(a_taken_port_is_refused_with_a_sentence) {
  http_server server({}, echo);
  const auto port = std::to_string(server.port());
  BOOST_TEST(
    refusal({.port = server.port()}) == "cannot listen on 127.0.0.1 port " + port + ": Address already in use");
}

BOOST_AUTO_TEST_CASE(stopping_lets_an_answer_on_its_way_leave) {
  std::promise<respond_type> kept;
  http_server server({}, [&](http_request, respond_type respond) { kept.set_value(std::move(respond)); });
  raw_client idle(server.port());
  raw_client waiting(server.port());
  waiting.send(get("/"));
  auto respond = kept.get_future().get();
  std::thread stopping([&] { server.stop(4s); });
  // The idle connection is closed first, so from here on the server is stopping.
  BOOST_TEST(idle.sees_the_end());
  respond(text_response("goodbye"));
  const auto response = waiting.receive();
  BOOST_TEST(response.body == "goodbye");
  BOOST_TEST(response.headers.at("Connection") == "close");
  BOOST_TEST(waiting.sees_the_end());
  stopping.join();
  server.stop();
}

BOOST_AUTO_TEST_CASE(a_problem_names_its_field_and_survives_bad_text) {
  const auto response = make_problem(422, "Unprocessable Content", "not UTF-8: \xFF", "steps[2].name");
  const auto problem = nlohmann::json::parse(response.body);
  BOOST_TEST(response.status == 422);
  BOOST_TEST(problem["field"] == "steps[2].name");
  BOOST_TEST(problem["title"] == "Unprocessable Content");
  BOOST_TEST(!nlohmann::json::parse(make_problem(404, "Not Found", "x").body).contains("field"));
}

BOOST_AUTO_TEST_SUITE_END()
