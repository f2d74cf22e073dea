#include "actors/gateway/api_problem.hpp"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

using namespace levain;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(api_problem_test)

BOOST_AUTO_TEST_CASE(a_start_that_was_not_made_may_be_asked_for_again_at_once) {
  const auto problem = problem_of({start_refused::reason_type::not_ready, "it is recovering", 2500ms});
  BOOST_TEST(problem.status == 503);
  const auto document = problem_json(problem);
  BOOST_TEST(document["retry_after"] == 3);
  BOOST_TEST(!document.contains("may_have_started"));
  BOOST_TEST(to_response(problem).headers["Retry-After"] == "3");
}

BOOST_AUTO_TEST_CASE(a_start_that_may_have_been_made_asks_no_client_to_repeat_it) {
  for (const auto reason : {start_refused::reason_type::not_ready, start_refused::reason_type::busy}) {
    const auto problem = problem_of({reason, "it was sent to another node", 1s, true});
    BOOST_TEST(problem.status == 503);
    const auto document = problem_json(problem);
    BOOST_TEST(document["may_have_started"] == true);
    BOOST_TEST(!document.contains("retry_after"));
    BOOST_TEST(!to_response(problem).headers.contains("Retry-After"));
  }
}

BOOST_AUTO_TEST_SUITE_END()
