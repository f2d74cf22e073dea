// Finds each kind of damage in what PostgreSQL remembers, and none where there is none.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <set>

#include <pqxx/pqxx>

#include "actors/verification.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "persistence/journal.hpp"
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

  verify_report verify(verify_scope scope = {operator_scope{}}, verify_options options = {}) {
    workflow_cache workflows(
      std::make_unique<postgres_definition_store>(postgres_definition_store_options{.url = database.url()}));
    found.clear();
    verify_listener listener;
    listener.difference = [this](const verify_difference& each) { found.push_back(each); };
    return verify_runs({.url = database.url()}, workflows, scope, options, listener);
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

// ---- damage in the journal --------------------------------------------------

BOOST_AUTO_TEST_CASE(every_damage_to_the_order_of_events_is_found_and_named) {
  const std::map<std::string, std::string> damages{
    {"update run_events set at = at - interval '1 minute' where seq = 4", "is more than 10 s before"},
    {"update run_events set attempt = 2 where step = 'sell'", "attempt 1 is the one that is out"},
    {"update run_events set attempt = null where step = 'sell'", "attempt 1 is the one that is out"},
    {"delete from run_events where kind = 'compensation_started'; update run_events set seq = seq - 1 where seq > 5",
     "no compensation_started came before it"},
    {"delete from run_events where step = 'bake' and kind = 'step_succeeded'; "
     "update run_events set seq = seq - 1 where seq > 3",
     "it needs the step bake, which had not succeeded"},
    {"delete from run_events where kind = 'step_compensated'; update run_events set seq = 6 where seq = 7",
     "the step bake has not been undone"},
    {"update run_events set kind = 'attempt_failed' where kind = 'step_failed'", "nothing has failed"},
    {"update run_events set kind = 'run_cancelled' where kind = 'run_failed'", "nobody has asked to cancel the run"},
    {"update run_events set kind = 'run_paused' where kind = 'run_started'", "the run has not started"},
    {"update run_events set seq = 8 where seq = 7", "there should be an event 7 between them"},
    {"update run_events set seq = seq + 100; update run_events set seq = seq - 99", "a journal begins with event 1"},
    {"update run_events set kind = 'run_started' where seq = 1", "a journal begins with event 1 (run_accepted)"},
  };
  for (const auto& [damage, words] : damages)
    BOOST_TEST_CONTEXT(damage) {
      remembered_night it;
      it.fail_and_undo();
      it.write();
      it.execute("alter table run_events disable trigger user; " + damage);
      BOOST_TEST(it.verify().different == 1U);
      const bool named = std::any_of(it.found.begin(), it.found.end(), [&words = words](const auto& each) {
        return each.place == "journal" && mentions(each, words);
      });
      BOOST_TEST(named, "not named; the first is: " << it.found.at(0).message);
    }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_a_difference_and_ends_nothing) {
  const std::map<std::string, std::pair<std::string, std::string>> damages{
    {"update run_events set kind = 'run_sang' where seq = 3", {"journal", "event 3 cannot be read"}},
    {"update run_events set at = 'infinity' where seq = 3", {"journal", "event 3 cannot be read"}},
    {"update run_events set body = '[]' where seq = 3", {"journal", "event 3"}},
    {"update run_events set body = null where seq = 3", {"journal", "event 3"}},
    {"update run_events set body = '17' where seq = 1", {"journal", "event 1"}},
    {"update run_events set body = body - 'tenant' where seq = 1", {"journal", "tenant"}},
    {"update run_events set body = jsonb_set(body, '{run}', '\"01900000-0000-7000-8000-000000000099\"') where seq = 1",
     {"journal", "01900000-0000-7000-8000-000000000099"}},
    {"update run_events set body = jsonb_set(body, '{workflow}', '\"day\"') where seq = 1",
     {"journal", "there should be a workflow day version 1"}},
    {"delete from workflow_definitions", {"journal", "there should be a workflow night version 1"}},
    {"update workflow_definitions set body = '{}'", {"journal", "version 1 of workflow 'night' cannot be read"}},
    {"update orchestration_runs set started_at = 'infinity'", {"row", "started_at"}},
  };
  for (const auto& [damage, said] : damages)
    BOOST_TEST_CONTEXT(damage) {
      remembered_night it;
      it.complete();
      it.write();
      it.execute("alter type run_event_kind add value 'run_sang'");
      it.execute(damage);
      BOOST_TEST(it.verify().different == 1U);
      BOOST_TEST_REQUIRE(it.found.size() == 1U);
      BOOST_TEST(it.found[0].place == said.first);
      BOOST_TEST(mentions(it.found[0], said.second), it.found[0].message);
    }
}

// ---- several threads --------------------------------------------------------

namespace {

/// The run again, so many times, under other ids and numbers.
void copy_run(remembered_night& it, int copies) {
  const auto count = std::to_string(copies);
  it.execute(
    "create table copies as select gen_random_uuid() as id, 'COPY-' || n as number from generate_series(1, " + count +
    ") n; create table one as select * from orchestration_runs; "
    "insert into run_events select copies.id, seq, at, kind, step, attempt, case when seq = 1 then body || "
    "jsonb_build_object('run', copies.id, 'run_number', copies.number) else body end from run_events, copies");
  it.execute("insert into orchestration_runs select (jsonb_populate_record(one, jsonb_build_object('id', copies.id, "
             "'run_number', copies.number))).* from one, copies");
}

} // namespace

BOOST_AUTO_TEST_CASE(threads_find_the_same_in_the_same_order) {
  remembered_night it;
  it.complete();
  it.write();
  copy_run(it, 300);
  it.execute_quietly("update orchestration_runs set saga_steps_total = 9 where right(run_number, 1) = '7'");
  it.execute("delete from run_events where seq = 3 and run_id in (select id from copies where right(number, 1) = '5')");
  it.execute("delete from orchestration_runs where right(run_number, 1) = '3'");
  const auto alone = it.verify({operator_scope{}}, {.jobs = 1, .page_runs = 1000});
  const auto found_alone = it.found;
  BOOST_TEST(alone.runs == 301U);
  BOOST_TEST(alone.different == 90U);
  BOOST_TEST(alone.equal == 211U);
  for (const verify_options& options : {verify_options{4, 7}, verify_options{2, 1}, verify_options{64, 250}}) {
    BOOST_TEST_CONTEXT(options.jobs << " threads, " << options.page_runs << " runs a page") {
      BOOST_TEST((it.verify({operator_scope{}}, options) == alone));
      BOOST_TEST((it.found == found_alone));
    }
  }
}

BOOST_AUTO_TEST_CASE(threads_and_pages_have_limits) {
  remembered_night it;
  BOOST_CHECK_THROW(it.verify({operator_scope{}}, {.jobs = 0}), std::invalid_argument);
  BOOST_CHECK_THROW(it.verify({operator_scope{}}, {.jobs = verify_jobs_max + 1}), std::invalid_argument);
  BOOST_CHECK_THROW(it.verify({operator_scope{}}, {.page_runs = 0}), std::invalid_argument);
  BOOST_CHECK_THROW(it.verify({operator_scope{}}, {.page_runs = verify_page_runs_max + 1}), std::invalid_argument);
  BOOST_TEST(verify_jobs_default() >= 1U);
}

BOOST_AUTO_TEST_CASE(a_database_that_goes_ends_all_threads) {
  remembered_night it;
  it.complete();
  it.write();
  copy_run(it, 50);
  workflow_cache workflows(
    std::make_unique<postgres_definition_store>(postgres_definition_store_options{.url = it.database.url()}));
  verify_listener listener;
  // The journal goes while the threads are at work, so that theirs is the connection that is refused.
  listener.progress = [&](const verify_report& report, uint64_t) {
    if (report.runs == 1)
      it.execute("alter table run_events rename to run_events_gone");
  };
  BOOST_CHECK_THROW(
    verify_runs({.url = it.database.url()}, workflows, {operator_scope{}}, {.jobs = 3, .page_runs = 1}, listener),
    journal_unavailable);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace levain::test
