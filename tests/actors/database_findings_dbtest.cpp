// Every finding about a database is provoked once, on a real one.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <memory>

#include <pqxx/pqxx>

#include "actors/database_findings.hpp"
#include "actors/journal_order.hpp"
#include "persistence/database_health_statements.hpp"
#include "persistence/embedded_postgres.hpp"
#include "persistence/journal.hpp"
#include "persistence/postgres_leases.hpp"
#include "tests/support/database.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

BOOST_TEST_DONT_PRINT_LOG_VALUE(levain::finding_level)

namespace {

/// A database with a living node that owns everything: nothing to complain of but what the test server is.
struct examined {
  examined() {
    node.id = make_uuid_v7(now_utc(), {1, 2});
    node.name = "bread";
    node.version = "9.9.9";
    owner.join(node, 1h);
    owner.take(node.id, shard_count, true);
  }

  void execute(const std::string& statement) {
    pqxx::connection connection(database.url());
    pqxx::nontransaction transaction(connection);
    transaction.exec(statement);
  }

  /// The row that an engine would write of such a run.
  void
  run(const std::string& number, const std::string& status, const std::string& age, const std::string& more = "null") {
    execute(
      "insert into orchestration_runs (id, run_number, tenant_id, status, started_at, workflow, attention) values "
      "(gen_random_uuid(), '" +
      number + "', gen_random_uuid(), '" + status + "', (now() - interval '" + age +
      "') at time zone 'UTC', 'night', " + more + ")");
  }

  finding look(const std::string& name) {
    const auto health = read_database_health(database.url());
    return named(database_findings(health), name);
  }

  static finding named(const std::vector<finding>& all, const std::string& name) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const finding& each) { return each.name == name; });
    BOOST_REQUIRE_MESSAGE(found != all.end(), "no finding is named " << name);
    BOOST_TEST((found->level == finding_level::ok) == found->right.empty());
    BOOST_TEST((found->level == finding_level::ok) == found->advice.empty());
    return *found;
  }

  /// That it is as it should be now.
  void is_good(const std::string& name) {
    const auto found = look(name);
    BOOST_TEST(found.level == finding_level::ok, name << " is " << found.value);
  }
  /// That it is found, and that its value has these words.
  void is_found(const std::string& name, finding_level level, const std::string& words) {
    const auto found = look(name);
    BOOST_TEST(found.level == level, name << " is " << to_string(found.level) << ": " << found.value);
    BOOST_TEST(found.value.find(words) != std::string::npos, name << " is " << found.value);
  }

  fresh_database database;
  postgres_leases owner{{.url = database.url()}};
  node_record node;
};

using level = finding_level;

} // namespace

BOOST_AUTO_TEST_SUITE(database_findings_dbtest)

BOOST_FIXTURE_TEST_CASE(a_healthy_database_has_nothing_to_complain_of, examined) {
  const auto findings = database_findings(read_database_health(database.url()));
  for (const auto& each : findings)
    // The server of the tests is made to be thrown away.
    if (
      each.name != "fsync" && each.name != "full_page_writes" && each.name != "synchronous_commit" &&
      each.name != "autovacuum")
      BOOST_TEST(each.level == level::ok, each.name << ": " << each.value);
  BOOST_TEST(findings.size() == 29U);
}

// ---- the server -------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(a_server_that_does_not_sync_is_critical, examined) {
  is_found("fsync", level::critical, "off");
  is_found("full_page_writes", level::critical, "off");
}

BOOST_AUTO_TEST_CASE(a_private_server_keeps_every_promise) {
  const temporary_folder folder;
  const auto server = embedded_postgres::start({.directory = folder / "database"});
  const auto health = read_database_health(server->url());
  const auto findings = database_findings(health);
  for (const auto* promise : {"server", "fsync", "full_page_writes", "synchronous_commit", "autovacuum"})
    BOOST_TEST(examined::named(findings, promise).level == level::ok, promise);
  // Nobody migrated it: what can be said is said all the same.
  const auto schema = examined::named(findings, "schema");
  BOOST_TEST(schema.level == level::critical);
  BOOST_TEST(schema.value.find("not applied: 001_initial_schema") != std::string::npos, schema.value);
  BOOST_TEST(schema.advice == "levain migrate up");
}

BOOST_FIXTURE_TEST_CASE(sessions_that_do_not_wait_for_the_disk_are_noticed, examined) {
  execute("do $$ begin execute format('alter database %I set synchronous_commit = off', current_database()); end $$");
  is_found("synchronous_commit", level::notice, "off");
  execute("do $$ begin execute format('alter database %I set synchronous_commit = local', current_database()); end $$");
  is_good("synchronous_commit");
}

BOOST_FIXTURE_TEST_CASE(connections_are_counted_by_application, examined) {
  const pqxx::connection other(database.url() + "&application_name=a%20guest");
  const auto found = look("connections");
  BOOST_TEST(found.value.find("1 a guest") != std::string::npos, found.value);
  BOOST_TEST(found.value.find("1 levain doctor") != std::string::npos, found.value);
}

BOOST_AUTO_TEST_CASE(connections_that_run_out_are_found_before_they_have) {
  database_health health;
  health.connections.connections_max = 100;
  const auto with = [&](int64_t used) {
    health.connections.connections_used = used;
    return examined::named(database_findings(health), "connections").level;
  };
  BOOST_TEST(with(79) == level::ok);
  BOOST_TEST(with(80) == level::warning);
  BOOST_TEST(with(95) == level::critical);
}

BOOST_AUTO_TEST_CASE(a_standby_and_transaction_ids_that_run_out_are_found) {
  database_health health;
  health.server.in_recovery = true;
  BOOST_TEST(examined::named(database_findings(health), "server").level == level::critical);
  const auto with = [&](int64_t used) {
    health.server.transaction_ids_used = used;
    return examined::named(database_findings(health), "transaction_ids").level;
  };
  BOOST_TEST(with(transaction_ids_warning - 1) == level::ok);
  BOOST_TEST(with(transaction_ids_warning) == level::warning);
  BOOST_TEST(with(transaction_ids_critical) == level::critical);
  health.server.autovacuum = false;
  BOOST_TEST(examined::named(database_findings(health), "autovacuum").level == level::warning);
}

BOOST_AUTO_TEST_CASE(a_clock_is_judged_beyond_what_the_question_took) {
  const timestamp noon = *parse_timestamp("2026-11-23T12:00:00Z");
  const auto at = [&](duration difference, duration round_trip = 0s) {
    return clock_finding({noon + difference, noon, round_trip}, finding_subject::node);
  };
  BOOST_TEST(at(999ms).level == level::ok);
  BOOST_TEST(at(1s).level == level::warning);
  BOOST_TEST(at(-1s).level == level::warning);
  BOOST_TEST(at(-1s).value == "1.0 s behind the database's, give or take 0 us");
  BOOST_TEST(at(clock_difference_max).level == level::warning);
  BOOST_TEST(at(clock_difference_max + 1us).level == level::critical);
  BOOST_TEST(at(1500ms, 2s).level == level::ok);
}

BOOST_FIXTURE_TEST_CASE(the_clock_of_whoever_asks_is_compared_with_the_databases, examined) {
  const auto sound = read_database_health(database.url());
  BOOST_TEST(clock_finding(sound.clock, finding_subject::node).level == level::ok);
  const auto fast = read_database_health(database.url(), "levain doctor", [] { return now_utc() + 1min; });
  const auto found = clock_finding(fast.clock, finding_subject::node);
  BOOST_TEST(found.level == level::critical);
  BOOST_TEST(found.value.find("1 min 0 s ahead of the database's") != std::string::npos, found.value);
}

// ---- the schema -------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(a_migration_that_is_missing_or_strange_is_critical, examined) {
  is_good("schema");
  execute("update levain_migrations set checksum = 'x' where number = 3");
  is_found("schema", level::critical, "edited, or unknown to this program: 003_journal");
  execute("delete from levain_migrations where number = 3");
  is_found("schema", level::critical, "not applied: 003_journal");
}

BOOST_FIXTURE_TEST_CASE(a_table_that_a_crash_would_empty_is_critical, examined) {
  is_good("unlogged_tables");
  execute("alter table run_starts set unlogged");
  is_found("unlogged_tables", level::critical, "run_starts");
}

BOOST_FIXTURE_TEST_CASE(a_schema_in_which_everybody_may_create_is_found_with_the_revoke_to_type, examined) {
  execute("grant create on schema public to public");
  const auto found = look("schema_rights");
  BOOST_TEST((found.level == finding_level::warning));
  BOOST_TEST(found.advice == "revoke create on schema public from public");
}

BOOST_FIXTURE_TEST_CASE(definitions_that_cannot_be_read_are_named, examined) {
  execute("insert into workflow_definitions (name, version, content_hash, body, registered_at) values "
          "('bread', 3, repeat('a', 64), '{}', 'infinity'), ('rolls', 1, repeat('b', 64), '{}', now())");
  const auto found = look("unreadable_definitions");
  BOOST_TEST((found.level == finding_level::critical));
  BOOST_TEST(found.value == "bread 3");
}

BOOST_FIXTURE_TEST_CASE(an_index_that_is_not_valid_is_found, examined) {
  is_good("invalid_indexes");
  run("A", "completed", "1 hour");
  run("B", "completed", "1 hour");
  // Building it fails on the doubles and leaves it behind, as it does in life.
  BOOST_CHECK_THROW(
    execute("create unique index concurrently one_hour on orchestration_runs (status)"), pqxx::unique_violation);
  is_found("invalid_indexes", level::warning, "one_hour");
}

// ---- what holds vacuum back -------------------------------------------------

BOOST_FIXTURE_TEST_CASE(an_open_transaction_is_seen, examined) {
  is_good("open_transactions");
  pqxx::connection guest(database.url() + "&application_name=guest");
  const pqxx::work open(guest);
  const auto health = read_database_health(database.url());
  BOOST_TEST_REQUIRE(health.open_transactions.size() == 1U);
  BOOST_TEST(health.open_transactions[0].application == "guest");
  BOOST_TEST(health.open_transactions[0].state == "idle in transaction");
}

BOOST_AUTO_TEST_CASE(an_old_transaction_is_found) {
  database_health health;
  const auto with = [&](duration age) {
    health.open_transactions = {{"session 17", "guest", "idle in transaction", age}};
    return examined::named(database_findings(health), "open_transactions");
  };
  BOOST_TEST(with(open_transaction_notice - 1us).level == level::ok);
  BOOST_TEST(with(open_transaction_notice).level == level::notice);
  BOOST_TEST(with(open_transaction_warning).level == level::warning);
  BOOST_TEST(with(2h).value == "session 17 (guest, idle in transaction) is open for 2 h 0 min", with(2h).value);
}

BOOST_FIXTURE_TEST_CASE(a_slot_that_nobody_uses_is_found, examined) {
  is_good("replication_slots");
  const std::string slot = "levain_test_" + std::to_string(::getpid());
  execute("select pg_create_physical_replication_slot('" + slot + "', true)");
  is_found("replication_slots", level::warning, slot + " (inactive, keeps ");
  execute("select pg_drop_replication_slot('" + slot + "')");
  is_good("replication_slots");
}

// ---- runs -------------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(runs_are_counted_by_status, examined) {
  run("A", "pending", "1 minute");
  run("B", "running", "1 minute");
  run("C", "running", "2 minutes");
  execute(
    "insert into orchestration_runs (run_number, tenant_id, status) values ('OLD', gen_random_uuid(), 'running')");
  for (int i = 0; i < 5; ++i)
    run("D" + std::to_string(i), "completed", "1 hour");
  BOOST_TEST(look("runs").value == "1 pending, 2 running");
  execute("analyze orchestration_runs");
  BOOST_TEST(look("runs").value == "1 pending, 2 running, about 5 completed");
}

BOOST_FIXTURE_TEST_CASE(a_run_that_waits_long_is_found, examined) {
  run("A", "pending", "9 minutes");
  is_good("oldest_pending");
  run("B", "pending", "11 minutes");
  is_found("oldest_pending", level::warning, "B, since 11 min");
}

BOOST_FIXTURE_TEST_CASE(a_run_that_goes_on_for_days_is_noticed, examined) {
  run("A", "running", "23 hours");
  is_good("oldest_running");
  run("B", "running", "30 hours");
  is_found("oldest_running", level::notice, "B, since 1 d 6 h");
}

BOOST_FIXTURE_TEST_CASE(runs_that_need_a_person_are_named, examined) {
  is_good("attention");
  for (int i = 1; i <= 7; ++i)
    run("A" + std::to_string(i), "failed", std::to_string(i) + " hours", "'the compensation of step bake failed'");
  is_found("attention", level::warning, "7 need a person. A1: the compensation of step bake failed; A2");
  is_found("attention", level::warning, "; and 2 more");
}

BOOST_FIXTURE_TEST_CASE(runs_that_nobody_acts_for_are_critical, examined) {
  is_good("stopped_runs");
  run("A", "running", "1 hour");
  execute("insert into stopped_runs (run_id, kind, reason) select id, 'journal_damaged', 'event 3 is missing' "
          "from orchestration_runs");
  execute("insert into stopped_runs (run_id, kind, reason) values (gen_random_uuid(), 'stuck', 'again')");
  is_found("stopped_runs", level::critical, "1 journal_damaged, 1 stuck. ");
  is_found("stopped_runs", level::critical, "A: journal_damaged: event 3 is missing");
}

// ---- nodes ------------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(nodes_and_shards_without_a_living_owner_are_critical, examined) {
  is_found("nodes", level::ok, "bread 9.9.9 (64 shards, heartbeat ");
  is_good("shards");
  execute("update nodes set heartbeat_at = heartbeat_at - interval '2 hours'");
  is_found("nodes", level::critical, "none alive; dead: bread");
  is_found("shards", level::critical, "64 without an owner: 0 free, 64 of dead nodes");
  execute("delete from nodes; update shards set node = null where shard < 10");
  is_found("nodes", level::critical, "none");
  is_found("shards", level::critical, "64 without an owner: 10 free, 54 of dead nodes");
}

BOOST_FIXTURE_TEST_CASE(a_dead_node_beside_a_living_one_is_noticed, examined) {
  execute("insert into nodes (id, name, address, version, lease, heartbeat_at) values "
          "(gen_random_uuid(), 'stale', '', '1', '5 s', now() - interval '1 minute')");
  is_found("dead_nodes", level::notice, "stale 1 (0 shards, heartbeat 1 min");
}

// ---- tables -----------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(dead_rows_that_vacuum_does_not_reach_are_found, examined) {
  execute("alter table run_starts set (autovacuum_enabled = off)");
  execute("insert into run_starts select gen_random_uuid(), n::text, gen_random_uuid(), '' "
          "from generate_series(1, 12000) n");
  is_good("dead_rows");
  execute("update run_starts set fingerprint = 'x'");
  is_found("dead_rows", level::warning, "run_starts has 12000 dead rows beside 12000 (never vacuumed)");
  is_found("statistics", level::notice, "run_starts (12000 rows)");
  execute("vacuum analyze run_starts");
  is_good("dead_rows");
  is_good("statistics");
}

BOOST_FIXTURE_TEST_CASE(partitions_that_end_soon_are_found, examined) {
  is_good("partitions_ahead");
  is_good("default_partition");
  // Those of the weeks to come, but not this one's.
  execute(R"(do $$
    declare name text;
    begin
      for name in
        select relname from pg_class where relname ~ '^run_events_[0-9]{8}$' and relkind = 'r'
          and to_date(right(relname, 8), 'YYYYMMDD') > now() at time zone 'UTC'
      loop
        execute format('drop table %I', name);
      end loop;
    end $$)");
  is_found("partitions_ahead", level::warning, " days, until ");
  is_found("partitions", level::ok, "1 partitions, the oldest from ");
  execute(R"(do $$
    declare name text;
    begin
      for name in select relname from pg_class where relname ~ '^run_events_[0-9]{8}$' and relkind = 'r' loop
        execute format('drop table %I', name);
      end loop;
    end $$)");
  is_found("partitions_ahead", level::warning, "none, not even for now");
  execute("insert into run_events (run_id, seq, at, kind) values (gen_random_uuid(), 1, now(), 'run_accepted')");
  is_found("default_partition", level::notice, "holds events");
}

BOOST_AUTO_TEST_CASE(a_gap_between_partitions_ends_what_is_covered) {
  database_health health;
  health.has_schema = true;
  health.server.now = *parse_timestamp("2026-11-23T12:00:00Z");
  const auto with = [&](int64_t count, duration ahead) {
    health.partitions.count = count;
    health.partitions.covered_until = health.server.now + ahead;
    return database_findings(health);
  };
  BOOST_TEST(examined::named(with(9, partitions_ahead_warning), "partitions_ahead").level == level::ok);
  BOOST_TEST(examined::named(with(9, partitions_ahead_warning - 1us), "partitions_ahead").level == level::warning);
  BOOST_TEST(examined::named(with(partitions_notice - 1, 60 * 24h), "partitions").level == level::ok);
  BOOST_TEST(examined::named(with(partitions_notice, 60 * 24h), "partitions").level == level::notice);
}

BOOST_FIXTURE_TEST_CASE(a_gap_in_the_weeks_is_the_end_of_what_is_covered, examined) {
  execute(R"(do $$
    declare name text;
    begin
      select relname into name from pg_class
      where relname ~ '^run_events_[0-9]{8}$' and relkind = 'r'
        and to_date(right(relname, 8), 'YYYYMMDD') > (now() at time zone 'UTC')::date
      order by relname limit 1;
      execute format('drop table %I', name);
    end $$)");
  is_found("partitions_ahead", level::warning, " days, until ");
}

// ---- no database ------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_database_out_of_reach_is_unavailable) {
  BOOST_CHECK_THROW(read_database_health("postgresql:///x?host=/nowhere/at/all"), journal_unavailable);
}

BOOST_FIXTURE_TEST_CASE(rights_that_the_role_lacks_are_found_by_table, examined) {
  // A role of the whole server, dropped again with what it was given.
  struct lent_role {
    explicit lent_role(examined& lender)
      : lender_(lender) {
      lender_.execute("drop role if exists levain_reader");
      lender_.execute("create role levain_reader login");
    }
    ~lent_role() {
      lender_.execute("drop owned by levain_reader");
      lender_.execute("drop role levain_reader");
    }
    examined& lender_;
  } role(*this);
  execute("grant usage on schema public to levain_reader");
  execute("grant select, insert, update, delete on all tables in schema public to levain_reader");
  execute("revoke update, delete on nodes from levain_reader");
  pqxx::connection connection(database.url());
  pqxx::work asking(connection);
  asking.exec("set local role levain_reader");
  const auto missing = asking.exec(missing_rights_statement);
  std::vector<std::string> lacking;
  for (const auto& row : missing)
    lacking.emplace_back(row[0].c_str());
  const std::vector<std::string> expected{
    "nodes: update, delete", "orchestration_daily: to own it", "run_events: to own it", "schema public: create"};
  BOOST_TEST(lacking == expected, boost::test_tools::per_element());
  asking.abort();
  auto health = read_database_health(database.url());
  BOOST_TEST(health.rights_missing.empty());
  health.role = "levain_reader";
  health.rights_missing = {"nodes: update, delete"};
  const auto found = named(database_findings(health), "role_rights");
  BOOST_TEST(found.level == level::warning);
  BOOST_TEST(found.value == "the role levain_reader lacks nodes: update, delete");
}

BOOST_FIXTURE_TEST_CASE(times_that_lie_ahead_are_found, examined) {
  is_good("times_ahead");
  run("ORCH-ahead", "completed", "-1 hour");
  is_found("times_ahead", level::warning, "1 started or ended in the future");
}

BOOST_FIXTURE_TEST_CASE(open_runs_of_another_program_are_noticed, examined) {
  is_good("adopted_runs");
  execute(
    "insert into orchestration_runs (run_number, tenant_id, status) values ('OLD', gen_random_uuid(), 'running')");
  is_found("adopted_runs", level::notice, "1 of another program");
  BOOST_TEST(look("adopted_runs").advice.find("levain migrate close-adopted") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
