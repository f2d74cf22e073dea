// Large bodies of calls that carry the same results are one text.
#include <boost/test/unit_test.hpp>

#include "actors/calls/shared_bodies.hpp"

using namespace levain;

namespace {

call_request request_with(const std::string& step, const std::string& results) {
  call_request request;
  request.body = R"({"run":{"step":")" + step + R"(","note":"\"},\"input\":"},"input":{},"results":)" + results + "}";
  return request;
}

} // namespace

BOOST_AUTO_TEST_SUITE(shared_bodies_test)

BOOST_AUTO_TEST_CASE(equal_results_are_held_once) {
  const auto results = '"' + std::string(shared_body_bytes_min, 'x') + '"';
  auto first = request_with("a", results);
  auto second = request_with("b", results);
  auto other = request_with("c", results + ' ');
  const auto whole = first.body;
  for (auto* each : {&first, &second, &other})
    share_body(*each);
  BOOST_TEST_REQUIRE(first.body_rest);
  BOOST_TEST(first.body + *first.body_rest == whole);
  BOOST_TEST(first.body_rest == second.body_rest);
  BOOST_TEST(first.body_rest != other.body_rest);
  BOOST_TEST(first.body.ends_with(R"(\"input\":"})"));
}

BOOST_AUTO_TEST_CASE(a_shared_text_goes_with_its_last_call) {
  std::weak_ptr<const std::string> held;
  {
    auto request = request_with("a", '"' + std::string(shared_body_bytes_min, 'y') + '"');
    share_body(request);
    held = request.body_rest;
    BOOST_TEST(!held.expired());
  }
  BOOST_TEST(held.expired());
}

BOOST_AUTO_TEST_CASE(short_bodies_stay_in_one_piece) {
  auto request = request_with("a", "{}");
  const auto whole = request.body;
  share_body(request);
  BOOST_TEST(request.body == whole);
  BOOST_TEST(!request.body_rest);
}

BOOST_AUTO_TEST_SUITE_END()
