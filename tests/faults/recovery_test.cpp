#include <boost/test/unit_test.hpp>
#include <thread>

#include "persistence/embedded_postgres.hpp"
#include "tests/support/daemon.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/five_steps.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

constexpr auto generous = 120s;
const std::string tenant = "3f2b8c1e-5d4a-4b6f-9e8d-7c6b5a493827";

/// All runs end, each once, and everything that is remembered agrees with itself.
void check_all_is_well(evidence& seen, const starter& starts) {
  BOOST_TEST(
    eventually([&] { return seen.all_ended(); }, generous),
    "only " << seen.runs_ended() << " of " << seen.runs() << " runs have ended");
  BOOST_TEST(seen.lost(starts.acknowledged()).size() == 0U);
  for (const auto& each : seen.contradictions())
    BOOST_ERROR(each);
}

} // namespace

BOOST_AUTO_TEST_SUITE(recovery_test)

BOOST_AUTO_TEST_CASE(kill_minus_nine_in_the_middle_of_2000_runs) {
  const temporary_folder folder;
  const std::vector<std::string> arguments{"--embedded", folder / "database"};
  starter starts(tenant, "five_steps");
  {
    // Given: a daemon that has acknowledged some lists of runs and is killed while others are on their way.
    running_daemon daemon(arguments);
    daemon.register_workflow(five_steps());
    daemon.wait_until_ready();
    evidence seen(embedded_postgres_url(folder / "database"));
    std::jthread killer([&] {
      eventually([&] { return seen.runs() >= 600; }, generous);
      ::kill(daemon.program().pid(), SIGKILL);
    });
    for (int list = 0; list < 4; ++list)
      starts.start(daemon.url(), 500, "list-" + std::to_string(list));
    killer.join();
    BOOST_TEST_REQUIRE(daemon.program().wait(generous).has_value());
  }
  BOOST_TEST_MESSAGE(starts.acknowledged().size() << " runs were acknowledged before the first kill");
  BOOST_TEST(starts.acknowledged().size() < 2000U);
  {
    // When: the callers ask again for everything with the same keys, and the daemon is killed when hundreds have ended.
    running_daemon daemon(arguments);
    daemon.wait_until_ready();
    for (int list = 0; list < 4; ++list)
      BOOST_TEST_REQUIRE(starts.start(daemon.url(), 500, "list-" + std::to_string(list)) == 500U);
    evidence seen(embedded_postgres_url(folder / "database"));
    size_t ended = 0;
    BOOST_TEST_REQUIRE(eventually([&] { return (ended = seen.runs_ended()) >= 500; }, generous));
    daemon.program().kill_and_wait();
    BOOST_TEST_MESSAGE(ended << " runs had ended before the second kill");
    BOOST_TEST(ended < 2000U);
  }
  BOOST_TEST(starts.repeated() >= 500U);

  // Then: the third daemon ends all of them, and none is there twice.
  running_daemon daemon(arguments);
  evidence seen(embedded_postgres_url(folder / "database"));
  BOOST_TEST(seen.runs() == 2000U);
  BOOST_TEST(starts.acknowledged().size() == 2000U);
  check_all_is_well(seen, starts);
}

BOOST_AUTO_TEST_SUITE_END()
