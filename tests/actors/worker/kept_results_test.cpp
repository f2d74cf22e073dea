#include "actors/worker/kept_results.hpp"

#include <boost/test/unit_test.hpp>

using namespace levain;
using namespace std::chrono_literals;

namespace {

const worker_moment start = worker_moment(std::chrono::hours(1));

kept_results::kept one(const std::string& key, const std::string& text = "1", gate_number gate = 0) {
  return {key, 1, gate, {.succeeded = true, .text = text}, start};
}

std::string keys(const std::vector<held_call>& held) {
  std::string text;
  for (const auto& each : held)
    text += each.key;
  return text;
}

} // namespace

BOOST_AUTO_TEST_SUITE(kept_results_test)

BOOST_AUTO_TEST_CASE(beyond_their_number_the_oldest_goes_first) {
  kept_results results({.results_max = 2, .bytes_max = 1000, .age_max = 1min});
  for (const auto* key : {"a", "b", "c"})
    results.keep(one(key));
  BOOST_TEST(keys(results.held(start)) == "bc");
  BOOST_TEST(!results.find("a", 1, start).has_value());
}

BOOST_AUTO_TEST_CASE(beyond_their_bytes_the_oldest_go_until_there_is_room) {
  kept_results results({.results_max = 100, .bytes_max = 10, .age_max = 1min});
  results.keep(one("a", "123"));
  results.keep(one("b", "123"));
  BOOST_TEST(results.bytes() == 8U);
  results.keep(one("c", "12345"));
  BOOST_TEST(keys(results.held(start)) == "bc");
  BOOST_TEST(results.bytes() == 10U);
}

BOOST_AUTO_TEST_CASE(what_is_larger_than_all_room_is_not_kept_and_pushes_nothing_out) {
  kept_results results({.results_max = 100, .bytes_max = 10, .age_max = 1min});
  results.keep(one("a", "123"));
  results.keep(one("b", "1234567890"));
  BOOST_TEST(keys(results.held(start)) == "a");
}

BOOST_AUTO_TEST_CASE(a_newer_result_takes_the_place_of_the_one_with_its_key) {
  kept_results results({.results_max = 2, .bytes_max = 1000, .age_max = 1min});
  results.keep(one("a", "old"));
  results.keep(one("b"));
  results.keep(one("a", "new"));
  BOOST_TEST(results.size() == 2U);
  BOOST_TEST(results.find("a", 1, start)->text == "new");
  BOOST_TEST(results.bytes() == 6U);
}

BOOST_AUTO_TEST_CASE(they_age) {
  kept_results results({.results_max = 2, .bytes_max = 1000, .age_max = 1min});
  results.keep(one("a"));
  BOOST_TEST(results.find("a", 1, start + 1min - 1ms).has_value());
  BOOST_TEST(!results.find("a", 1, start + 1min).has_value());
  BOOST_TEST(results.bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(what_was_sent_to_one_gate_is_taken_out_alone) {
  kept_results results({.results_max = 10, .bytes_max = 1000, .age_max = 1min});
  results.keep(one("a", "1", 1));
  results.keep(one("b", "1", 2));
  results.keep(one("c", "1", 1));
  const auto taken = results.take_from(1, start);
  BOOST_TEST_REQUIRE(taken.size() == 2U);
  BOOST_TEST(taken[0].key + taken[1].key == "ac");
  BOOST_TEST(keys(results.held(start)) == "b");
}

BOOST_AUTO_TEST_SUITE_END()
