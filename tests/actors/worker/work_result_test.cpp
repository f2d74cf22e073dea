#include "actors/worker/work_result.hpp"

#include <boost/test/unit_test.hpp>

#include "actors/cluster/wire_limits.hpp"
#include "actors/worker/worker_limits.hpp"

using namespace levain;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(work_result_test)

BOOST_AUTO_TEST_CASE(an_output_travels_as_json) {
  const auto result = to_work_result(nlohmann::json{{"loaves", 40}});
  BOOST_TEST(result.succeeded);
  BOOST_TEST(result.text == R"({"loaves":40})");
}

BOOST_AUTO_TEST_CASE(a_failure_says_whether_and_when_to_try_again) {
  const auto result = to_work_result(worker_failure{.message = "the oven is cold", .retry_after = 1500ms});
  BOOST_TEST((result == work_result{.text = "the oven is cold", .retry = true, .retry_after = 1500}));
}

BOOST_AUTO_TEST_CASE(a_final_failure_has_no_time_to_try_again) {
  const auto result = to_work_result(worker_failure{.message = "no", .retry = false, .retry_after = 1s});
  BOOST_TEST((result == work_result{.text = "no"}));
}

BOOST_AUTO_TEST_CASE(no_time_to_try_again_is_longer_than_a_node_takes) {
  const auto result = to_work_result(worker_failure{.message = "no", .retry_after = 24h * 30});
  BOOST_TEST(result.retry_after == worker_retry_after_max.count());
}

BOOST_AUTO_TEST_CASE(a_negative_time_is_none) {
  BOOST_TEST(to_work_result(worker_failure{.message = "no", .retry_after = -1s}).retry_after == 0);
}

BOOST_AUTO_TEST_CASE(sentences_become_plain_lines_and_are_never_empty) {
  BOOST_TEST(to_work_result(worker_failure{.message = "two\nlines"}).text == "two lines");
  BOOST_TEST(to_work_result(worker_failure{.message = " \n"}).text == "the worker gave no reason");
  const auto longest = to_work_result(worker_failure{.message = std::string(100'000, 'x')});
  BOOST_TEST(longest.text.size() == worker_message_bytes_max);
}

BOOST_AUTO_TEST_CASE(an_output_with_bytes_that_are_no_utf8_is_a_final_failure) {
  const auto result = to_work_result(nlohmann::json{{"text", "\xC3\x28"}});
  BOOST_TEST(!result.succeeded);
  BOOST_TEST(!result.retry);
  BOOST_TEST(result.text.find("the output cannot be written as JSON: ") == 0U);
}

BOOST_AUTO_TEST_CASE(an_output_too_large_for_the_wire_is_a_final_failure_that_says_so) {
  const nlohmann::json largest = std::string(wire_result_bytes_max - 2, 'x');
  BOOST_TEST(to_work_result(largest).succeeded);
  const auto result = to_work_result(nlohmann::json(std::string(wire_result_bytes_max - 1, 'x')));
  BOOST_TEST(!result.succeeded);
  BOOST_TEST(!result.retry);
  BOOST_TEST(result.text == "the output is 16777217 bytes of JSON, more than the 16777216 that a worker may send");
}

BOOST_AUTO_TEST_CASE(an_exception_may_be_mended_by_a_later_attempt) {
  BOOST_TEST((failed_by_exception("lost\tit") == work_result{.text = "lost it", .retry = true}));
}

BOOST_AUTO_TEST_SUITE_END()
