#include <boost/test/unit_test.hpp>

#include <pqxx/pqxx>

#include "persistence/adopted_runs.hpp"
#include "persistence/migrations.hpp"
#include "persistence/migrator.hpp"
#include "tests/support/database.hpp"
#include "tests/support/has.hpp"

using namespace levain;
using levain::test::fresh_database;
using levain::test::has;

namespace {

/// A table of another program with two open runs of 2020, one of 2021, and one that has ended; then adopted.
struct adopted {
  adopted() {
    execute(std::string(embedded_migrations().front().sql));
    execute(R"(
      insert into orchestration_runs (run_number, tenant_id, status, started_at)
      values ('P', gen_random_uuid(), 'pending', '2020-01-01'),
             ('R', gen_random_uuid(), 'running', '2020-01-01'),
             ('R21', gen_random_uuid(), 'running', '2021-01-01'), ('C', gen_random_uuid(), 'completed', '2020-01-01'))");
    migrate_up(database.url());
  }

  void execute(const std::string& statement) {
    pqxx::connection connection(database.url());
    pqxx::work transaction(connection);
    transaction.exec(statement);
    transaction.commit();
  }

  std::string numbers(const std::string& status) {
    pqxx::connection connection(database.url());
    pqxx::work transaction(connection);
    return transaction
      .exec_params1(
        "select coalesce(string_agg(run_number, ' ' order by run_number), '') from orchestration_runs where "
        "status = $1::orchestrationstatus",
        status)[0]
      .c_str();
  }

  const fresh_database database{fresh_database::contents::nothing};
};

/// A table of a program that wrote the times of Berlin: one run of the summer, one of the winter.
struct berlin {
  berlin() {
    execute(std::string(embedded_migrations().front().sql));
    execute(R"(
      insert into orchestration_runs (run_number, tenant_id, status, started_at, completed_at)
      values ('S', gen_random_uuid(), 'failed', '2026-07-01 04:00', null),
             ('W', gen_random_uuid(), 'completed', '2026-12-01 04:00', '2026-12-01 04:30'))");
    execute(
      "do $$ begin execute format('alter database %I set timezone = %L', current_database(), 'Europe/Berlin'); end $$");
  }

  void execute(const std::string& statement) {
    pqxx::connection connection(database.url());
    pqxx::nontransaction(connection).exec(statement);
  }

  std::string value(const std::string& query) {
    pqxx::connection connection(database.url());
    return pqxx::nontransaction(connection).exec1(query)[0].c_str();
  }

  const fresh_database database{fresh_database::contents::nothing};
};

} // namespace

BOOST_AUTO_TEST_SUITE(adopted_runs_dbtest)

BOOST_FIXTURE_TEST_CASE(what_was_open_when_the_table_was_adopted_is_closed_as_cancelled, adopted) {
  const auto closing = close_adopted_runs(database.url(), {}, false);
  BOOST_TEST(closing.pending == 1);
  BOOST_TEST(closing.running == 2);
  BOOST_TEST(numbers("cancelled") == "P R R21");
  BOOST_TEST(numbers("completed") == "C");
  pqxx::connection connection(database.url());
  pqxx::work transaction(connection);
  const auto row = transaction.exec1(
    "select error_message, completed_at is not null, duration_seconds is null, updated_at > created_at from "
    "orchestration_runs where run_number = 'R'");
  BOOST_TEST(
    row[0].as<std::string>() ==
    "closed by levain migrate close-adopted: the run was running when the table was adopted, and Levain does not go on "
    "with runs that it did not start");
  BOOST_TEST(row[1].as<bool>());
  BOOST_TEST(row[2].as<bool>());
  BOOST_TEST(row[3].as<bool>());
  transaction.abort();
  BOOST_TEST(close_adopted_runs(database.url(), {}, false).running == 0);
}

BOOST_FIXTURE_TEST_CASE(only_older_ones_are_closed_where_that_is_asked, adopted) {
  const auto closing = close_adopted_runs(database.url(), parse_timestamp("2020-06-01T00:00:00Z"), false);
  BOOST_TEST(closing.running == 1);
  BOOST_TEST(numbers("running") == "R21");
}

BOOST_FIXTURE_TEST_CASE(runs_of_this_engine_and_those_that_began_after_the_adoption_stay_open, adopted) {
  execute("update orchestration_runs set workflow = 'w' where run_number = 'P'");
  execute("insert into run_events (run_id, seq, at, kind) select id, 1, now(), 'run_accepted' from orchestration_runs "
          "where run_number = 'R'");
  execute("insert into orchestration_runs (run_number, tenant_id, status, started_at) values ('NEW', "
          "gen_random_uuid(), 'running', now() at time zone 'UTC' + interval '1 second')");
  close_adopted_runs(database.url(), now_utc() + std::chrono::hours(1), false);
  BOOST_TEST(numbers("cancelled") == "R21");
  BOOST_TEST(numbers("running") == "NEW R");
  BOOST_TEST(numbers("pending") == "P");
}

BOOST_FIXTURE_TEST_CASE(a_dry_run_of_closing_changes_nothing, adopted) {
  BOOST_TEST(close_adopted_runs(database.url(), {}, true).running == 2);
  BOOST_TEST(numbers("running") == "R R21");
}

BOOST_AUTO_TEST_CASE(without_an_adoption_nothing_is_closed) {
  const fresh_database database;
  BOOST_CHECK_EXCEPTION(
    close_adopted_runs(database.url(), {}, false), migration_error, [](const migration_error& error) {
      return std::string(error.what()).find("no table of another program was adopted here") != std::string::npos;
    });
}

// ---- times of another zone ---------------------------------------------------

BOOST_FIXTURE_TEST_CASE(times_of_another_zone_are_asked_for_and_nothing_changes, berlin) {
  for (const bool dry_run : {true, false})
    BOOST_CHECK_EXCEPTION(migrate_up(database.url(), dry_run), migration_error, [](const migration_error& error) {
      return has(error.what(), "--old-times-in Europe/Berlin moves them to UTC");
    });
  BOOST_TEST(value("select to_regclass('levain_migrations') is null") == "t");
  BOOST_TEST(value("select started_at from orchestration_runs where run_number = 'S'") == "2026-07-01 04:00:00");
}

BOOST_FIXTURE_TEST_CASE(old_times_are_moved_to_utc_with_the_adoption, berlin) {
  const auto report = migrate_up(database.url(), false, "Europe/Berlin");
  BOOST_TEST(report.done[1] == "moved the times of its rows from Europe/Berlin to UTC");
  BOOST_TEST(value("select started_at from orchestration_runs where run_number = 'S'") == "2026-07-01 02:00:00");
  BOOST_TEST(value("select completed_at from orchestration_runs where run_number = 'W'") == "2026-12-01 03:30:00");
  BOOST_TEST(value("select completed_at is null from orchestration_runs where run_number = 'S'") == "t");
  BOOST_TEST(verify_schema(database.url()).empty());
}

BOOST_FIXTURE_TEST_CASE(old_times_that_are_utc_stay_as_they_are, berlin) {
  migrate_up(database.url(), false, "UTC");
  BOOST_TEST(value("select started_at from orchestration_runs where run_number = 'S'") == "2026-07-01 04:00:00");
}

BOOST_FIXTURE_TEST_CASE(a_zone_that_is_none_is_refused, berlin) {
  for (const std::string zone : {"Europe/Nowhere", "CEST", "+02", "'"})
    BOOST_CHECK_EXCEPTION(migrate_up(database.url(), false, zone), migration_error, [](const migration_error& error) {
      return has(error.what(), "must be UTC or the name of a zone that the server knows");
    });
  BOOST_TEST(value("select to_regclass('levain_migrations') is null") == "t");
}

BOOST_FIXTURE_TEST_CASE(an_empty_table_is_not_asked_for_its_zone, berlin) {
  execute("delete from orchestration_runs");
  migrate_up(database.url());
  BOOST_TEST(verify_schema(database.url()).empty());
}

BOOST_AUTO_TEST_CASE(where_nothing_is_adopted_no_zone_is_taken) {
  const fresh_database database;
  BOOST_CHECK_EXCEPTION(
    migrate_up(database.url(), false, "Europe/Berlin"), migration_error,
    [](const migration_error& error) { return has(error.what(), "there is none to adopt here"); });
}

BOOST_AUTO_TEST_SUITE_END()
