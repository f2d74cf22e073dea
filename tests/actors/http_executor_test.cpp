#include <nlohmann/json.hpp>

#include <boost/test/unit_test.hpp>

#include "actors/calls/http_outcome.hpp"
#include "tests/actors/http_executor_world.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;
using kind_type = call_failure::kind_type;

BOOST_AUTO_TEST_SUITE(http_executor_test)

// -- what is sent -----------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_call_carries_its_identity_and_its_body) {
  std::promise<http_request> seen;
  http_server server({}, [&](http_request request, respond_type respond) {
    seen.set_value(std::move(request));
    respond({.body = R"({"answer":42})"});
  });
  http_executor executor;
  auto request = request_to(url_of(server, "/forecasts?day=1"));
  request.call = http_call{
    "POST",
    url_of(server, "/forecasts?day=1"),
    {{"X-Bakery", "one"}, {"X-Empty", ""}, {"idempotency-key", "forged"}, {"Levain-Tenant", "forged"}}};
  BOOST_TEST(text_of(call(executor, request)) == R"({"answer":42})");
  auto got = seen.get_future().get();
  BOOST_TEST(got.method == "POST");
  BOOST_TEST(got.path == "/forecasts");
  BOOST_TEST(got.body == request.body);
  BOOST_TEST(got.headers["idempotency-key"] == "01932e4b-7c00-7000-8000-00000000002a/forecasting");
  BOOST_TEST(got.headers["levain-attempt"] == "3");
  BOOST_TEST(got.headers["levain-run"] == "01932e4b-7c00-7000-8000-00000000002a");
  BOOST_TEST(got.headers["levain-tenant"] == "11111111-2222-4333-8444-555555555555");
  BOOST_TEST(got.headers["content-type"] == "application/json");
  BOOST_TEST(got.headers["x-bakery"] == "one");
  BOOST_TEST(got.headers.contains("x-empty"));
  BOOST_TEST(!got.headers.contains("expect"));
}

BOOST_AUTO_TEST_CASE(methods_send_a_body_or_none) {
  http_server server({}, [](http_request request, respond_type respond) {
    respond({.body = nlohmann::json{request.method, request.body}.dump()});
  });
  http_executor executor;
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE"})
    BOOST_TEST(
      text_of(call(executor, request_to(url_of(server), method))) ==
      nlohmann::json({method, R"({"input":{}})"}).dump());
  BOOST_TEST(text_of(call(executor, request_to(url_of(server), "GET"))) == R"(["GET",""])");
  BOOST_TEST(text_of(call(executor, request_to(url_of(server), "HEAD"))) == "{}");
  // A handle that is used again must not remember the last call's body or method.
  BOOST_TEST(text_of(call(executor, request_to(url_of(server), "GET"))) == R"(["GET",""])");
}

BOOST_AUTO_TEST_CASE(the_calls_own_content_type_wins) {
  http_server server({}, [](http_request request, respond_type respond) {
    respond({.body = nlohmann::json(request.headers["content-type"]).dump()});
  });
  http_executor executor;
  auto request = request_to(url_of(server));
  std::get<http_call>(request.call).headers["content-type"] = "application/vnd.bakery+json";
  BOOST_TEST(text_of(call(executor, request)) == R"("application/vnd.bakery+json")");
}

BOOST_AUTO_TEST_CASE(a_call_that_would_break_the_request_apart_is_refused) {
  http_server server({}, always({}));
  http_executor executor;
  const auto refused = [&](http_call spec) {
    auto request = request_to("");
    request.call = std::move(spec);
    const auto failure = failure_of(call(executor, std::move(request)));
    BOOST_TEST((failure.kind == kind_type::final));
    return failure.message;
  };
  const auto url = url_of(server);
  BOOST_TEST(
    holds(refused({"POST", url, {{"X-A", "1\r\nX-B: 2"}}}), "the value of header 'X-A' has control characters"));
  BOOST_TEST(holds(refused({"POST", url, {{"X A", "1"}}}), "'X A' is not the name of a header"));
  BOOST_TEST(holds(refused({"PO ST", url, {}}), "its method is not the name of one"));
  BOOST_TEST(holds(refused({"POST", url + "a\r\nb", {}}), "its URL has control characters"));
  BOOST_TEST(holds(refused({"POST", "ftp://127.0.0.1/x", {}}), "POST ftp://127.0.0.1/x was not made"));
  BOOST_TEST(holds(refused({"POST", "http://", {}}), "was not made"));
}

BOOST_AUTO_TEST_CASE(a_call_of_another_kind_is_refused) {
  http_executor executor;
  auto request = request_to("");
  request.call = worker_call{"bake"};
  const auto failure = failure_of(call(executor, request));
  BOOST_TEST((failure.kind == kind_type::final));
  BOOST_TEST(failure.message == "call of step 'forecasting' cannot be made over HTTP: it is a call of another kind");
}

// -- what is answered -------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(success_is_the_body_as_it_came) {
  http_executor executor;
  for (const auto& [status, body, expected] : std::vector<std::tuple<int, std::string, std::string>>{
         {200, R"({"a":1})", R"({"a":1})"},
         {201, "not json", "not json"},
         {200, "", "{}"},
         {202, " \n", "{}"},
         {204, "", "{}"}}) {
    http_server server({}, always({.status = status, .body = body}));
    BOOST_TEST(text_of(call(executor, request_to(url_of(server)))) == expected);
  }
}

BOOST_AUTO_TEST_CASE(each_status_has_its_meaning) {
  int status = 0;
  http_server server({}, [&](http_request, respond_type respond) { respond({.status = status, .body = "no"}); });
  http_executor executor;
  for (int retryable : {408, 425, 429, 500, 501, 502, 503, 504, 599}) {
    status = retryable;
    BOOST_TEST((failure_of(call(executor, request_to(url_of(server)))).kind == kind_type::retryable), status);
  }
  for (int final : {300, 301, 302, 304, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 451, 499}) {
    status = final;
    BOOST_TEST((failure_of(call(executor, request_to(url_of(server)))).kind == kind_type::final), status);
  }
}

BOOST_AUTO_TEST_CASE(a_redirect_is_not_followed) {
  std::atomic<int> calls = 0;
  http_server server({}, [&](http_request, respond_type respond) {
    ++calls;
    respond({.status = 307, .headers = {{"Location", "/elsewhere"}}});
  });
  http_executor executor;
  BOOST_TEST(holds(failure_of(call(executor, request_to(url_of(server)))).message, "answered 307 Temporary Redirect"));
  BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(the_message_names_call_status_and_the_beginning_of_the_body) {
  http_server server(
    {}, always({.status = 503, .content_type = "text/plain", .body = "oven\r\n" + std::string(900, 'x')}));
  http_executor executor;
  const auto failure = failure_of(call(executor, request_to(url_of(server, "/a?token=secret"))));
  BOOST_TEST(
    failure.message ==
    "POST " + url_of(server, "/a") + " answered 503 Service Unavailable: oven " + std::string(195, 'x'));
}

BOOST_AUTO_TEST_CASE(the_message_of_a_problem_document_is_its_detail) {
  http_executor executor;
  http_server server({}, always(make_problem(422, "Unprocessable Content", "no such product", "items[3].product")));
  BOOST_TEST(
    failure_of(call(executor, request_to(url_of(server)))).message ==
    "POST " + url_of(server) + " answered 422 Unprocessable Entity: items[3].product: no such product");
}

BOOST_AUTO_TEST_CASE(a_field_that_begins_the_detail_is_named_once) {
  http_executor executor;
  http_server server({}, always(make_problem(422, "Unprocessable Content", "input.date: must be a day", "input.date")));
  BOOST_TEST(
    failure_of(call(executor, request_to(url_of(server)))).message ==
    "POST " + url_of(server) + " answered 422 Unprocessable Entity: input.date: must be a day");
}

BOOST_AUTO_TEST_CASE(retry_after_is_read_in_seconds) {
  http_server server({}, always({.status = 429, .headers = {{"Retry-After", "7"}}}));
  http_executor executor;
  BOOST_TEST((failure_of(call(executor, request_to(url_of(server)))).retry_after == duration(7s)));
}

BOOST_AUTO_TEST_CASE(retry_after_is_read_as_a_date) {
  const auto later = std::time(nullptr) + 100;
  char date[64];
  std::strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", std::gmtime(&later));
  http_server server({}, always({.status = 503, .headers = {{"Retry-After", date}}}));
  http_executor executor;
  const auto wait = failure_of(call(executor, request_to(url_of(server)))).retry_after;
  BOOST_TEST_REQUIRE(wait.has_value());
  BOOST_TEST((*wait > duration(80s) && *wait <= duration(100s)), wait->count());
}

BOOST_AUTO_TEST_CASE(retry_after_is_bounded_and_nonsense_is_none) {
  const auto wait_for_header = [](const std::string& value, int status) {
    http_server server({}, always({.status = status, .headers = {{"Retry-After", value}}}));
    http_executor executor;
    return failure_of(call(executor, request_to(url_of(server)))).retry_after;
  };
  BOOST_TEST((wait_for_header("99999999999999", 503) == retry_after_max));
  BOOST_TEST(!wait_for_header("soon", 503).has_value());
  BOOST_TEST(!wait_for_header("-5", 503).has_value());
  BOOST_TEST(!wait_for_header("Mon, 01 Jan 2001 00:00:00 GMT", 503).has_value());
  BOOST_TEST(!wait_for_header("7", 404).has_value());
}

BOOST_AUTO_TEST_CASE(an_answer_beyond_response_bytes_max_cannot_be_used) {
  http_server server({}, [](http_request request, respond_type respond) {
    respond(
      {.status = request.path == "/down" ? 503 : 200, .body = std::string(std::stoul(request.query[0].second), '1')});
  });
  http_executor executor({.response_bytes_max = 1000});
  BOOST_TEST(text_of(call(executor, request_to(url_of(server, "/?n=1000")))).size() == 1000u);
  for (const char* target : {"/?n=1001", "/?n=3000000"}) {
    const auto failure = failure_of(call(executor, request_to(url_of(server, target))));
    BOOST_TEST((failure.kind == kind_type::invalid_output));
    BOOST_TEST(holds(failure.message, "answered more than response_bytes_max, which is 1000 bytes"));
  }
  // Of a failure the status counts.
  BOOST_TEST((failure_of(call(executor, request_to(url_of(server, "/down?n=1001")))).kind == kind_type::retryable));
}

// -- the network ------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_outcome_is_unknown_once_the_request_was_sent_and_nothing_tells) {
  const closed_port nobody;
  silent_service silent;
  http_server gateway({}, always({.status = 504, .body = "{}"}));
  http_server refuses({}, always({.status = 503, .body = "{}"}));
  http_executor executor;
  const auto unknown = [&](const std::string& url, std::string method = "POST") {
    auto request = request_to(url, std::move(method));
    request.timeout = 100ms;
    return failure_of(call(executor, request)).unknown;
  };
  BOOST_TEST(unknown(silent.url()));
  BOOST_TEST(unknown(url_of(gateway)));
  BOOST_TEST(!unknown(nobody.url()));
  BOOST_TEST(!unknown(url_of(refuses)));
  // Reading changes nothing.
  BOOST_TEST(!unknown(silent.url(), "GET"));
}

BOOST_AUTO_TEST_CASE(a_refused_connection_may_be_mended) {
  const closed_port nobody;
  http_executor executor;
  const auto failure = failure_of(call(executor, request_to(nobody.url())));
  BOOST_TEST((failure.kind == kind_type::retryable));
  BOOST_TEST(holds(failure.message, "POST " + nobody.url() + " failed: "));
  BOOST_TEST(holds(failure.message, "cannot connect to 127.0.0.1:"), failure.message);
}

BOOST_AUTO_TEST_CASE(an_answer_cut_short_may_be_mended) {
  raw_service service;
  http_executor executor;
  auto waiting = begin(executor, request_to(service.url()));
  auto socket = service.acceptor.accept();
  socket.send(boost::asio::buffer(std::string("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":")));
  socket.close();
  const auto failure = failure_of(wait_for(std::move(waiting)));
  BOOST_TEST((failure.kind == kind_type::retryable));
  BOOST_TEST(failure.unknown);
}

BOOST_AUTO_TEST_CASE(no_answer_before_the_deadline_is_a_timeout) {
  silent_service service;
  http_executor executor;
  auto request = request_to(service.url());
  request.timeout = 50ms;
  const auto failure = failure_of(call(executor, request));
  BOOST_TEST((failure.kind == kind_type::timeout));
  BOOST_TEST(failure.message == "POST " + service.url() + " did not answer within 50ms");
}

BOOST_AUTO_TEST_CASE(a_body_that_does_not_end_before_the_deadline_is_a_timeout) {
  raw_service service;
  http_executor executor;
  auto request = request_to(service.url());
  request.timeout = 100ms;
  auto waiting = begin(executor, request);
  auto socket = service.acceptor.accept();
  socket.send(boost::asio::buffer(std::string("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":")));
  BOOST_TEST((failure_of(wait_for(std::move(waiting))).kind == kind_type::timeout));
}

BOOST_AUTO_TEST_CASE(five_hundred_calls_at_once_share_few_connections) {
  // More connections than this would be refused, and the calls on them fail.
  http_server server({.connections_max = 16}, [](http_request request, respond_type respond) {
    respond({.body = request.headers["levain-attempt"]});
  });
  http_executor executor({.calls_per_host_max = 16});
  std::vector<std::future<outcome>> waiting;
  for (uint32_t i = 0; i < 500; ++i) {
    auto request = request_to(url_of(server));
    request.attempt = i;
    waiting.push_back(begin(executor, std::move(request)));
  }
  for (uint32_t i = 0; i < 500; ++i)
    BOOST_TEST(text_of(wait_for(std::move(waiting[i]))) == std::to_string(i));
  BOOST_TEST(executor.in_flight() == 0u);
}

BOOST_AUTO_TEST_CASE(hundreds_of_calls_are_on_the_wire_together) {
  silent_service service;
  http_executor executor;
  std::vector<std::future<outcome>> waiting;
  for (int i = 0; i < 300; ++i)
    waiting.push_back(begin(executor, request_to(service.url())));
  service.await(300);
  BOOST_TEST(executor.in_flight() == 300u);
  for (auto& respond : service.kept)
    respond({.body = "1"});
  for (auto& each : waiting)
    BOOST_TEST(text_of(wait_for(std::move(each))) == "1");
}

// -- messages ---------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(messages_name_calls_without_their_secrets) {
  BOOST_TEST(name_call("GET", "http://me:pass@host:80/a/b?key=1#x") == "GET http://host:80/a/b");
  BOOST_TEST(name_call("GET", "http://host/a@b") == "GET http://host/a@b");
  BOOST_TEST(name_call("GET", "http://host") == "GET http://host");
}

BOOST_AUTO_TEST_SUITE_END()
