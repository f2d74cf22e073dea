// What a run costs without actors and without a database, from its start to its end: its allocations, and the bytes
// that are sent for it.
#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>

#include "tests/guards/course_program.hpp"
#include "tests/guards/recorded_figures.hpp"

using namespace levain::test;

BOOST_AUTO_TEST_SUITE(run_machine_test)

BOOST_AUTO_TEST_CASE(a_run_allocates_and_sends_no_more_than_recorded) {
  const auto said = nlohmann::json::parse(run_course_program({}));
  check_figure("allocations_per_run_without_actors", said.at("allocations").get<double>() / course_program_runs);
  check_figure("batch_bytes_per_run", said.at("bytes").get<double>() / course_program_runs);
}

BOOST_AUTO_TEST_SUITE_END()
