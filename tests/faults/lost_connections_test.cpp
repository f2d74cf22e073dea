#include <boost/test/unit_test.hpp>
#include <iostream>
#include <pqxx/pqxx>
#include <random>

#include "tests/faults/fault_checks.hpp"
#include "tests/support/bakery_night.hpp"
#include "tests/support/seed.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

constexpr int rounds = 40;
/// What the ledger grows by between two rounds, at most: some eighty calls.
constexpr size_t ledger_bytes_max = 25'000;

/// Ends every session but our own; answers how many there were.
size_t terminate_all(pqxx::connection& connection) {
  return pqxx::work(connection)
    .exec1(
      "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and pid <> "
      "pg_backend_pid()")[0]
    .as<size_t>();
}

} // namespace

BOOST_AUTO_TEST_SUITE(lost_connections_test)

BOOST_AUTO_TEST_CASE(no_call_is_made_again_however_often_all_connections_are_terminated) {
  std::mt19937_64 random(announced_seed());
  std::uniform_int_distribution<size_t> bytes(0, ledger_bytes_max);

  // Given
  bakery_night night;
  BOOST_TEST_REQUIRE(night.begin(100));
  pqxx::connection connection(night.database_url());

  // When
  size_t terminated = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto until = night.bakery().ledger_bytes() + bytes(random);
    BOOST_TEST(eventually([&] { return night.bakery().ledger_bytes() > until; }, generous));
    terminated += terminate_all(connection);
  }
  std::cout << terminated << " sessions were terminated in " << rounds << " rounds" << std::endl;
  BOOST_TEST(terminated >= size_t{rounds});

  // Then: and it recovers.
  BOOST_TEST(night.callers_are_served());
  for (const auto& each : night.what_is_wrong())
    BOOST_ERROR(each);
}

BOOST_AUTO_TEST_SUITE_END()
