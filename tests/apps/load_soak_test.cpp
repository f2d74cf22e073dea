// What a soak takes for too much memory.
#include <boost/test/unit_test.hpp>

#include "apps/load/soak.hpp"
#include "tests/support/has.hpp"

using namespace levain;
using namespace levain::load;
using levain::test::has;

namespace {

constexpr uint64_t mebibyte = 1024 * 1024;

soak_options small() {
  soak_options options;
  options.runs_bytes_max = 100 * mebibyte;
  options.calls_bytes_max = 50 * mebibyte;
  options.other_bytes_max = 30 * mebibyte;
  return options;
}

/// A daemon of 20 MiB that took all that it may take.
soak_result as_allowed() {
  soak_result result;
  result.rss_begin = 20 * mebibyte;
  result.rss_peak = 200 * mebibyte;
  result.rss_end = 50 * mebibyte;
  result.runs_bytes_peak = 107 * mebibyte;
  result.calls_bytes_peak = 54 * mebibyte;
  return result;
}

std::string complaint_of(const soak_result& result) {
  const auto all = memory_complaints(small(), result);
  BOOST_TEST_REQUIRE(all.size() == 1u);
  return all.front();
}

} // namespace

BOOST_AUTO_TEST_SUITE(load_soak_test)

BOOST_AUTO_TEST_CASE(what_is_allowed_is_no_complaint) {
  BOOST_TEST(memory_complaints(small(), as_allowed()).empty());
}

BOOST_AUTO_TEST_CASE(each_figure_beyond_what_is_allowed_is_a_complaint_with_the_limit) {
  auto result = as_allowed();
  result.rss_peak += mebibyte;
  BOOST_TEST(has(complaint_of(result), "grew at its peak by: 181 MiB, at most 180 MiB are right"));
  result = as_allowed();
  result.rss_end += mebibyte;
  BOOST_TEST(has(complaint_of(result), "had grown at the end by: 31 MiB, at most 30 MiB are right"));
  result = as_allowed();
  result.runs_bytes_peak += mebibyte;
  BOOST_TEST(has(complaint_of(result), "runs_bytes_max and one run"));
  result = as_allowed();
  result.calls_bytes_peak += mebibyte;
  BOOST_TEST(has(complaint_of(result), "calls_bytes_max, one call and one answer"));
}

BOOST_AUTO_TEST_SUITE_END()
