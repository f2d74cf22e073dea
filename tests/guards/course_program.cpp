#include "tests/guards/course_program.hpp"

#include <boost/test/unit_test.hpp>

#include "persistence/spawn.hpp"

namespace levain::test {

std::string run_course_program(std::vector<std::string> under) {
  under.insert(under.begin(), "/usr/bin/env");
  under.emplace_back(LEVAIN_GUARD_COURSE);
  under.push_back(std::to_string(course_program_runs));
  auto done = run_program(std::move(under));
  BOOST_TEST_REQUIRE(done.status == 0, "guard_course ended with wait status " << done.status << ":\n" << done.output);
  return std::move(done.output);
}

} // namespace levain::test
