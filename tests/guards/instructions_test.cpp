// The processor's work for a run without actors and without a database, counted by callgrind.
#include <boost/test/unit_test.hpp>

#include <iostream>
#include <regex>
#include <string>

#include "persistence/spawn.hpp"
#include "tests/guards/course_program.hpp"
#include "tests/guards/recorded_figures.hpp"

using namespace levain::test;

namespace {

bool is_valgrind_there() {
  return levain::run_program({"/usr/bin/env", "valgrind", "--version"}).status == 0;
}

} // namespace

BOOST_AUTO_TEST_SUITE(instructions_test)

BOOST_AUTO_TEST_CASE(a_run_takes_no_more_instructions_than_recorded) {
  if (!is_valgrind_there()) {
    std::cout << "guard skipped: valgrind is not there, so no instructions were counted; ./dev setup installs it"
              << std::endl;
    return;
  }
  // The C library chooses among several ways to copy a text by what the processor can do: here always the plain one.
  const auto said = run_course_program(
    {"LD_BIND_NOW=1", "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-ERMS,-BMI2,-LZCNT,-SSE4_2", "valgrind",
     "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=guard_course_counted",
     "--callgrind-out-file=/dev/null"});
  std::smatch found;
  BOOST_TEST_REQUIRE(std::regex_search(said, found, std::regex("Collected : ([0-9]+)")), said);
  const double instructions = std::stod(found[1]);
  BOOST_TEST_REQUIRE(instructions > 0, "callgrind counted nothing: it did not see guard_course_counted");
  check_figure("instructions_per_run_without_actors", instructions / course_program_runs);
}

BOOST_AUTO_TEST_SUITE_END()
