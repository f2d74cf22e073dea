#include <boost/test/unit_test.hpp>

#include <future>
#include <pqxx/pqxx>
#include <set>

#include "persistence/connection.hpp"
#include "persistence/journal.hpp"
#include "persistence/migrations.hpp"
#include "persistence/migrator.hpp"
#include "persistence/postgres_leases.hpp"
#include "persistence/schema_partitions.hpp"
#include "persistence/schema_session.hpp"
#include "tests/support/database.hpp"
#include "tests/support/has.hpp"

using namespace levain;
using levain::test::fresh_database;
using levain::test::has;

namespace {

const auto nothing = fresh_database::contents::nothing;

void execute(const std::string& url, const std::string& statement) {
  pqxx::connection connection(url);
  pqxx::work transaction(connection);
  transaction.exec(statement);
  transaction.commit();
}

std::string value(const std::string& url, const std::string& query) {
  pqxx::connection connection(url);
  pqxx::work transaction(connection);
  return transaction.exec1(query)[0].c_str();
}

auto failing_with(const std::string& part) {
  return [part](const migration_error& error) {
    BOOST_TEST_MESSAGE(error.what());
    return has(error.what(), part);
  };
}

} // namespace

BOOST_AUTO_TEST_SUITE(migrator_dbtest)

BOOST_AUTO_TEST_CASE(an_empty_database_gets_every_migration_in_order) {
  const fresh_database database(nothing);
  const auto report = migrate_up(database.url());
  const auto& known = embedded_migrations();
  BOOST_TEST_REQUIRE(report.done.size() >= known.size());
  BOOST_TEST(!report.up_to_date);
  for (size_t i = 0; i < known.size(); ++i)
    BOOST_TEST(report.done[i] == "applied " + std::string(known[i].name));
  BOOST_TEST(verify_schema(database.url()).empty());
}

BOOST_AUTO_TEST_CASE(a_schema_in_which_every_role_may_create_is_noticed_at_each_migration) {
  const fresh_database database(nothing);
  BOOST_TEST(migrate_up(database.url()).noticed.empty());
  execute(database.url(), "grant create on schema public to public");
  const auto report = migrate_up(database.url());
  BOOST_TEST(report.up_to_date);
  BOOST_TEST_REQUIRE(report.noticed.size() == 1U);
  BOOST_TEST(has(report.noticed.front(), "revoke create on schema public from public"));
}

BOOST_AUTO_TEST_CASE(a_second_call_does_nothing) {
  const fresh_database database;
  const auto report = migrate_up(database.url());
  BOOST_TEST(report.up_to_date);
  BOOST_TEST(report.done.empty());
}

BOOST_AUTO_TEST_CASE(a_dry_run_says_what_it_would_do_and_does_nothing) {
  const fresh_database database(nothing);
  const auto report = migrate_up(database.url(), true);
  BOOST_TEST(report.done.size() == embedded_migrations().size());
  BOOST_TEST(report.done.front() == "would apply 001_initial_schema");
  BOOST_TEST(value(database.url(), "select count(*) from pg_class where relnamespace = 'public'::regnamespace") == "0");
}

BOOST_AUTO_TEST_CASE(two_starters_at_once_apply_each_migration_once) {
  const fresh_database database(nothing);
  std::vector<std::future<migration_report>> starters;
  for (int i = 0; i < 4; ++i)
    starters.push_back(std::async(std::launch::async, [&] { return migrate_up(database.url()); }));
  std::multiset<std::string> done;
  for (auto& starter : starters)
    for (auto& each : starter.get().done)
      done.insert(std::move(each));
  for (const auto& migration : embedded_migrations())
    BOOST_TEST(done.count("applied " + std::string(migration.name)) == 1u, migration.name);
  for (const auto& each : done)
    BOOST_TEST(done.count(each) == 1u, each);
  BOOST_TEST(verify_schema(database.url()).empty());
}

BOOST_AUTO_TEST_CASE(an_edited_landed_file_is_refused_by_name) {
  const fresh_database database;
  execute(database.url(), "update levain_migrations set checksum = repeat('0', 64) where number = 3");
  BOOST_CHECK_EXCEPTION(migrate_up(database.url()), migration_error, failing_with("003_journal: the file was edited"));
  BOOST_TEST((migration_statuses(database.url())[2].state == migration_status::state_type::edited));
}

BOOST_AUTO_TEST_CASE(a_schema_newer_than_the_program_is_refused) {
  const fresh_database database;
  execute(
    database.url(), "insert into levain_migrations (number, name, checksum, adopted, program_version) "
                    "values (999, '999_from_the_future', 'x', false, '99.0')");
  BOOST_CHECK_EXCEPTION(migrate_up(database.url()), migration_error, failing_with("999_from_the_future"));
  BOOST_TEST((migration_statuses(database.url()).back().state == migration_status::state_type::unknown));
}

BOOST_AUTO_TEST_CASE(a_schema_newer_than_the_program_names_the_living_nodes_that_know_it) {
  const fresh_database database;
  postgres_leases nodes{{.url = database.url()}};
  const auto join = [&](uint8_t n, const std::string& version, int32_t schema, std::chrono::milliseconds lease) {
    node_record node;
    node.id.bytes[0] = n;
    node.name = "node-" + std::to_string(n);
    node.version = version;
    node.schema_version = schema;
    nodes.join(node, lease);
  };
  join(1, "98.0", 998, std::chrono::hours(1));
  join(2, "99.0", 999, std::chrono::hours(1));
  join(3, "99.1", 999, std::chrono::milliseconds(-1)); // Dead since before it came.
  execute(
    database.url(), "insert into levain_migrations (number, name, checksum, adopted, program_version) "
                    "values (999, '999_from_the_future', 'x', false, '99.0')");
  const auto* knows = "use a program that knows it, as these living nodes do: 'node-2' (levain 99.0)";
  BOOST_CHECK_EXCEPTION(migrate_up(database.url()), migration_error, failing_with(knows));
  BOOST_CHECK_EXCEPTION(expect_known_schema(database.url()), migration_error, failing_with(knows));
}

BOOST_AUTO_TEST_CASE(whoever_leaves_the_schema_as_it_is_minds_only_what_it_does_not_know) {
  const fresh_database empty(nothing);
  expect_known_schema(empty.url());
  const fresh_database full;
  expect_known_schema(full.url());
  execute(full.url(), "delete from levain_migrations where number > 9");
  expect_known_schema(full.url());
  execute(full.url(), "update levain_migrations set checksum = repeat('0', 64) where number = 3");
  BOOST_CHECK_EXCEPTION(expect_known_schema(full.url()), migration_error, failing_with("003_journal: the file was"));
}

/// As a daemon of before 011 does, whose statements know nothing of the new columns.
BOOST_AUTO_TEST_CASE(an_older_daemon_goes_on_beside_the_newer_schema) {
  const fresh_database database;
  execute(
    database.url(), "insert into nodes (id, name, address, version, lease, started_at, heartbeat_at) values "
                    "(gen_random_uuid(), 'old', '', '0.1.0', interval '1 hour', clock_timestamp(), clock_timestamp()); "
                    "update nodes set heartbeat_at = clock_timestamp()");
  postgres_leases nodes{{.url = database.url()}};
  node_record newer;
  newer.id.bytes[0] = 1;
  newer.protocol_min = newer.protocol_max = 7;
  nodes.join(newer, std::chrono::hours(1));
  const auto view = nodes.view();
  BOOST_TEST_REQUIRE(view.nodes.size() == 2u);
  BOOST_TEST(view.nodes[0].name == "old");
  BOOST_TEST(view.nodes[0].alive);
  BOOST_TEST(view.nodes[0].schema_version == 0);
  BOOST_TEST(nodes.share(newer.id).fair == 32u);
}

BOOST_AUTO_TEST_CASE(a_migration_that_fails_leaves_nothing_of_itself) {
  const fresh_database database(nothing);
  execute(database.url(), "create table workflow_definitions (mine text)");
  BOOST_CHECK_EXCEPTION(migrate_up(database.url()), migration_error, failing_with("004_definitions cannot be applied"));
  const auto statuses = migration_statuses(database.url());
  BOOST_TEST((statuses[2].state == migration_status::state_type::applied));
  BOOST_TEST((statuses[3].state == migration_status::state_type::pending));
  execute(database.url(), "drop table workflow_definitions");
  migrate_up(database.url());
  BOOST_TEST(verify_schema(database.url()).empty());
}

BOOST_AUTO_TEST_CASE(statuses_name_what_was_applied_and_what_is_pending) {
  const fresh_database empty(nothing);
  for (const auto& status : migration_statuses(empty.url()))
    BOOST_TEST((status.state == migration_status::state_type::pending));
  const fresh_database full;
  for (const auto& status : migration_statuses(full.url())) {
    BOOST_TEST((status.state == migration_status::state_type::applied));
    BOOST_TEST(status.checksum.size() == 64u);
    BOOST_TEST((status.applied_at > timestamp{}));
  }
}

BOOST_AUTO_TEST_CASE(rows_of_earlier_versions_have_started_when_they_were_accepted) {
  const fresh_database database;
  execute(database.url(), R"(
    delete from levain_migrations where number = 15;
    insert into orchestration_runs
      (run_number, tenant_id, workflow, created_at, started_at, completed_at, duration_seconds, updated_at)
    values
      ('WAITED', gen_random_uuid(), 'w', '2026-07-01 02:00', '2026-07-01 02:01', '2026-07-01 02:02:30.9', 90, '2026-07-02'),
      ('WAITS', gen_random_uuid(), 'w', '2026-07-01 02:00', '2026-07-01 02:01', null, null, '2026-07-02'),
      ('ENDLESS', gen_random_uuid(), 'w', '2026-07-01 02:00', '2026-07-01 02:01', 'infinity', 90, '2026-07-02'),
      ('ADOPTED', gen_random_uuid(), null, '2026-07-01 02:00', '2026-07-01 02:01', '2026-07-01 02:02', 60, '2026-07-02');
    alter table orchestration_runs drop constraint quality_score_is_0_to_100;
    insert into orchestration_runs (run_number, tenant_id, workflow, created_at, started_at, quality_score)
    values ('EDITED', gen_random_uuid(), 'w', '2026-07-01 02:00', '2026-07-01 02:01', 101);
    alter table orchestration_runs
      add constraint quality_score_is_0_to_100 check (quality_score between 0 and 100) not valid)");
  migrate_up(database.url());
  const auto row = [&](const std::string& number) {
    return value(
      database.url(), "select concat_ws(' ', started_at::time, duration_seconds, updated_at::date) from "
                      "orchestration_runs where run_number = '" +
                        number + '\'');
  };
  BOOST_TEST(row("WAITED") == "02:00:00 150 2026-07-02");
  BOOST_TEST(row("WAITS") == "02:00:00 2026-07-02");
  BOOST_TEST(row("ENDLESS") == "02:00:00 90 2026-07-02");
  BOOST_TEST(row("ADOPTED") == "02:01:00 60 2026-07-02");
  BOOST_TEST(row("EDITED").starts_with("02:01:00 "));
}

BOOST_AUTO_TEST_CASE(another_schema_of_the_search_path_serves_as_well) {
  const fresh_database database(nothing);
  execute(database.url(), "create schema bakery");
  execute(
    database.url(),
    "do $$ begin execute format('alter database %I set search_path = bakery', current_database()); end $$");
  migrate_up(database.url());
  BOOST_TEST(value(database.url(), "select to_regclass('bakery.run_events') is not null") == "t");
  BOOST_TEST(verify_schema(database.url()).empty());
}

BOOST_AUTO_TEST_CASE(verify_names_every_difference) {
  const fresh_database database;
  execute(
    database.url(), "drop index ix_orchestration_runs_trigger; alter table run_starts alter fingerprint drop not null; "
                    "alter table orchestration_runs add column forced integer not null");
  const auto differences = verify_schema(database.url());
  BOOST_TEST_REQUIRE(differences.size() == 3u);
  BOOST_TEST(has(differences[0], "column run_starts.fingerprint: is text; it should be text not null"));
  BOOST_TEST(has(differences[1], "index ix_orchestration_runs_trigger: missing"));
  BOOST_TEST(has(differences[2], "column orchestration_runs.forced: unknown to this program"));
}

BOOST_AUTO_TEST_CASE(who_holds_the_lock_of_the_schema_is_named) {
  for (const auto contents : {nothing, fresh_database::contents::migrated}) {
    const fresh_database database(contents);
    pqxx::connection holder(database.url() + "&application_name=a%20slow%20one");
    pqxx::work holding(holder);
    lock_schema(holding);
    connection_options options;
    options.url = database.url();
    options.lock_timeout = std::chrono::milliseconds(50);
    const auto other = open_connection(options);
    pqxx::work waiting(*other);
    BOOST_CHECK_EXCEPTION(lock_schema(waiting), migration_error, [&](const migration_error& error) {
      return has(error.what(), "process " + std::to_string(holder.backendpid())) &&
             has(error.what(), "application 'a slow one'");
    });
  }
}

BOOST_AUTO_TEST_CASE(nothing_of_a_migration_outlives_it_in_a_session) {
  const fresh_database database(nothing);
  in_schema_session(database.url(), schema_lock_timeout, [](pqxx::connection& connection) {
    pqxx::work transaction(connection);
    lock_schema(transaction);
    transaction.commit();
    pqxx::nontransaction after(connection);
    BOOST_TEST(after.exec("select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()").empty());
  });
}

BOOST_AUTO_TEST_CASE(a_stranger_who_may_only_connect_holds_up_no_join_and_no_upkeep) {
  const fresh_database database;
  pqxx::connection stranger(database.url());
  pqxx::nontransaction holding(stranger);
  holding.exec("select pg_advisory_lock(x'6c657661696e'::bigint), pg_advisory_lock(x'6a6f696e'::bigint)");
  postgres_leases nodes{{.url = database.url(), .statement_timeout = std::chrono::milliseconds(2'000)}};
  node_record node;
  node.id.bytes[0] = 1;
  node.name = "here";
  BOOST_CHECK_NO_THROW(nodes.join(node, std::chrono::hours(1)));
  BOOST_TEST(!ensure_partitions(database.url(), now_utc(), partitions_ahead_max).empty());
}

BOOST_AUTO_TEST_CASE(a_database_out_of_reach_is_said_to_be) {
  BOOST_CHECK_THROW(migrate_up("postgresql:///x?host=/nowhere/at/all"), journal_unavailable);
}

BOOST_AUTO_TEST_SUITE_END()
