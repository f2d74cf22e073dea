#include "actors/gateway/host_rules.hpp"

#include <boost/test/unit_test.hpp>

using namespace levain;

namespace {

bool is_own(const std::string& text, const std::vector<std::string>& names = {}) {
  const auto host = parse_host_port(text);
  return host && is_own_host(*host, boost::asio::ip::make_address("192.168.1.5"), "0.0.0.0", names);
}

bool same(const std::string& origin, const std::string& host) {
  return is_same_origin(origin, *parse_host_port(host));
}

} // namespace

BOOST_AUTO_TEST_SUITE(host_rules_test)

BOOST_AUTO_TEST_CASE(loopback_and_the_listeners_address_are_its_own_with_and_without_a_port) {
  for (const std::string host :
       {"localhost", "LocalHost:7400", "localhost.", "localhost.:7400", "127.0.0.1", "127.0.0.1:7400", "127.8.9.10",
        "127.0.0.1.", "[::1]", "[::1]:7400", "[0:0:0:0:0:0:0:1]:1", "[::ffff:127.0.0.1]", "192.168.1.5:80",
        "[::ffff:192.168.1.5]", "0.0.0.0:7400", "localhost:"})
    BOOST_TEST(is_own(host), host);
}

BOOST_AUTO_TEST_CASE(any_other_host_is_not_its_own) {
  for (const std::string host :
       {"evil.example", "evil.example:7400", "localhost.evil.example", "evil.localhost", "127.0.0.1.evil.example",
        "192.168.1.6", "[::2]", "[fe80::1]", "8.8.8.8", "localhostx", "127.1", "2130706433", "0x7f.0.0.1",
        "0177.0.0.1"})
    BOOST_TEST(!is_own(host), host);
}

BOOST_AUTO_TEST_CASE(what_is_no_host_is_nobodys) {
  for (const std::string text :
       {"",
        " ",
        "a b",
        "a b/@c",
        "localhost/",
        "user@localhost",
        "localhost:80:80",
        "localhost:port",
        "localhost:70000",
        "[::1",
        "::1",
        "[::1]x",
        "[localhost]",
        "[127.0.0.1]",
        "localhost..",
        ".localhost",
        "[::1%25lo]",
        "localhost,a",
        "localhost\t",
        "http://localhost"})
    BOOST_TEST(!is_own(text), text);
}

BOOST_AUTO_TEST_CASE(a_name_that_was_given_is_its_own_in_any_case) {
  BOOST_TEST(is_own("levain.example", {"levain.example"}));
  BOOST_TEST(is_own("LEVAIN.Example.:8080", {"levain.example"}));
  BOOST_TEST(!is_own("www.levain.example", {"levain.example"}));
  BOOST_TEST(is_own("[2001:DB8:0::7]", {"2001:db8::7"}));
}

BOOST_AUTO_TEST_CASE(an_origin_is_the_host_with_the_same_port) {
  BOOST_TEST(same("http://127.0.0.1:7400", "127.0.0.1:7400"));
  BOOST_TEST(same("HTTP://LOCALHOST:7400", "localhost:7400"));
  BOOST_TEST(same("http://localhost", "localhost:80"));
  BOOST_TEST(same("http://localhost:80", "localhost"));
  BOOST_TEST(same("https://levain.example", "levain.example"));
  BOOST_TEST(same("https://levain.example:443", "levain.example"));
  BOOST_TEST(same("http://[::1]:7400", "[::1]:7400"));
  for (const std::string origin :
       {"null", "", "http://localhost:7401", "http://127.0.0.1:7400", "http://evil.example:7400", "https://localhost",
        "file://localhost:7400", "http://localhost:7400/", "http://a@localhost:7400", "localhost:7400",
        "http://localhost:7400 http://localhost:7400"})
    BOOST_TEST(!same(origin, "localhost:7400"), origin);
}

BOOST_AUTO_TEST_CASE(the_host_of_a_url_is_found) {
  BOOST_TEST(host_of_url("http://Levain.example:7400/x").value().host == "levain.example");
  BOOST_TEST(host_of_url("https://[::1]:7400").value().host == "::1");
  BOOST_TEST(!host_of_url("levain.example"));
  BOOST_TEST(!host_of_url("ftp://levain.example"));
}

BOOST_AUTO_TEST_SUITE_END()
