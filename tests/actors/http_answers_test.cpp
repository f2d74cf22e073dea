// What services send that is no whole answer, or one in a form that HTTP allows and few use.
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <fmt/format.h>
#include <thread>

#include "actors/calls/answer_header.hpp"
#include "tests/actors/http_executor_world.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;
using kind_type = call_failure::kind_type;

namespace {

using tcp = boost::asio::ip::tcp;

/// Takes a request's header; the bodies of these tests are short enough to come with it.
bool take_request(tcp::socket& socket) {
  boost::asio::streambuf buffer;
  boost::system::error_code ended;
  boost::asio::read_until(socket, buffer, "\r\n\r\n", ended);
  return !ended;
}

/// What a call comes to whose service writes these bytes and closes.
outcome answered_with(const std::string& bytes, std::string method = "POST") {
  raw_service service;
  http_executor executor;
  auto waiting = begin(executor, request_to(service.url(), std::move(method)));
  auto socket = service.acceptor.accept();
  take_request(socket);
  boost::asio::write(socket, boost::asio::buffer(bytes));
  // Open for reading until the caller has read all that was written.
  socket.shutdown(tcp::socket::shutdown_send);
  return wait_for(std::move(waiting));
}

/// Answers the first request of each connection, and closes at the second without a byte.
struct forgetful_service {
  forgetful_service()
    : thread([this] { run(); }) {}
  ~forgetful_service() {
    stopping = true;
    boost::system::error_code ignored;
    tcp::socket(raw.io).connect(raw.acceptor.local_endpoint(), ignored);
    thread.join();
  }
  void run() {
    while (!stopping) {
      auto socket = raw.acceptor.accept();
      if (stopping)
        return;
      if (!take_request(socket))
        continue;
      ++requests;
      boost::asio::write(socket, boost::asio::buffer(std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")));
      requests += take_request(socket) ? 1 : 0;
    }
  }
  raw_service raw;
  std::atomic<int> requests = 0;
  std::atomic<bool> stopping = false;
  std::thread thread;
};

std::optional<duration> wait_of(std::string_view value) {
  // Fri, 27 Nov 2026 12:00:00 GMT
  return read_retry_after(value, std::chrono::system_clock::from_time_t(1'795'780'800));
}

/// A service that says only this may have done its work: the call may be tried again, and says so.
void check_left_unknown(const std::string& bytes, const std::string& said) {
  const auto failure = failure_of(answered_with(bytes));
  BOOST_TEST((failure.kind == kind_type::retryable));
  BOOST_TEST(holds(failure.message, said), failure.message);
  BOOST_TEST(holds(failure.message, "the request was sent, so its outcome is unknown"), failure.message);
}

} // namespace

BOOST_AUTO_TEST_SUITE(http_answers_test)

// -- answers that are cut ---------------------------------------------------------------------------------------------

BOOST_DATA_TEST_CASE(
  an_answer_cut_inside_its_header_is_no_answer,
  boost::unit_test::data::make(std::vector<std::string>{
    "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Ty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n",
    "HTTP/1.1 204 No Content\r\n", "HTTP/1.1 404 Not Found\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"}),
  bytes) {
  check_left_unknown(bytes, "failed: the answer was cut off inside its header");
}

BOOST_DATA_TEST_CASE(
  an_answer_cut_inside_its_body_is_no_answer,
  boost::unit_test::data::make(std::vector<std::string>{
    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}"}),
  bytes) {
  check_left_unknown(bytes, "failed: the answer was cut off after 2 bytes of its body");
}

BOOST_DATA_TEST_CASE(
  what_is_not_http_may_be_mended_and_counts_as_made,
  boost::unit_test::data::make(std::vector<std::string>{
    "{}", "hello there, this is no HTTP at all\r\n", "", "HTT", "HTTP/1.1 100 Continue\r\n\r\n"}),
  bytes) {
  const auto failure = failure_of(answered_with(bytes));
  BOOST_TEST((failure.kind == kind_type::retryable), failure.message);
  BOOST_TEST(!holds(failure.message, "was not made"), failure.message);
  BOOST_TEST(holds(failure.message, "outcome is unknown"), failure.message);
}

BOOST_AUTO_TEST_CASE(interim_answers_and_trailers_are_no_part_of_the_answer) {
  BOOST_TEST(
    text_of(answered_with(
      "HTTP/1.1 103 Early Hints\r\nContent-Type: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
      "Trailer: Content-Encoding\r\n\r\n2\r\n{}\r\n0\r\nContent-Encoding: nonsense\r\n\r\n")) == "{}");
  const auto failure = failure_of(answered_with(
    "HTTP/1.1 102 Processing\r\nRetry-After: 9\r\n\r\nHTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n"
    "0\r\nRetry-After: 8\r\n\r\n"));
  BOOST_TEST(holds(failure.message, "answered 503 Busy"), failure.message);
  BOOST_TEST(!failure.retry_after.has_value());
}

BOOST_AUTO_TEST_CASE(an_answer_that_ends_with_its_connection_is_whole) {
  BOOST_TEST(text_of(answered_with("HTTP/1.0 200 OK\r\n\r\n[1]")) == "[1]");
  BOOST_TEST(text_of(answered_with("HTTP/1.1 204 No Content\r\n\r\n")) == "{}");
}

// -- one request for each attempt -------------------------------------------------------------------------------------

BOOST_DATA_TEST_CASE(
  a_kept_connection_that_ends_is_not_followed_by_a_second_request,
  boost::unit_test::data::make(std::vector<std::string>{"POST", "PUT", "PATCH", "DELETE", "GET", "HEAD"}), method) {
  forgetful_service service;
  http_executor executor;
  BOOST_TEST(text_of(call(executor, request_to(service.raw.url()))) == "{}");
  const auto failure = failure_of(call(executor, request_to(service.raw.url(), method)));
  BOOST_TEST((failure.kind == kind_type::retryable));
  BOOST_TEST(holds(failure.message, "failed: the connection was closed before an answer came"), failure.message);
  BOOST_TEST(holds(failure.message, "outcome is unknown"), failure.message);
  BOOST_TEST(service.requests == 2);
  BOOST_TEST(text_of(call(executor, request_to(service.raw.url(), method))) == "{}");
  BOOST_TEST(service.requests == 3);
}

BOOST_AUTO_TEST_CASE(a_long_body_is_sent_as_it_is) {
  http_server server({.body_bytes_max = 1024 * 1024}, [](http_request request, respond_type respond) {
    respond({.body = std::to_string(std::hash<std::string>{}(request.body))});
  });
  http_executor executor;
  for (const size_t rest : {0u, 1000u, 66'000u, 300'000u}) {
    auto request = request_to(url_of(server));
    request.body = std::string(40'000, 'a');
    request.body_rest = std::make_shared<const std::string>(rest, 'b');
    const auto whole = request.body + *request.body_rest;
    BOOST_TEST(text_of(call(executor, request)) == std::to_string(std::hash<std::string>{}(whole)));
  }
}

// -- headers ----------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_header_of_blanks_is_sent_without_a_value) {
  std::promise<http_request> seen;
  http_server server({}, [&](http_request request, respond_type respond) {
    seen.set_value(std::move(request));
    respond({});
  });
  http_executor executor;
  auto request = request_to(url_of(server));
  std::get<http_call>(request.call).headers = {{"X-A", " "}, {"X-B", "\t "}};
  call(executor, request);
  const auto got = seen.get_future().get();
  BOOST_TEST(got.headers.contains("x-a"));
  BOOST_TEST(got.headers.contains("x-b"));
}

BOOST_AUTO_TEST_CASE(a_request_head_beyond_its_limit_is_refused_by_name) {
  http_server server({}, always({}));
  http_executor executor;
  auto request = request_to(url_of(server));
  std::get<http_call>(request.call).headers["X-A"] = std::string(request_head_bytes_max, 'a');
  const auto failure = failure_of(call(executor, request));
  BOOST_TEST((failure.kind == kind_type::final));
  BOOST_TEST(holds(failure.message, "at most 65536 are allowed (request_head_bytes_max)"), failure.message);
}

BOOST_AUTO_TEST_CASE(a_path_is_sent_with_its_dots) {
  raw_service service;
  http_executor executor;
  auto waiting = begin(executor, request_to(service.url() + "a/../b/./c"));
  auto socket = service.acceptor.accept();
  boost::asio::streambuf buffer;
  boost::asio::read_until(socket, buffer, "\r\n");
  std::istream stream(&buffer);
  std::string line;
  std::getline(stream, line);
  BOOST_TEST(line == "POST /a/../b/./c HTTP/1.1\r");
}

// -- content codings --------------------------------------------------------------------------------------------------

namespace {

std::string coded(const std::string& coding, const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Encoding: " + coding + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

/// `{"loaves": 12}` as Python's gzip writes it.
const std::string gzip_loaves(
  "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\xca\xc9\x4f\x2c\x4b\x2d\x56\xb2\x52\x30"
  "\x34\xaa\x05\x00\xad\x80\x07\x56\x0e\x00\x00\x00",
  34);

} // namespace

BOOST_AUTO_TEST_CASE(an_answer_in_a_content_coding_is_read) {
  for (const char* coding : {"gzip", "x-gzip", "GZIP"})
    BOOST_TEST(text_of(answered_with(coded(coding, gzip_loaves))) == R"({"loaves": 12})");
  BOOST_TEST(text_of(answered_with(coded("identity", "{}"))) == "{}");
}

BOOST_AUTO_TEST_CASE(a_compressed_answer_is_read_in_every_form_that_http_has_for_it) {
  // The same as zlib writes it: with its header, as RFC 9110 has `deflate`, and without, as many services do.
  const std::string zlib(
    "\x78\x9c\xab\x56\xca\xc9\x4f\x2c\x4b\x2d\x56\xb2\x52\x30\x34\xaa\x05\x00\x24\x76\x04\x84", 22);
  const auto raw = zlib.substr(2, 16);
  for (const auto& [coding, body] :
       {std::pair("gzip", gzip_loaves), std::pair("deflate", zlib), std::pair("deflate", raw)}) {
    BOOST_TEST(text_of(answered_with(coded(coding, body))) == R"({"loaves": 12})", coding);
    // In two chunks that are cut anywhere.
    auto bytes =
      std::string("HTTP/1.1 200 OK\r\nContent-Encoding: ") + coding + "\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const auto& part : {body.substr(0, 5), body.substr(5)})
      bytes += fmt::format("{:x}\r\n{}\r\n", part.size(), part);
    BOOST_TEST(text_of(answered_with(bytes + "0\r\n\r\n")) == R"({"loaves": 12})", coding << " in chunks");
  }
}

BOOST_AUTO_TEST_CASE(a_content_coding_that_cannot_be_read_is_named) {
  for (const auto& bytes : {coded("compress", "abc"), coded("gzip", "no gzip")}) {
    const auto failure = failure_of(answered_with(bytes));
    BOOST_TEST((failure.kind == kind_type::invalid_output));
    BOOST_TEST(holds(failure.message, "answered in the content coding '"), failure.message);
  }
  // Of a failure the status counts.
  auto failed = coded("compress", "abc");
  failed.replace(9, 3, "503");
  BOOST_TEST((failure_of(answered_with(failed)).kind == kind_type::retryable));
}

BOOST_AUTO_TEST_CASE(the_limit_of_an_answer_counts_decoded_bytes) {
  raw_service service;
  http_executor executor({.response_bytes_max = 13});
  auto waiting = begin(executor, request_to(service.url()));
  auto socket = service.acceptor.accept();
  take_request(socket);
  boost::asio::write(socket, boost::asio::buffer(coded("gzip", gzip_loaves)));
  const auto failure = failure_of(wait_for(std::move(waiting)));
  BOOST_TEST(holds(failure.message, "answered more than response_bytes_max, which is 13 bytes"), failure.message);
}

// -- Retry-After ------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(every_wait_above_an_hour_is_an_hour) {
  for (const char* value :
       {"3600", "3601", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551617",
        "99999999999999999999", "Fri, 27 Nov 2026 14:00:00 GMT", "Thu, 01 Jan 2099 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT", "Friday, 27-Nov-26 18:00:00 GMT", "Fri Nov 27 18:00:00 2026"})
    BOOST_TEST((wait_of(value) == retry_after_max), value);
}

BOOST_AUTO_TEST_CASE(seconds_and_dates_are_waits) {
  BOOST_TEST((wait_of("7") == duration(7s)));
  BOOST_TEST((wait_of(" 007\r\n") == duration(7s)));
  BOOST_TEST((wait_of("Fri, 27 Nov 2026 12:01:40 GMT") == duration(100s)));
  BOOST_TEST((wait_of("Friday, 27-Nov-26 12:01:40 GMT") == duration(100s)));
  BOOST_TEST((wait_of("Fri Nov 27 12:01:40 2026") == duration(100s)));
}

BOOST_AUTO_TEST_CASE(nonsense_zero_and_the_past_are_no_wait) {
  for (const char* value :
       {"", "0", "000", "-3", "+7", "1.5", "7s", "soon", "tomorrow", "0x10", "Thu, 01 Jan 1969 00:00:00 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Fri, 31 Feb 2027 00:00:00 GMT",
        "Fri, 27 Nov 2026 25:00:00 GMT", "Fri, 27 Nov 2026 14:00:00 CET", "Fri, 27 Nov 2026 14:00:00 GMT, 7"})
    BOOST_TEST(!wait_of(value).has_value(), value);
}

BOOST_AUTO_TEST_CASE(a_part_and_a_body_without_a_certain_end_are_no_results) {
  const auto part = failure_of(
    answered_with("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\n{}"));
  BOOST_TEST((part.kind == kind_type::invalid_output));
  BOOST_TEST(part.unknown);
  BOOST_TEST(holds(part.message, "206 Partial Content"), part.message);
  const auto two =
    failure_of(answered_with("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 7\r\n\r\n{}     "));
  BOOST_TEST((two.kind == kind_type::invalid_output));
  BOOST_TEST(two.unknown);
  BOOST_TEST(text_of(answered_with("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}")) == "{}");
}

BOOST_AUTO_TEST_CASE(what_is_kept_of_a_header_is_short_however_often_a_field_comes) {
  answer_header header;
  header.take_line("HTTP/1.1 200 OK\r\n");
  for (int i = 0; i < 1000; ++i)
    header.take_line("Content-Encoding: identity\r\n");
  BOOST_TEST(header.content_encoding().size() == 300u);
}

BOOST_AUTO_TEST_SUITE_END()
