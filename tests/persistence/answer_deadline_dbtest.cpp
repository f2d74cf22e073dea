// Servers that are there and do not answer: nobody waits for ever.
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <pqxx/pqxx>

#include "persistence/answer_deadline.hpp"
#include "persistence/postgres_journal.hpp"
#include "persistence/postgres_leases.hpp"
#include "persistence/queries.hpp"
#include "tests/persistence/journal_bench.hpp"
#include "tests/persistence/leases_conformance.hpp"
#include "tests/support/database.hpp"
#include "tests/support/database_gate.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

constexpr auto statement_timeout = 400ms;
constexpr auto answer_margin = 200ms;
/// Far less than for ever, and enough for a busy machine: the deadline, and then a new connection that is not answered.
constexpr auto soon = 30s;

class silent_server {
public:
  silent_server() {
    pqxx::work transaction(admin);
    transaction.exec("update shards set epoch = " + std::to_string(bench_epoch));
    transaction.commit();
  }

  postgres_journal_options journal_options(const std::string& url) const {
    return {
      .url = url,
      .connect_timeout = std::chrono::seconds(2),
      .statement_timeout = statement_timeout,
      .answer_margin = answer_margin};
  }

  /// The process that serves the journal's session.
  pid_t backend() {
    pqxx::nontransaction asking(admin);
    return asking.exec1("select pid from pg_stat_activity where application_name = 'levain journal'")[0].as<int>();
  }

  bool waits_for_a_lock(pid_t pid) {
    pqxx::nontransaction asking(admin);
    return !asking
              .exec_params(
                "select from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'", static_cast<int>(pid))
              .empty();
  }

  fresh_database database;
  pqxx::connection admin{database.url()};
  database_gate gate{database.url()};
};

/// Answers how long it took.
template <class Work>
std::chrono::nanoseconds time_of(Work work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::steady_clock::now() - begin;
}

} // namespace

BOOST_AUTO_TEST_SUITE(answer_deadline_dbtest)

BOOST_AUTO_TEST_CASE(a_socket_is_shut_down_when_its_time_is_over_and_not_before) {
  int ends[2];
  BOOST_TEST_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  answer_deadline deadline;
  char byte = 'a';
  {
    const answer_time waiting(deadline, ends[0], 1h);
    BOOST_TEST(write(ends[1], &byte, 1) == 1);
    BOOST_TEST(recv(ends[0], &byte, 1, 0) == 1);
  }
  BOOST_TEST(!deadline.expired());
  {
    const answer_time waiting(deadline, ends[0], 50ms);
    BOOST_TEST(recv(ends[0], &byte, 1, 0) == 0);
  }
  BOOST_TEST(deadline.expired());
  deadline.begin(ends[0], 0ms);
  BOOST_TEST(!deadline.expired());
  close(ends[0]);
  close(ends[1]);
}

BOOST_AUTO_TEST_CASE(an_earlier_deadline_is_kept_while_a_later_one_runs) {
  int ends[2];
  BOOST_TEST_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  answer_deadline patient;
  answer_deadline hasty;
  const answer_time long_time(patient, ends[1], 1h);
  const answer_time short_time(hasty, ends[0], 50ms);
  char byte = 0;
  BOOST_TEST(recv(ends[0], &byte, 1, 0) == 0);
  BOOST_TEST(hasty.expired());
  BOOST_TEST(!patient.expired());
  close(ends[0]);
  close(ends[1]);
}

BOOST_FIXTURE_TEST_CASE(an_append_to_a_server_that_stands_still_is_transient, silent_server) {
  postgres_journal journal(journal_options(database.url()));
  BOOST_TEST_REQUIRE((journal.append({bench_start(bench_run(1))}).status == append_answer::status_type::done));
  const auto pid = backend();
  kill(pid, SIGSTOP);
  append_answer answer;
  const auto taken = time_of([&] { answer = journal.append({bench_start(bench_run(2))}); });
  BOOST_TEST((answer.status == append_answer::status_type::transient), answer.reason);
  BOOST_TEST(answer.reason.find("did not answer within 600 ms") != std::string::npos, answer.reason);
  BOOST_TEST((taken >= statement_timeout));
  BOOST_TEST((taken < soon));
  // A new session is another process; the old one wakes and finds nobody.
  BOOST_TEST((journal.append({bench_start(bench_run(2))}).status == append_answer::status_type::done));
  kill(pid, SIGCONT);
  BOOST_TEST(journal.read(bench_run(2)).size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_commit_that_is_not_answered_is_in_doubt, silent_server) {
  pqxx::work transaction(admin);
  transaction.exec(R"(
    create function wait_in_commit() returns trigger language plpgsql as $$
    begin
      perform pg_advisory_xact_lock(1);
      return new;
    end $$;
    create constraint trigger wait_in_commit after insert on orchestration_runs
      deferrable initially deferred for each row execute function wait_in_commit())");
  transaction.commit();
  postgres_journal journal(journal_options(database.url()));
  BOOST_TEST_REQUIRE((journal.append({bench_start(bench_run(1))}).status == append_answer::status_type::done));
  const auto pid = backend();
  pqxx::connection other(database.url());
  auto lock = std::make_unique<pqxx::work>(other);
  lock->exec("select pg_advisory_xact_lock(1)");
  append_answer answer;
  const std::vector<run_append> batch{bench_start(bench_run(2))};
  std::thread writer([&] { answer = journal.append(batch); });
  while (!waits_for_a_lock(pid))
    std::this_thread::yield();
  kill(pid, SIGSTOP);
  writer.join();
  BOOST_TEST((answer.status == append_answer::status_type::in_doubt), answer.reason);
  BOOST_TEST(answer.reason.find("did not answer") != std::string::npos, answer.reason);
  lock.reset();
  kill(pid, SIGCONT);
  // Whatever became of it, it is known and done once.
  auto found = journal.resolve(batch);
  while (!found.resolved)
    found = journal.resolve(batch);
  if (found.answer.status == append_answer::status_type::transient)
    BOOST_TEST((journal.append(batch).status == append_answer::status_type::done));
  BOOST_TEST(journal.read(bench_run(2)).size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(every_port_says_that_the_database_is_away_when_its_answers_are_swallowed, silent_server) {
  postgres_journal journal(journal_options(gate.url()));
  postgres_leases leases(
    {.url = gate.url(),
     .connect_timeout = std::chrono::seconds(2),
     .statement_timeout = statement_timeout,
     .answer_margin = answer_margin});
  queries reads({.url = gate.url(), .statement_timeout = statement_timeout, .answer_margin = answer_margin});
  const auto node = conformance::bench_node(1);
  leases.join(node, 1h);
  reads.ping();
  BOOST_TEST_REQUIRE((journal.append({bench_start(bench_run(1))}).status == append_answer::status_type::done));
  gate.swallow();
  const auto taken = time_of([&] {
    BOOST_CHECK_THROW(leases.heartbeat(node.id, {}), journal_unavailable);
    BOOST_CHECK_THROW(journal.read(bench_run(1)), journal_unavailable);
    BOOST_CHECK_THROW(reads.ping(), journal_unavailable);
    BOOST_TEST((journal.append({bench_start(bench_run(2))}).status == append_answer::status_type::transient));
  });
  BOOST_TEST((taken < soon));
  gate.reopen();
  BOOST_TEST(leases.heartbeat(node.id, {}));
  BOOST_TEST(journal.read(bench_run(1)).size() == 1u);
  BOOST_TEST((journal.append({bench_start(bench_run(2))}).status == append_answer::status_type::done));
}

BOOST_FIXTURE_TEST_CASE(each_statement_of_a_batch_has_the_whole_time, silent_server) {
  pqxx::work transaction(admin);
  transaction.exec(R"(
    create function dawdle() returns trigger language plpgsql as $$
    begin
      perform pg_sleep(0.35);
      return null;
    end $$;
    create trigger dawdle after insert on run_events for each statement execute function dawdle();
    create trigger dawdle after insert on orchestration_runs for each statement execute function dawdle())");
  transaction.commit();
  postgres_journal journal(journal_options(database.url()));
  const auto answer = journal.append({bench_start(bench_run(1))});
  BOOST_TEST((answer.status == append_answer::status_type::done), answer.reason);
}

BOOST_AUTO_TEST_SUITE_END()
