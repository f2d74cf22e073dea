// Definitions that hold secrets themselves.
#include <boost/test/unit_test.hpp>

#include <fmt/format.h>

#include "actors/workflow/literal_secrets.hpp"

using namespace levain;

namespace {

/// The places of the secrets in a workflow whose only step calls a URL with one header.
std::vector<std::string> found_in(const std::string& url, const std::string& header, const std::string& value) {
  const auto call = fmt::format(R"({{"http": {{"url": "{}", "headers": {{"{}": "{}"}}}}}})", url, header, value);
  const auto parsed = parse_definition(fmt::format(
    R"({{"workflow": "w", "version": 1, "steps": [{{"name": "a", "call": {}, "compensate": {}}}]}})", call, call));
  BOOST_TEST_REQUIRE(parsed.errors.empty(), (parsed.errors.empty() ? std::string() : to_string(parsed.errors.front())));
  std::vector<std::string> places;
  for (const auto& each : literal_secrets(*parsed.workflow)) {
    places.push_back(each.field);
    BOOST_TEST(each.message.find("use a ${variable}") != std::string::npos, each.message);
    // The warning goes into the log.
    BOOST_TEST(each.message.find(value) == std::string::npos, each.message);
  }
  return places;
}

using places = std::vector<std::string>;

} // namespace

BOOST_AUTO_TEST_SUITE(literal_secrets_test)

BOOST_AUTO_TEST_CASE(a_literal_value_of_a_header_for_secrets_is_named_with_its_place) {
  for (const std::string header : {"Authorization", "authorization", "Cookie", "Proxy-Authorization"}) {
    const places both{"steps[0].call.http.headers." + header, "steps[0].compensate.http.headers." + header};
    BOOST_TEST(found_in("http://h/", header, "Bearer s3cr3t") == both, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(a_value_of_the_node_or_of_the_run_is_none_and_other_headers_are_no_secrets) {
  BOOST_TEST(found_in("http://h/", "Authorization", "Bearer ${token}").empty());
  BOOST_TEST(found_in("http://h/", "Cookie", "session={run.id}").empty());
  BOOST_TEST(found_in("http://h/", "Cookie", " ").empty());
  BOOST_TEST(found_in("http://h/", "X-Bakery", "s3cr3t").empty());
}

BOOST_AUTO_TEST_CASE(a_literal_user_of_a_url_is_named) {
  const places both{"steps[0].call.http.url", "steps[0].compensate.http.url"};
  BOOST_TEST(found_in("http://baker:s3cr3t@h/", "X", "1") == both, boost::test_tools::per_element());
  BOOST_TEST(found_in("http://${user}@h/", "X", "1").empty());
  BOOST_TEST(found_in("http://h/a@b", "X", "1").empty());
}

BOOST_AUTO_TEST_SUITE_END()
