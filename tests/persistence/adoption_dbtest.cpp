#include <boost/test/unit_test.hpp>

#include <pqxx/pqxx>

#include "persistence/adoption_notice.hpp"
#include "persistence/migrations.hpp"
#include "persistence/migrator.hpp"
#include "persistence/schema_locks.hpp"
#include "tests/support/database.hpp"
#include "tests/support/has.hpp"

using namespace levain;
using levain::test::fresh_database;
using levain::test::has;

namespace {

constexpr const char* drop_second_fragment = R"(
  alter table orchestration_runs
    drop column ai_insights_started_at,
    drop column ai_insights_completed_at,
    drop column ai_insights_status,
    drop column ai_insights_error,
    drop column ai_insights_generated,
    drop column ai_insights_posted)";

constexpr const char* fill = R"(
  insert into orchestration_runs (run_number, tenant_id, status, forecasts_generated, run_metadata)
  select 'OLD-' || n, gen_random_uuid(), 'completed', n, '{"from": "before"}'
  from generate_series(1, 100) n)";

constexpr const char* digest_of_rows = R"(
  select md5(string_agg(concat_ws('|', id, run_number, tenant_id, status, forecasts_generated, run_metadata, updated_at), ',' order by id))
  from orchestration_runs)";

/// A bakery's database as the older migrations left it: our first file without our record of it, and theirs.
class old_database {
public:
  explicit old_database(bool both_fragments) {
    execute(std::string(embedded_migrations().front().sql));
    if (!both_fragments)
      execute(drop_second_fragment);
    execute("create table alembic_version (version_num varchar(32) primary key)");
    execute(fill);
  }

  void execute(const std::string& statement) const {
    pqxx::connection connection(url());
    pqxx::work transaction(connection);
    transaction.exec(statement);
    transaction.commit();
  }

  std::string value(const std::string& query) const {
    pqxx::connection connection(url());
    pqxx::work transaction(connection);
    return transaction.exec1(query)[0].c_str();
  }

  const std::string& url() const { return database_.url(); }

private:
  fresh_database database_{fresh_database::contents::nothing};
};

std::string refusal(const old_database& database) {
  try {
    migrate_up(database.url());
  } catch (const migration_error& error) {
    return error.what();
  }
  return "not refused";
}

} // namespace

BOOST_AUTO_TEST_SUITE(adoption_dbtest)

BOOST_AUTO_TEST_CASE(a_complete_table_is_taken_as_it_is) {
  const old_database database(true);
  const auto before = database.value(digest_of_rows);
  const auto report = migrate_up(database.url());
  BOOST_TEST(report.done[0] == "adopted 001_initial_schema: orchestration_runs was there and complete");
  BOOST_TEST(report.done[1] == "applied 002_updated_at");
  BOOST_TEST(database.value(digest_of_rows) == before);
  BOOST_TEST((migration_statuses(database.url())[0].state == migration_status::state_type::adopted));
  BOOST_TEST(verify_schema(database.url()).empty());
  BOOST_TEST(migrate_up(database.url()).up_to_date);
}

BOOST_AUTO_TEST_CASE(the_first_fragment_is_completed_by_exactly_the_missing_columns) {
  const old_database database(false);
  const auto before = database.value(digest_of_rows);
  const auto report = migrate_up(database.url());
  BOOST_TEST(
    report.done[0] ==
    "adopted 001_initial_schema: orchestration_runs was there without the ai_insights columns, which were added");
  BOOST_TEST(database.value(digest_of_rows) == before);
  BOOST_TEST(database.value("select count(*) from orchestration_runs where ai_insights_posted = 0") == "100");
  BOOST_TEST(verify_schema(database.url()).empty());
}

BOOST_AUTO_TEST_CASE(anything_else_is_refused_with_every_difference) {
  const old_database database(true);
  database.execute(R"(
    alter table orchestration_runs drop column quality_score;
    alter table orchestration_runs alter retry_count type bigint;
    alter table orchestration_runs alter run_type drop default;
    alter table orchestration_runs alter tenant_id drop not null;
    alter table orchestration_runs add column cost_center text not null default 'x';
    alter table orchestration_runs alter cost_center drop default;
    alter table orchestration_runs add constraint rate_is_small check (fulfillment_rate < 50);
    drop index ix_orchestration_runs_tenant_status;
    alter type orchestrationstatus add value 'paused')");
  const auto before = database.value(digest_of_rows);
  const auto reason = refusal(database);
  BOOST_TEST_MESSAGE(reason);
  BOOST_TEST(has(reason, "column orchestration_runs.quality_score: missing"));
  BOOST_TEST(has(reason, "index ix_orchestration_runs_quality_score: missing"));
  BOOST_TEST(has(reason, "column orchestration_runs.retry_count: is bigint not null default 0"));
  BOOST_TEST(has(reason, "column orchestration_runs.run_type: is character varying(50) not null; it should be"));
  BOOST_TEST(has(reason, "column orchestration_runs.tenant_id: is uuid; it should be uuid not null"));
  BOOST_TEST(has(reason, "column orchestration_runs.cost_center: unknown"));
  BOOST_TEST(has(reason, "constraint orchestration_runs.rate_is_small: unknown"));
  BOOST_TEST(has(reason, "index ix_orchestration_runs_tenant_status: missing"));
  BOOST_TEST(has(reason, "type orchestrationstatus: is enum ("));
  const auto differences = reason.substr(0, reason.find("\nSQL that mends them"));
  BOOST_TEST(std::count(differences.begin(), differences.end(), '\n') == 9);
  BOOST_TEST(database.value(digest_of_rows) == before);
  BOOST_TEST(
    database.value("select to_regclass('levain_migrations') is null and to_regclass('run_events') is null") == "t");
}

BOOST_AUTO_TEST_CASE(half_of_the_second_fragment_is_refused) {
  const old_database database(true);
  database.execute("alter table orchestration_runs drop column ai_insights_posted");
  const auto reason = refusal(database);
  BOOST_TEST(has(reason, "column orchestration_runs.ai_insights_posted: missing"));
}

BOOST_AUTO_TEST_CASE(times_with_a_time_zone_and_harmless_additions_are_accepted) {
  const old_database database(true);
  database.execute(R"(
    alter table orchestration_runs alter started_at type timestamptz;
    alter table orchestration_runs alter created_at set default current_timestamp;
    alter table orchestration_runs add column remark text;
    alter table orchestration_runs add constraint run_number_once unique (run_number);
    create index mine on orchestration_runs (remark))");
  migrate_up(database.url());
  BOOST_TEST(verify_schema(database.url()).empty());
}

BOOST_AUTO_TEST_CASE(a_dry_run_of_an_adoption_changes_nothing) {
  const old_database database(false);
  const auto report = migrate_up(database.url(), true);
  BOOST_TEST(has(report.done[0], "would adopt 001_initial_schema"));
  BOOST_TEST(database.value("select to_regclass('levain_migrations') is null") == "t");
  BOOST_TEST(
    database.value("select count(*) from pg_attribute where attrelid = 'orchestration_runs'::regclass and attname like "
                   "'ai_insights%'") == "0");
}

BOOST_AUTO_TEST_CASE(an_adoption_that_cannot_be_finished_changes_nothing) {
  for (const std::string obstacle :
       {"create table nodes (mine text)", "create table shards (mine text)",
        "alter table orchestration_runs add column workflow varchar(10)"}) {
    const old_database database(false);
    database.execute(obstacle);
    const auto reason = refusal(database);
    BOOST_TEST(has(reason, "another program's object has that name"), reason);
    BOOST_TEST(
      database.value("select to_regclass('levain_migrations') is null and to_regclass('run_events') is null") == "t");
    BOOST_TEST(
      database.value("select count(*) from pg_attribute where attrelid = 'orchestration_runs'::regclass and attname "
                     "like 'ai_insights%'") == "0");
  }
}

BOOST_AUTO_TEST_CASE(a_table_without_defaults_gets_them) {
  for (const bool both_fragments : {true, false}) {
    const old_database database(both_fragments);
    for (const std::string column :
         {"id", "status", "run_type", "priority", "started_at", "forecasts_generated", "production_batches_created",
          "procurement_plans_created", "purchase_orders_created", "notifications_sent", "retry_count",
          "max_retries_reached", "saga_steps_total", "saga_steps_completed", "created_at", "updated_at"})
      database.execute("alter table orchestration_runs alter column " + column + " drop default");
    const auto before = database.value(digest_of_rows);
    const auto report = migrate_up(database.url());
    BOOST_TEST(has(report.done[0], "without 16 defaults, which were added"), report.done[0]);
    BOOST_TEST(database.value(digest_of_rows) == before);
    BOOST_TEST(verify_schema(database.url()).empty());
  }
}

BOOST_AUTO_TEST_CASE(a_refusal_has_the_sql_that_mends_it) {
  const old_database database(true);
  database.execute(R"(
    alter table orchestration_runs drop column error_details;
    alter table orchestration_runs alter retry_count type bigint;
    alter table orchestration_runs alter tenant_id drop not null;
    drop index ix_orchestration_runs_tenant_status)");
  const auto reason = refusal(database);
  BOOST_TEST(has(reason, "alter table orchestration_runs add column error_details jsonb;"), reason);
  BOOST_TEST(has(reason, "alter table orchestration_runs alter column retry_count type integer;"), reason);
  BOOST_TEST(has(reason, "alter table orchestration_runs alter column tenant_id set not null;"), reason);
  BOOST_TEST(has(reason, "CREATE INDEX ix_orchestration_runs_tenant_status ON"), reason);
}

BOOST_AUTO_TEST_CASE(the_sql_of_a_refusal_mends_the_table_also_from_a_dry_run) {
  const old_database database(true);
  database.execute(R"(
    alter table orchestration_runs drop column error_details;
    alter table orchestration_runs alter retry_count type bigint;
    alter table orchestration_runs alter tenant_id drop not null;
    drop index ix_orchestration_runs_tenant_status)");
  std::string told;
  try {
    migrate_up(database.url(), true);
  } catch (const migration_error& error) {
    told = error.what();
  }
  BOOST_TEST(told == refusal(database));
  const std::string lead = "SQL that mends them, to be read before it is run:\n";
  const auto begin = told.find(lead);
  BOOST_TEST_REQUIRE(begin != std::string::npos, told);
  BOOST_TEST(has(told.substr(begin), "alter table"), told);
  database.execute(told.substr(begin + lead.size()));
  BOOST_TEST(has(migrate_up(database.url()).done[0], "adopted 001_initial_schema"));
  BOOST_TEST(verify_schema(database.url()).empty());
}

BOOST_AUTO_TEST_CASE(a_role_that_does_not_own_the_table_adopts_nothing) {
  const old_database database(true);
  database.execute(R"(
    do $$ begin
      if not exists (select from pg_roles where rolname = 'levain_guest') then
        create role levain_guest login;
      end if;
      execute format('grant create on database %I to levain_guest', current_database());
    end $$;
    grant all on all tables in schema public to levain_guest;
    grant all on schema public to levain_guest)");
  auto url = database.url();
  const std::string owner = "levain@";
  BOOST_TEST_REQUIRE(url.find(owner) != std::string::npos, url);
  url.replace(url.find(owner), owner.size(), "levain_guest@");
  for (const bool dry_run : {true, false})
    try {
      migrate_up(url, dry_run);
      BOOST_TEST(dry_run, "adopted");
    } catch (const migration_error& error) {
      BOOST_TEST(has(error.what(), "orchestration_runs"), error.what());
    }
  BOOST_TEST(
    database.value("select to_regclass('levain_migrations') is null and to_regclass('run_events') is null") == "t");
  database.execute("drop owned by levain_guest; drop role levain_guest");
}

BOOST_AUTO_TEST_CASE(a_table_in_another_schema_of_the_search_path_is_refused_by_name) {
  const old_database database(true);
  database.execute("create schema bakery; alter table orchestration_runs set schema bakery");
  database.execute(
    "do $$ begin execute format('alter database %I set search_path = public, bakery', current_database()); end $$");
  auto reason = refusal(database);
  BOOST_TEST(has(reason, "this database has bakery.orchestration_runs"), reason);
  BOOST_TEST(has(reason, "makes new tables in schema public"), reason);
  database.execute("create table public.orchestration_runs (id uuid)");
  reason = refusal(database);
  BOOST_TEST(has(reason, "public.orchestration_runs and bakery.orchestration_runs"), reason);
  BOOST_TEST(database.value("select to_regclass('levain_migrations') is null") == "t");
}

BOOST_AUTO_TEST_CASE(before_it_is_adopted_a_database_is_said_to_be_adoptable_in_one_sentence) {
  const old_database database(true);
  const auto differences = verify_schema(database.url());
  BOOST_TEST_REQUIRE(differences.size() == 1U);
  BOOST_TEST(has(differences[0], "levain migrate up adopts it"), differences[0]);
  BOOST_TEST(has(adoption_notice(database.url()), "levain migrate up adopts it"));
  migrate_up(database.url());
  BOOST_TEST(adoption_notice(database.url()).empty());
  const fresh_database nothing(fresh_database::contents::nothing);
  BOOST_TEST(adoption_notice(nothing.url()).empty());
  BOOST_TEST(verify_schema(nothing.url()).size() == 1U);
}

BOOST_AUTO_TEST_CASE(who_holds_the_table_is_named_and_others_go_on_meanwhile) {
  const old_database database(true);
  pqxx::connection idle(database.url() + "&application_name=the%20old%20one");
  pqxx::work holding(idle);
  holding.exec("select count(*) from orchestration_runs");
  pqxx::connection connection(database.url());
  const lock_patience briefly{std::chrono::milliseconds(10), std::chrono::milliseconds(0), 2};
  const auto change = [&] {
    change_schema(connection, "orchestration_runs", briefly, [](pqxx::transaction_base& transaction) {
      transaction.exec("alter table orchestration_runs add column note text");
    });
  };
  BOOST_CHECK_EXCEPTION(change(), migration_error, [](const migration_error& error) {
    return has(error.what(), "(the old one, user ") && has(error.what(), "idle in transaction") &&
           has(error.what(), "nothing was changed");
  });
  holding.abort();
  change();
  BOOST_TEST(database.value("select count(note) from orchestration_runs") == "0");
}

BOOST_AUTO_TEST_CASE(an_empty_database_has_nothing_to_adopt) {
  const fresh_database database(fresh_database::contents::nothing);
  BOOST_TEST(migrate_up(database.url()).done.front() == "applied 001_initial_schema");
}

BOOST_AUTO_TEST_SUITE_END()
