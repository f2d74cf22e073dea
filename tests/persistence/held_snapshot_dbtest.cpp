#include "persistence/held_snapshot.hpp"

#include <boost/test/unit_test.hpp>
#include <pqxx/pqxx>

#include "persistence/journal.hpp"
#include "tests/support/database.hpp"

using namespace levain;
using namespace levain::test;

namespace {

void execute(const fresh_database& database, const std::string& sql) {
  pqxx::connection connection(database.url());
  pqxx::nontransaction(connection).exec(sql);
}

void add_run(const fresh_database& database) {
  execute(database, R"(
    insert into orchestration_runs (id, tenant_id, run_number, status, run_type, started_at)
    select gen_random_uuid(), gen_random_uuid(), 'R-' || count(*), 'completed', 'test', now() from orchestration_runs)");
}

/// Row versions that a vacuum has to leave behind.
int64_t dead_rows_after_vacuum(const fresh_database& database) {
  execute(database, "vacuum orchestration_runs");
  execute(database, "create extension if not exists pageinspect");
  pqxx::connection connection(database.url());
  return pqxx::work(connection)
    .exec1(R"(
      select count(*) from heap_page_items(get_raw_page('orchestration_runs', 0)) where lp_flags = 1)")[0]
    .as<int64_t>();
}

} // namespace

BOOST_AUTO_TEST_SUITE(held_snapshot_dbtest)

BOOST_AUTO_TEST_CASE(it_sees_the_database_as_it_was) {
  const fresh_database database;
  add_run(database);
  held_snapshot snapshot(database.url());
  add_run(database);
  BOOST_TEST(snapshot.runs() == 1U);
  BOOST_TEST(held_snapshot(database.url()).runs() == 2U);
}

BOOST_AUTO_TEST_CASE(obsolete_rows_stay_for_as_long_as_it_lives) {
  const fresh_database database;
  add_run(database);
  {
    const held_snapshot snapshot(database.url());
    execute(database, "update orchestration_runs set status = 'failed'");
    BOOST_TEST(dead_rows_after_vacuum(database) == 2);
  }
  BOOST_TEST(dead_rows_after_vacuum(database) == 1);
}

BOOST_AUTO_TEST_CASE(settling_removes_obsolete_rows) {
  const fresh_database database;
  add_run(database);
  execute(database, "update orchestration_runs set status = 'failed'");
  settle_database(database.url());
  BOOST_TEST(dead_rows_after_vacuum(database) == 1);
}

BOOST_AUTO_TEST_CASE(a_server_that_is_not_there_is_said_so) {
  BOOST_CHECK_THROW(held_snapshot("postgresql:///levain?host=/nowhere"), journal_unavailable);
  BOOST_CHECK_THROW(settle_database("postgresql:///levain?host=/nowhere"), journal_unavailable);
}

BOOST_AUTO_TEST_SUITE_END()
