// Worlds in which a rule was broken once: every `regressions/*.plan` is one, and no rule may be broken in it any more.
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "test_paths.hpp"
#include "tests/simulation/trial.hpp"

using namespace levain::simulation;

BOOST_AUTO_TEST_SUITE(regressions_test)

BOOST_AUTO_TEST_CASE(no_rule_that_was_broken_once_is_broken_again) {
  size_t plans = 0;
  for (const auto& entry : std::filesystem::directory_iterator(LEVAIN_SOURCE_DIR "/tests/simulation/regressions")) {
    if (entry.path().extension() != ".plan")
      continue;
    ++plans;
    BOOST_TEST_CONTEXT(entry.path().filename()) {
      std::ifstream in(entry.path());
      const auto found = try_plan(parse_plan(std::string(std::istreambuf_iterator<char>(in), {})));
      BOOST_TEST(found.violations.empty());
      for (const auto& each : found.violations)
        BOOST_TEST_MESSAGE(to_string(each.broken) << ": " << each.text);
    }
  }
  BOOST_TEST(plans > 0u, "there is no plan in tests/simulation/regressions");
}

BOOST_AUTO_TEST_SUITE_END()
