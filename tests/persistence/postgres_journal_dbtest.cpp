#include <boost/test/unit_test.hpp>

#include <thread>

#include <pqxx/pqxx>

#include "persistence/postgres_journal.hpp"
#include "tests/persistence/journal_conformance.hpp"
#include "tests/persistence/journal_doubt_conformance.hpp"
#include "tests/persistence/postgres_bench.hpp"
#include "tests/persistence/stops_conformance.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(postgres_journal_dbtest)

#define LEVAIN_RULE(name)                                                                                              \
  BOOST_FIXTURE_TEST_CASE(name, postgres_bench) {                                                                      \
    conformance::name(*this);                                                                                          \
  }
LEVAIN_JOURNAL_RULES(LEVAIN_RULE)
LEVAIN_JOURNAL_DOUBT_RULES(LEVAIN_RULE)
LEVAIN_STOP_RULES(LEVAIN_RULE)

BOOST_FIXTURE_TEST_CASE(a_takeover_waits_for_the_batch_and_the_batch_for_a_takeover, postgres_bench) {
  must_commit(subject(), bench_start(bench_run(1)));
  pqxx::work takeover(admin_);
  takeover.exec("update shards set epoch = epoch + 1 where shard = 3");
  append_answer answer;
  std::thread writer([&] { answer = subject().append({bench_start(bench_run(2))}); });
  pqxx::connection observer(database_.url());
  pqxx::nontransaction observing(observer);
  while (observing.exec("select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")
           .empty())
    std::this_thread::yield();
  takeover.commit();
  writer.join();
  BOOST_REQUIRE(is_done(answer, 1));
  BOOST_TEST((answer.outcomes[0] == append_outcome(append_fenced{bench_epoch + 1})));
}

BOOST_FIXTURE_TEST_CASE(a_statement_that_takes_too_long_blames_no_row, postgres_bench) {
  postgres_journal_options impatient = options(database_.url());
  impatient.statement_timeout = 50ms;
  postgres_journal journal(impatient);
  must_commit(journal, bench_start(bench_run(1)));
  {
    pqxx::work lock(admin_);
    lock.exec("lock table run_events");
    const auto answer = journal.append({bench_start(bench_run(2)), bench_start(bench_run(3))});
    BOOST_TEST((answer.status == append_answer::status_type::transient));
    BOOST_TEST(answer.reason.find("statement timeout") != std::string::npos, answer.reason);
  }
  must_commit(journal, bench_start(bench_run(2)));
}

BOOST_FIXTURE_TEST_CASE(a_terminated_session_blames_no_row_and_is_replaced, postgres_bench) {
  must_commit(subject(), bench_start(bench_run(1)));
  admin("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'levain journal'");
  const auto answer = subject().append({bench_start(bench_run(2))});
  // Whether the end of the session was heard of before the batch began is a matter of microseconds.
  if (answer.status == append_answer::status_type::transient)
    must_commit(subject(), bench_start(bench_run(2)));
  else
    BOOST_TEST((answer.status == append_answer::status_type::done), answer.reason);
  BOOST_TEST(subject().read(bench_run(2)).size() == subject().read(bench_run(1)).size());
}

BOOST_FIXTURE_TEST_CASE(a_session_terminated_while_it_commits_is_in_doubt, postgres_bench) {
  admin(R"(
    create function die() returns trigger language plpgsql as $$
    begin
      perform pg_terminate_backend(pg_backend_pid());
      perform pg_sleep(5);
      return new;
    end $$;
    create constraint trigger die after insert on orchestration_runs
      deferrable initially deferred for each row execute function die())");
  const std::vector<run_append> batch = {bench_start(bench_run(1))};
  BOOST_TEST((subject().append(batch).status == append_answer::status_type::in_doubt));
  const auto resolution = subject().resolve(batch);
  BOOST_REQUIRE(resolution.resolved);
  BOOST_TEST((resolution.answer.status == append_answer::status_type::transient));
}

BOOST_FIXTURE_TEST_CASE(a_row_refused_at_the_commit_is_found_as_well, postgres_bench) {
  admin(R"(
    create function refuse() returns trigger language plpgsql as $$
    begin
      if new.run_type = 'unwanted' then
        raise exception 'unwanted';
      end if;
      return new;
    end $$;
    create constraint trigger refuse after insert on orchestration_runs
      deferrable initially deferred for each row execute function refuse())");
  std::vector<run_append> batch = {bench_start(bench_run(1)), bench_start(bench_run(2)), bench_start(bench_run(3))};
  batch[1].insert->run_type = "unwanted";
  const auto answer = subject().append(batch);
  BOOST_REQUIRE(is_done(answer, 3));
  BOOST_TEST(is_committed(answer.outcomes[0]));
  BOOST_TEST(reason_of(answer.outcomes[1]).find("unwanted") != std::string::npos);
  BOOST_TEST(is_committed(answer.outcomes[2]));
}

BOOST_FIXTURE_TEST_CASE(a_lost_transaction_that_still_lives_stays_unresolved, postgres_bench) {
  const std::vector<run_append> batch = {bench_start(bench_run(1))};
  lose_next_commit();
  BOOST_REQUIRE((subject().append(batch).status == append_answer::status_type::in_doubt));
  {
    // Stands for the lost transaction: it holds the shard as the batch did.
    pqxx::work lost(admin_);
    lost.exec("select from shards where shard = 3 for share");
    BOOST_TEST(!subject().resolve(batch).resolved);
  }
  BOOST_TEST(subject().resolve(batch).resolved);
}

BOOST_FIXTURE_TEST_CASE(a_schema_that_is_not_there_blames_no_row, postgres_bench) {
  admin("alter table run_starts rename to elsewhere");
  run_append start = bench_start(bench_run(1));
  start.key = start_key{bench_tenant, "monday", std::string(64, 'a')};
  const auto answer = subject().append({start});
  BOOST_TEST((answer.status == append_answer::status_type::transient));
  BOOST_TEST(answer.reason.find("migrate") != std::string::npos, answer.reason);
}

BOOST_FIXTURE_TEST_CASE(a_row_that_was_deleted_comes_back_with_its_next_update, postgres_bench) {
  const run_id run = bench_run(1);
  must_commit(subject(), bench_start(run));
  admin("delete from orchestration_runs");
  run_append update = bench_events(run, {bench_event(2, event_kind::run_completed)});
  update.update = full_row(run, 0);
  must_commit(subject(), update);
  BOOST_REQUIRE(row(run));
  BOOST_TEST(same_row(*row(run), *update.update));
}

BOOST_FIXTURE_TEST_CASE(rows_without_a_journal_are_passed_over, postgres_bench) {
  admin(R"(insert into orchestration_runs (id, run_number, tenant_id)
           values ('00000000-0000-4000-8000-000000000003', 'BY-HAND', gen_random_uuid()))");
  must_commit(subject(), bench_start(bench_run(1)));
  const auto open = read_all_unfinished(subject(), {3});
  BOOST_REQUIRE(open.size() == 1u);
  BOOST_TEST((open[0].run == bench_run(1)));
}

BOOST_FIXTURE_TEST_CASE(a_run_whose_journal_is_gone_is_found_without_events, postgres_bench) {
  must_commit(subject(), bench_start(bench_run(1)));
  admin("delete from run_events");
  const auto open = read_all_unfinished(subject(), {3});
  BOOST_REQUIRE(open.size() == 1u);
  BOOST_TEST(open[0].events.empty());
}

BOOST_FIXTURE_TEST_CASE(an_event_that_cannot_be_read_is_told_by_run, postgres_bench) {
  for (int i = 1; i <= 4; ++i)
    must_commit(subject(), bench_start(bench_run(i)));
  admin("alter type run_event_kind add value 'run_was_baked'");
  admin("update run_events set kind = 'run_was_baked' where run_id = '" + to_string(bench_run(2)) + "'");
  admin("update run_events set at = 'infinity' where run_id = '" + to_string(bench_run(3)) + "'");
  const auto open = read_all_unfinished(subject(), {3});
  BOOST_REQUIRE(open.size() == 4u);
  BOOST_TEST(open[0].events.size() == 1u);
  BOOST_TEST(open[1].damage == "event 1: column kind: 'run_was_baked' is unknown to this program");
  BOOST_TEST(open[2].damage == "event 1: column at: 'infinity' is not a time of the years 1 to 9999");
  BOOST_TEST(open[3].damage.empty());
  BOOST_CHECK_THROW(subject().read(bench_run(2)), journal_unreadable);
  BOOST_TEST(subject().read(bench_run(4)).size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_row_whose_time_is_none_has_no_age, postgres_bench) {
  for (int i = 1; i <= 2; ++i)
    must_commit(subject(), bench_start(bench_run(i)));
  admin("update orchestration_runs set updated_at = 'infinity' where id = '" + to_string(bench_run(1)) + "'");
  const auto open = read_all_unfinished(subject(), {3});
  BOOST_REQUIRE(open.size() == 2u);
  BOOST_TEST(!open[0].row_updated_at.has_value());
  BOOST_TEST((open[1].row_updated_at == bench_time));
}

BOOST_FIXTURE_TEST_CASE(foreign_ids_belong_to_the_shard_of_their_last_byte, postgres_bench) {
  run_append append = bench_start(run_id{*uuid::parse("00000000-0000-4000-8000-0000000000c3")});
  must_commit(subject(), append);
  BOOST_TEST(read_all_unfinished(subject(), {3}).size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_open_transaction_that_uses_a_key_holds_up_that_start_alone, postgres_bench) {
  std::vector<run_append> batch;
  for (int i = 1; i <= 5; ++i) {
    batch.push_back(bench_start(bench_run(i)));
    batch.back().key = start_key{bench_tenant, "key " + std::to_string(i), std::string(64, 'a')};
  }
  {
    pqxx::work other(locker_);
    other.exec_params(
      "insert into run_starts (tenant_id, idempotency_key, run_id, fingerprint) values ($1, 'key 4', $2, $3)",
      to_string(bench_tenant.value), to_string(bench_run(9)), std::string(64, 'b'));
    const auto answer = subject().append(batch);
    BOOST_REQUIRE_MESSAGE(is_done(answer, 5), answer.reason);
    for (size_t run = 0; run < answer.outcomes.size(); ++run)
      BOOST_TEST(is_held_up(answer.outcomes[run]) == (run == 3), run);
  }
  must_commit(subject(), batch[3]);
}

BOOST_FIXTURE_TEST_CASE(a_table_that_is_locked_blames_and_holds_up_no_run, postgres_bench) {
  must_commit(subject(), bench_start(bench_run(1)));
  {
    pqxx::work lock(locker_);
    lock.exec("lock table run_events");
    BOOST_TEST((subject().append({bench_start(bench_run(2))}).status == append_answer::status_type::transient));
  }
  must_commit(subject(), bench_start(bench_run(2)));
}

BOOST_FIXTURE_TEST_CASE(a_row_is_refused_whatever_state_a_trigger_says_it_with, postgres_bench) {
  admin(R"(
    create function refuse() returns trigger language plpgsql as $$
    begin
      if new.run_type <> '' and new.run_type not in ('scheduled', 'manual', 'test') then
        raise exception 'unwanted' using errcode = new.run_type;
      end if;
      return new;
    end $$;
    create trigger refuse before insert on orchestration_runs for each row execute function refuse())");
  int i = 0;
  for (const char* state : {"LV001", "ZZ999", "38000", "P0001", "7A000"}) {
    std::vector<run_append> batch = {bench_start(bench_run(++i)), bench_start(bench_run(++i))};
    batch[0].insert->run_type = state;
    const auto answer = subject().append(batch);
    BOOST_REQUIRE_MESSAGE(is_done(answer, 2), state << ": " << answer.reason);
    BOOST_TEST(reason_of(answer.outcomes[0]).find("unwanted") != std::string::npos, state);
    BOOST_TEST(is_committed(answer.outcomes[1]), state);
  }
}

BOOST_FIXTURE_TEST_CASE(rows_that_a_trigger_or_a_rule_swallows_are_not_acknowledged, postgres_bench) {
  const auto swallowed = bench_run(1);
  admin(
    R"(
    create function swallow() returns trigger language plpgsql as $$
    begin
      return case when to_jsonb(new) ->> tg_argv[0] = ')" +
    to_string(swallowed) + R"(' then null else new end;
    end $$)");
  int i = 1;
  for (const std::string table : {"run_events", "orchestration_runs"}) {
    const auto id = table == "run_events" ? "run_id" : "id";
    admin("create trigger swallow before insert on " + table + " for each row execute function swallow('" + id + "')");
    const auto answer = subject().append({bench_start(swallowed), bench_start(bench_run(++i))});
    BOOST_REQUIRE_MESSAGE(is_done(answer, 2), table << ": " << answer.reason);
    BOOST_TEST(
      reason_of(answer.outcomes[0]).find("rule on " + table) != std::string::npos, reason_of(answer.outcomes[0]));
    BOOST_TEST(is_committed(answer.outcomes[1]), table);
    admin("drop trigger swallow on " + table);
  }
  admin("create rule frozen as on insert to run_events do instead nothing");
  const auto answer = subject().append({bench_start(swallowed)});
  BOOST_REQUIRE(is_done(answer, 1));
  BOOST_TEST(reason_of(answer.outcomes[0]).find("kept 0 of") != std::string::npos, reason_of(answer.outcomes[0]));
}

BOOST_FIXTURE_TEST_CASE(a_server_without_synchronous_commit_has_it_for_the_journal, postgres_bench) {
  admin("alter database \"" + std::string(admin_.dbname()) + "\" set synchronous_commit = off");
  admin(R"(
    create table seen (setting text);
    create function look() returns trigger language plpgsql as $$
    begin
      insert into seen values (current_setting('synchronous_commit') || ' ' || current_setting('TimeZone'));
      return new;
    end $$;
    create trigger look after insert on orchestration_runs for each row execute function look())");
  must_commit(subject(), bench_start(bench_run(1)));
  BOOST_TEST(std::string(admin("select setting from seen")[0][0].c_str()) == "on UTC");
}

BOOST_AUTO_TEST_SUITE_END()
