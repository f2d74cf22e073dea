// What clients may take of memory and time: bytes, handlers' threads, progress.
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>

#include "tests/actors/http_server_world.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

const std::string chunked = "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n";

int status_of(const raw_response& response) {
  return std::stoi(response.status_line.substr(9, 3));
}

/// Until the next step of a client that takes its time.
void pause_for(std::chrono::milliseconds time) {
  boost::asio::io_context io;
  boost::asio::steady_timer(io, time).wait();
}

/// A socket whose system takes little ahead of the reader.
struct small_socket {
  explicit small_socket(uint16_t port) {
    socket.open(boost::asio::ip::tcp::v4());
    socket.set_option(boost::asio::socket_base::receive_buffer_size(64 * 1024));
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), port});
  }
  void send(const std::string& bytes) { boost::asio::write(socket, boost::asio::buffer(bytes)); }
  /// Returns how many bytes came, 0 at the end.
  size_t take(size_t bytes) {
    std::string piece(bytes, '\0');
    boost::system::error_code error;
    return boost::asio::read(socket, boost::asio::buffer(piece), error);
  }

  boost::asio::io_context io;
  boost::asio::ip::tcp::socket socket{io};
};

/// Keeps the answer of `/kept` until it is told to give it.
struct keeping_handler {
  std::promise<respond_type> kept;
  http_handler handler() {
    return [this](http_request request, respond_type respond) {
      if (request.path == "/kept")
        kept.set_value(std::move(respond));
      else
        respond(text_response("done"));
    };
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(http_server_bounds_test)

// -- bytes ------------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(trailers_and_chunk_lines_have_a_limit) {
  http_server server({.header_bytes_max = 1024}, echo);
  std::string trailers;
  for (int i = 0; i < 100'000; ++i)
    trailers += "A: aaaaaaaaaaaaaaaaaaaa\r\n";
  const std::vector<std::string> bodies{
    "2\r\n{}\r\n0\r\n" + trailers, "2\r\n{}\r\n0\r\nA: " + std::string(100'000, 'a'), "2;" + std::string(100'000, 'x'),
    "2;a=\"" + std::string(100'000, 'x')};
  for (const auto& body : bodies) {
    raw_client client(server.port());
    check_problem(client.send(chunked + "\r\n" + body).receive(), 431, "trailers together, may have 1024 bytes");
  }
}

BOOST_AUTO_TEST_CASE(what_lies_between_the_parts_of_a_body_has_a_limit_too) {
  http_server server({.body_bytes_max = 20'000}, echo);
  std::string body;
  for (int i = 0; i < 100; ++i)
    body += "1;" + std::string(500, 'x') + "\r\na\r\n";
  raw_client client(server.port());
  check_problem(client.send(chunked + "\r\n" + body).receive(), 413, "20000 bytes beside the body");
}

BOOST_AUTO_TEST_CASE(a_body_counts_with_what_it_holds_and_not_with_what_it_announces) {
  http_server server({.bodies_bytes_max = 10'000}, echo);
  std::vector<std::unique_ptr<raw_client>> announcing;
  for (int i = 0; i < 20; ++i) {
    announcing.push_back(std::make_unique<raw_client>(server.port()));
    announcing.back()->send(
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n");
    BOOST_TEST(announcing.back()->line() == "HTTP/1.1 100 Continue");
  }
  raw_client client(server.port());
  for (int i = 0; i < 10; ++i)
    BOOST_TEST(status_of(client.send(post("/", std::string(4000, 'b'))).receive()) == 200);
}

BOOST_AUTO_TEST_CASE(bodies_beyond_their_budget_are_told_to_come_back) {
  keeping_handler on;
  http_server server({.bodies_bytes_max = 10'000}, on.handler());
  raw_client keeping(server.port());
  keeping.send(post("/kept", std::string(8000, 'b')));
  auto respond = on.kept.get_future().get();
  const auto other = post("/", std::string(8000, 'b'));
  raw_client refused(server.port());
  const auto response = refused.send(other).receive();
  check_problem(response, 503, "at most 10000 (bodies_bytes_max)");
  BOOST_TEST(response.headers.at("Retry-After") == "1");
  // It holds its part until it is answered.
  respond(text_response("kept"));
  respond = nullptr;
  BOOST_TEST(keeping.receive().body == "kept");
  BOOST_TEST(status_of(raw_client(server.port()).send(other).receive()) == 200);
}

BOOST_AUTO_TEST_CASE(an_answer_over_its_limit_is_not_sent) {
  http_server server({.answer_bytes_max = 100'000}, [](http_request request, respond_type respond) {
    respond(text_response(std::string(std::stoul(request.body), 'x')));
  });
  raw_client client(server.port());
  check_problem(client.send(post("/", "100001")).receive(), 500, "answer has 100001 bytes, and at most 100000");
  BOOST_TEST(client.send(post("/", "100000")).receive().body.size() == 100'000u);
}

BOOST_AUTO_TEST_CASE(large_answers_that_nobody_takes_leave_no_room_for_more_of_them) {
  constexpr size_t large = 32 * 1024 * 1024;
  http_server server({.answers_bytes_max = large + large / 2}, [](http_request request, respond_type respond) {
    respond(text_response(std::string(request.path == "/large" ? large : 100, 'x')));
  });
  small_socket slow(server.port());
  slow.send(get("/large"));
  BOOST_TEST_REQUIRE(slow.take(1) == 1u);
  raw_client client(server.port());
  check_problem(client.send(get("/large")).receive(), 503, "(answers_bytes_max)");
  BOOST_TEST(status_of(client.send(get("/small")).receive()) == 200);
}

// -- handlers' threads ------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(requests_with_large_bodies_hold_up_nobody) {
  std::promise<void> release;
  auto released = release.get_future().share();
  std::atomic<int> begun = 0;
  http_server server(
    {.inline_body_bytes_max = 1000, .handler_threads = 2}, [&](http_request request, respond_type respond) {
      if (request.body.size() > 1000) {
        ++begun;
        released.wait();
      }
      respond(text_response(std::to_string(request.body.size())));
    });
  std::vector<std::unique_ptr<raw_client>> large;
  for (int i = 0; i < 6; ++i) {
    large.push_back(std::make_unique<raw_client>(server.port()));
    large.back()->send(post("/", std::string(100'000, 'b')));
  }
  while (begun < 2)
    std::this_thread::yield();
  raw_client client(server.port());
  for (int i = 0; i < 10; ++i)
    BOOST_TEST(client.send(post("/", std::string(1000, 'b'))).receive().body == "1000");
  BOOST_TEST(begun == 2);
  release.set_value();
  for (auto& each : large)
    BOOST_TEST(each->receive().body == "100000");
}

BOOST_AUTO_TEST_CASE(large_requests_beyond_those_that_may_wait_are_told_to_come_back) {
  std::promise<void> release;
  auto released = release.get_future().share();
  std::atomic<bool> begun = false;
  http_server server(
    {.inline_body_bytes_max = 10, .handler_threads = 1, .handlings_waiting_max = 1},
    [&](http_request, respond_type respond) {
      begun = true;
      released.wait();
      respond(text_response("done"));
    });
  raw_client first(server.port());
  first.send(post("/", std::string(100, 'b')));
  while (!begun)
    std::this_thread::yield();
  // One is at work, one of these waits, whichever it is; the others are refused meanwhile.
  std::atomic<int> refused = 0;
  std::atomic<int> done = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 5; ++i)
    clients.emplace_back([&] {
      const auto response = raw_client(server.port()).send(post("/", std::string(100, 'b'))).receive();
      if (response.status_line.find("503") != std::string::npos && response.headers.contains("Retry-After"))
        ++refused;
      else
        done += response.body == "done";
    });
  while (refused < 4)
    std::this_thread::yield();
  release.set_value();
  for (auto& each : clients)
    each.join();
  BOOST_TEST(refused == 4);
  BOOST_TEST(done == 1);
  BOOST_TEST(first.receive().body == "done");
}

// -- progress ---------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_slow_client_that_keeps_taking_gets_all_of_its_answer) {
  constexpr size_t answer_bytes = 12 * 1024 * 1024;
  http_server server({.write_timeout_max = 400ms}, [](http_request, respond_type respond) {
    respond(text_response(std::string(answer_bytes, 'x')));
  });
  small_socket client(server.port());
  client.send(get("/", "Connection: close\r\n"));
  // Three seconds in all, and the system takes a new part of the answer less than every 400 ms.
  size_t taken = 0;
  for (size_t piece = 0; (piece = client.take(40 * 1024)) > 0; pause_for(10ms))
    taken += piece;
  BOOST_TEST(taken > answer_bytes);
}

BOOST_AUTO_TEST_CASE(a_slow_client_that_keeps_sending_is_heard) {
  http_server server({.request_timeout_max = 1s}, echo);
  raw_client client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 13\r\n\r\n");
  for (int i = 0; i < 13; ++i) {
    pause_for(100ms);
    client.send("b");
  }
  BOOST_TEST(nlohmann::json::parse(client.receive().body)["body"] == std::string(13, 'b'));
}

BOOST_AUTO_TEST_CASE(a_slow_client_that_sends_parts_of_chunks_is_heard) {
  http_server server({.request_timeout_max = 1s}, echo);
  raw_client client(server.port());
  client.send(chunked + "\r\n");
  for (const char* piece : {"1", ";", "a", "\r\n", "x", "\r", "\n", "0", "\r\n", "A", ":", "b", "\r\n\r\n"}) {
    pause_for(100ms);
    client.send(piece);
  }
  BOOST_TEST(nlohmann::json::parse(client.receive().body)["body"] == "x");
}

BOOST_AUTO_TEST_CASE(a_request_that_trickles_for_ever_is_answered_408) {
  http_server server({.request_total_timeout_max = 300ms}, echo);
  small_socket client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n");
  while (client.socket.available() == 0) {
    client.send("b");
    pause_for(10ms);
  }
  std::string answer(12, '\0');
  boost::asio::read(client.socket, boost::asio::buffer(answer));
  BOOST_TEST(answer == "HTTP/1.1 408");
}

BOOST_AUTO_TEST_CASE(a_client_that_leaves_while_it_waits_is_noticed) {
  std::vector<respond_type> kept;
  std::promise<std::shared_ptr<client_presence>>* next = nullptr;
  http_server server({}, [&](http_request request, respond_type respond) {
    request.client->watch();
    kept.push_back(std::move(respond));
    next->set_value(request.client);
  });
  for (const bool reset : {false, true}) {
    std::promise<std::shared_ptr<client_presence>> here;
    next = &here;
    std::optional<small_socket> client(std::in_place, server.port());
    client->send(get("/"));
    const auto presence = here.get_future().get();
    BOOST_TEST(!presence->gone());
    if (reset)
      client->socket.set_option(boost::asio::socket_base::linger(true, 0));
    client.reset();
    while (!presence->gone())
      std::this_thread::yield();
  }
}

// -- fields -----------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(trailer_fields_are_no_header_fields) {
  http_server server({}, echo);
  raw_client client(server.port());
  client.send(
    chunked +
    "X-Thing: one\r\n\r\n2\r\n{}\r\n0\r\nContent-Type: application/json\r\nIdempotency-Key: k\r\nX-Thing: two\r\n\r\n");
  const auto seen = nlohmann::json::parse(client.receive().body);
  BOOST_TEST(seen["body"] == "{}");
  BOOST_TEST(!seen["headers"].contains("content-type"));
  BOOST_TEST(!seen["headers"].contains("idempotency-key"));
  BOOST_TEST(seen["headers"]["x-thing"] == "one");
}

BOOST_AUTO_TEST_CASE(a_field_that_means_one_thing_comes_once) {
  http_server server({}, echo);
  for (const std::string field :
       {"Content-Type", "content-type", "Authorization", "Idempotency-Key", "Origin", "Sec-Fetch-Site", "Expect"}) {
    raw_client client(server.port());
    check_problem(
      client.send(get("/", field + ": a\r\n" + field + ": b\r\n")).receive(), 400, "A request has at most one");
  }
}

BOOST_AUTO_TEST_CASE(empty_lines_before_a_request_are_skipped) {
  http_server server({}, echo);
  raw_client client(server.port());
  BOOST_TEST(status_of(client.send("\r\n" + get("/")).receive()) == 200);
  BOOST_TEST(status_of(client.send("\r\n\r\n" + post("/", "x") + "\r\n" + get("/")).receive()) == 200);
  BOOST_TEST(status_of(client.receive()) == 200);
  BOOST_TEST(status_of(client.send("\r").send("\n").send(get("/")).receive()) == 200);
  raw_client other(server.port());
  check_problem(other.send("\r\r\n" + get("/")).receive(), 400, "not an HTTP/1.1 request");
}

BOOST_AUTO_TEST_CASE(every_answer_keeps_browsers_from_guessing) {
  http_server server({}, [](http_request request, respond_type respond) {
    auto response = text_response("x");
    if (request.path == "/own")
      response.headers["Content-Security-Policy"] = "default-src 'self'";
    respond(std::move(response));
  });
  raw_client client(server.port());
  const auto usual = client.send(get("/")).receive();
  BOOST_TEST(usual.headers.at("X-Content-Type-Options") == "nosniff");
  BOOST_TEST(usual.headers.at("Cache-Control") == "no-store");
  BOOST_TEST(usual.headers.at("Content-Security-Policy").starts_with("default-src 'none'"));
  BOOST_TEST(client.send(get("/own")).receive().headers.at("Content-Security-Policy") == "default-src 'self'");
  raw_client refused(server.port());
  BOOST_TEST(refused.send("nonsense\r\n\r\n").receive().headers.at("X-Content-Type-Options") == "nosniff");
}

BOOST_AUTO_TEST_SUITE_END()
