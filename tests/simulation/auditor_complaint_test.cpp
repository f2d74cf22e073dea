#include <boost/test/unit_test.hpp>

#include "tests/simulation/auditor/auditor.hpp"

using namespace levain;
using namespace levain::simulation;

BOOST_AUTO_TEST_SUITE(auditor_complaint_test)

BOOST_AUTO_TEST_CASE(what_the_engine_finds_wrong_with_itself_is_a_defect) {
  auditor judge;
  judge.saw_complaint(timestamp{}, {1, 0}, "a run waits for nothing");
  BOOST_TEST_REQUIRE(judge.violations().size() == 1U);
  BOOST_TEST(to_string(judge.violations().front().broken) == "no_complaint");
}

BOOST_AUTO_TEST_SUITE_END()
