// Finds each kind of damage in what PostgreSQL remembers, and none where there is none.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <set>

#include <pqxx/pqxx>

#include "actors/verify.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "persistence/postgres_definition_store.hpp"
#include "persistence/postgres_journal.hpp"
#include "persistence/postgres_leases.hpp"
#include "tests/support/database.hpp"
#include "tests/support/fed_run.hpp"

namespace levain::test {

namespace {

constexpr auto definition = R"({
  "workflow": "night", "version": 1,
  "steps": [
    { "name": "bake", "audit": "production", "call": { "simulate": {} }, "compensate": { "simulate": {} },
      "record": { "forecast_data": "/plan", "fulfillment_rate": "/rate" } },
    { "name": "sell", "audit": "notification", "needs": ["bake"], "call": { "simulate": {} } }
  ]})";

/// A run as the engine remembers it, in a database of its own.
struct remembered_night {
  remembered_night() {
    store.put({workflow->name, workflow->version, workflow->content_hash, workflow->body, night()});
    node_record node;
    node.id = make_uuid_v7(night(), {1, 2});
    node.name = "test";
    owner.join(node, std::chrono::hours(1));
    for (const auto& each : owner.take(node.id, shard_count, true))
      epochs[each.shard] = each.epoch;
  }

  void bake() { run.succeed("bake", R"({"plan": {"rolls": 1.50, "b": [1, 2]}, "rate": 97})"); }
  void complete() {
    bake();
    run.wait(std::chrono::seconds(2));
    run.succeed("sell");
  }
  void fail_and_undo() {
    bake();
    run.fail("sell");
    run.undo("bake");
  }

  /// What happened since the last time, in the journal; in the row too when it is `projected`.
  void write(bool projected = true) {
    run_append append;
    append.run = run.state.plan.run;
    append.epoch = epochs.at(shard_of(append.run));
    for (; written < run.events.size(); ++written)
      append.events.push_back(encode_event(run.events[written], *workflow));
    if (append.events.front().seq == 1)
      append.insert = audit_of(run.state);
    else if (projected)
      append.update = audit_of(run.state);
    const auto answer = book.append({append});
    BOOST_TEST_REQUIRE(answer.reason == "");
    BOOST_REQUIRE(answer.outcomes.at(0) == append_outcome(append_committed{}));
  }

  void execute(const std::string& statement) {
    pqxx::connection connection(database.url());
    pqxx::work transaction(connection);
    transaction.exec(statement);
    transaction.commit();
  }

  /// Without the trigger that makes `updated_at` follow, so that nothing else changes.
  void execute_quietly(const std::string& statement) {
    execute("set local session_replication_role = replica; " + statement);
  }

  verify_report verify(verify_scope scope = {operator_scope{}}) {
    queries remembered({.url = database.url()});
    workflow_cache workflows(
      std::make_unique<postgres_definition_store>(postgres_definition_store_options{.url = database.url()}));
    found.clear();
    verify_listener listener;
    listener.difference = [this](const verify_difference& each) { found.push_back(each); };
    return verify_runs(remembered, workflows, scope, listener);
  }

  std::set<std::string> places() const {
    std::set<std::string> all;
    for (const auto& each : found)
      all.insert(each.place);
    return all;
  }

  workflow_ptr workflow = parse_definition(definition).workflow;
  fresh_database database;
  postgres_definition_store store{{.url = database.url()}};
  postgres_leases owner{{.url = database.url()}};
  postgres_journal book{{.url = database.url()}};
  std::map<shard_number, epoch_number> epochs;
  fed_run run{workflow};
  size_t written = 0;
  std::vector<verify_difference> found;
};

bool mentions(const verify_difference& difference, std::string_view words) {
  return difference.message.find(words) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(verify_dbtest)

BOOST_AUTO_TEST_CASE(a_run_that_ended_equals_its_journal) {
  for (const auto end : {&remembered_night::complete, &remembered_night::fail_and_undo}) {
    remembered_night it;
    (it.*end)();
    it.write();
    const auto report = it.verify();
    BOOST_TEST(report.runs == 1U);
    BOOST_TEST(report.equal == 1U);
    BOOST_TEST(report.different == 0U);
    BOOST_TEST(report.events == it.run.events.size());
  }
}

BOOST_AUTO_TEST_CASE(a_change_of_any_column_is_found) {
  remembered_night it;
  it.complete();
  it.write();
  it.execute("create table saved as select * from orchestration_runs");
  pqxx::connection connection(it.database.url());
  pqxx::nontransaction look(connection);
  const auto columns = look.exec(R"(
    select column_name, udt_name
    from information_schema.columns
    where table_schema = 'public' and table_name = 'orchestration_runs' and column_name <> 'id')");
  BOOST_TEST_REQUIRE(columns.size() >= 56);
  const std::map<std::string, std::string> others{
    {"uuid", "gen_random_uuid()"},
    {"varchar", "'another'"},
    {"text", "'another'"},
    {"orchestrationstatus", "'cancelled'"},
    {"timestamptz", "'2020-01-01 00:00:00Z'"},
    {"timestamp", "'2020-01-01 00:00:00'"},
    {"int4", "42"},
    {"jsonb", R"('{"another": 1}')"},
    {"bool", "true"},
  };
  for (const auto& row : columns) {
    const auto column = row[0].as<std::string>();
    BOOST_TEST_CONTEXT(column) {
      it.execute("update orchestration_runs set " + column + " = " + others.at(row[1].as<std::string>()));
      BOOST_TEST(it.verify().different == 1U);
      BOOST_TEST(it.places().contains(column));
      it.execute("delete from orchestration_runs; insert into orchestration_runs select * from saved");
    }
  }
  BOOST_TEST(it.verify().equal == 1U);
}

BOOST_AUTO_TEST_CASE(a_document_that_is_only_spaced_differently_is_equal) {
  remembered_night it;
  it.complete();
  it.write();
  it.execute_quietly(R"(update orchestration_runs set forecast_data = '{ "rolls" : 1.50 , "b" : [ 1 , 2 ] }')");
  BOOST_TEST(it.verify().equal == 1U);
}

BOOST_AUTO_TEST_CASE(a_hole_in_the_journal_is_found) {
  remembered_night it;
  it.complete();
  it.write();
  it.execute("delete from run_events where seq = 3");
  BOOST_TEST(it.verify().different == 1U);
  BOOST_TEST_REQUIRE(it.found.size() == 1U);
  BOOST_TEST(it.found[0].place == "journal");
  BOOST_TEST(mentions(it.found[0], "4"), it.found[0].message);
}

BOOST_AUTO_TEST_CASE(a_journal_without_its_end_is_found) {
  remembered_night it;
  it.complete();
  it.write();
  it.execute("delete from run_events where kind = 'run_completed'");
  BOOST_TEST(it.verify().different == 1U);
  BOOST_TEST(it.places().contains("status"));
}

BOOST_AUTO_TEST_CASE(a_second_end_is_found) {
  for (const std::string kind : {"run_completed", "run_failed", "run_cancelled", "run_partially_succeeded"}) {
    BOOST_TEST_CONTEXT(kind) {
      remembered_night it;
      it.complete();
      it.write();
      it.execute(
        "insert into run_events (run_id, seq, at, kind, body) select run_id, max(seq) + 1, now(), '" + kind +
        "', '{\"reason\": \"once more\"}' from run_events group by run_id");
      BOOST_TEST(it.verify().different == 1U);
      BOOST_TEST_REQUIRE(it.found.size() == 1U);
      BOOST_TEST(it.found[0].place == "journal");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_run_that_was_retried_may_end_twice) {
  remembered_night it;
  it.fail_and_undo();
  it.write();
  it.run.feed(retry_asked{"somebody"});
  it.complete();
  it.write();
  BOOST_TEST(it.verify().equal == 1U);
}

BOOST_AUTO_TEST_CASE(events_without_a_row_are_found) {
  remembered_night it;
  it.complete();
  it.write();
  it.execute("delete from orchestration_runs");
  const auto report = it.verify();
  BOOST_TEST(report.different == 1U);
  BOOST_TEST_REQUIRE(it.found.size() == 1U);
  BOOST_TEST(it.found[0].place == "row");
  BOOST_TEST(to_string(it.found[0].run) == to_string(it.run.state.plan.run));
}

BOOST_AUTO_TEST_CASE(a_run_that_goes_on_may_be_ahead_of_its_row) {
  remembered_night it;
  it.write();
  it.bake();
  it.write(false);
  const auto report = it.verify();
  BOOST_TEST(report.going_on == 1U);
  BOOST_TEST(report.different == 0U);
}

BOOST_AUTO_TEST_CASE(a_row_of_a_run_that_goes_on_says_nothing_its_journal_never_said) {
  remembered_night it;
  it.write();
  it.bake();
  it.write(false);
  it.execute_quietly("update orchestration_runs set notifications_sent = 5");
  BOOST_TEST(it.verify().different == 1U);
  BOOST_TEST((it.places() == std::set<std::string>{"notifications_sent"}));
}

BOOST_AUTO_TEST_CASE(a_row_may_not_be_behind_the_end_of_its_run) {
  remembered_night it;
  it.write();
  it.complete();
  it.write(false);
  BOOST_TEST(it.verify().different == 1U);
  BOOST_TEST(it.places().contains("status"));
}

BOOST_AUTO_TEST_CASE(rows_of_others_are_counted_and_left_alone) {
  remembered_night it;
  it.complete();
  it.write();
  it.execute("insert into orchestration_runs (id, run_number, tenant_id, status) "
             "values (gen_random_uuid(), 'OLD-1', gen_random_uuid(), 'running')");
  const auto report = it.verify();
  BOOST_TEST(report.runs == 2U);
  BOOST_TEST(report.adopted == 1U);
  BOOST_TEST(report.different == 0U);
}

BOOST_AUTO_TEST_CASE(a_journal_that_is_gone_is_damage_only_while_its_run_goes_on) {
  remembered_night it;
  it.write();
  it.execute("create table saved as select * from run_events; delete from run_events");
  BOOST_TEST(it.verify().different == 1U);
  it.execute("insert into run_events select * from saved");
  it.complete();
  it.write();
  it.execute("delete from run_events");
  BOOST_TEST(it.verify().journal_dropped == 1U);
}

BOOST_AUTO_TEST_CASE(an_event_that_cannot_be_is_found) {
  remembered_night it;
  it.complete();
  it.write();
  it.execute("update run_events set step = 'fry' where step = 'sell'");
  BOOST_TEST(it.verify().different == 1U);
  BOOST_TEST(it.found.at(0).place == "journal");
  BOOST_TEST(mentions(it.found.at(0), "fry"));
}

BOOST_AUTO_TEST_CASE(a_scope_leaves_others_runs_out) {
  remembered_night it;
  it.complete();
  it.write();
  it.execute("update orchestration_runs set retry_count = 9");
  const auto& plan = it.run.state.plan;
  const tenant_id stranger{*uuid::parse("7e000000-0000-4000-8000-000000000002")};
  BOOST_TEST(it.verify({stranger}).runs == 0U);
  BOOST_TEST(it.verify({plan.tenant}).different == 1U);
  BOOST_TEST(it.verify({plan.tenant, plan.run}).different == 1U);
  BOOST_TEST(it.verify({operator_scope{}, std::nullopt, night() + std::chrono::hours(1)}).runs == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace levain::test
