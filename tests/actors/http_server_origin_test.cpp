// Which hosts and which pages of browsers a server answers.
#include <boost/test/unit_test.hpp>

#include "tests/actors/http_server_world.hpp"

using namespace levain;
using namespace levain::test;

namespace {

std::string ask_as(const std::string& method, const std::string& host, const std::string& more = {}) {
  return method + " / HTTP/1.1\r\nHost: " + host + "\r\n" + more + "Content-Length: 0\r\n\r\n";
}

int status_of(const raw_response& response) {
  return std::stoi(response.status_line.substr(9, 3));
}

struct served {
  http_server server{{.host_names = {"levain.example"}}, echo};

  int status(const std::string& request) { return status_of(raw_client(server.port()).send(request).receive()); }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(http_server_origin_test, served)

BOOST_AUTO_TEST_CASE(a_host_that_is_not_the_servers_is_misdirected) {
  raw_client client(server.port());
  check_problem(client.send(ask_as("GET", "evil.example:7400")).receive(), 421, "not called 'evil.example:7400'");
  // The connection stays: where the next request begins is known.
  BOOST_TEST(status_of(client.send(ask_as("GET", "localhost:7400")).receive()) == 200);
  for (const std::string host : {"evil.example", "a b/@c", "localhost.evil.example", "[::1", ""})
    for (const std::string method : {"GET", "POST", "OPTIONS"})
      BOOST_TEST(status(ask_as(method, host)) == 421, method + " " + host);
  for (const std::string host : {"127.0.0.1", "[::1]:7400", "LOCALHOST.", "levain.example:443"})
    BOOST_TEST(status(ask_as("POST", host)) == 200, host);
}

BOOST_AUTO_TEST_CASE(a_whole_url_names_the_host) {
  BOOST_TEST(status("GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n") == 421);
  BOOST_TEST(status("GET http://evil.example@localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n") == 421);
  BOOST_TEST(status("GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n") == 200);
}

BOOST_AUTO_TEST_CASE(an_old_client_may_name_no_host_but_no_other_either) {
  BOOST_TEST(status("POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n") == 200);
  BOOST_TEST(status("GET / HTTP/1.0\r\nHost: evil.example\r\n\r\n") == 421);
  BOOST_TEST(status("GET / HTTP/1.0\r\nHost: localhost\r\nHost: localhost\r\n\r\n") == 400);
}

BOOST_AUTO_TEST_CASE(a_page_of_another_origin_changes_nothing) {
  const std::vector<std::string> foreign{
    "Sec-Fetch-Site: cross-site\r\n",    "sec-fetch-site: Same-Site\r\n",
    "Origin: http://evil.example\r\n",   "Origin: null\r\n",
    "Origin: http://localhost:7401\r\n", "Origin: http://localhost:7400\r\nSec-Fetch-Site: cross-site\r\n"};
  for (const auto& fields : foreign)
    for (const std::string method : {"POST", "PUT", "DELETE", "PATCH"})
      BOOST_TEST(status(ask_as(method, "localhost:7400", fields)) == 403, method + " " + fields);
  // What a page may do is look, and a browser shows it nothing of that.
  for (const auto& fields : foreign)
    BOOST_TEST(status(ask_as("GET", "localhost:7400", fields)) == 200, fields);
}

BOOST_AUTO_TEST_CASE(the_servers_own_page_and_programs_may_ask_for_changes) {
  for (const std::string fields :
       {"", "Origin: http://localhost:7400\r\n", "Sec-Fetch-Site: same-origin\r\n", "Sec-Fetch-Site: none\r\n"})
    BOOST_TEST(status(ask_as("POST", "localhost:7400", fields)) == 200, fields);
  BOOST_TEST(status(ask_as("POST", "levain.example", "Origin: https://levain.example\r\n")) == 200);
}

BOOST_AUTO_TEST_CASE(a_body_of_a_foreign_page_is_not_waited_for) {
  raw_client client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nContent-Length: 1000\r\n\r\n");
  check_problem(client.receive(), 403, "origin 'http://evil.example'");
  BOOST_TEST(client.sees_the_end());
}

BOOST_AUTO_TEST_CASE(a_server_for_everybody_asks_neither) {
  http_server open({.any_host = true}, echo);
  raw_client client(open.port());
  client.send(ask_as("POST", "evil.example", "Sec-Fetch-Site: cross-site\r\n"));
  BOOST_TEST(status_of(client.receive()) == 200);
}

BOOST_AUTO_TEST_SUITE_END()
