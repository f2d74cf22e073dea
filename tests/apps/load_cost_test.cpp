#include "apps/load/load_cost.hpp"

#include <boost/test/unit_test.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <pqxx/pqxx>

#include "apps/load/process_cpu.hpp"
#include "persistence/journal.hpp"
#include "tests/support/database.hpp"

using namespace levain;
using namespace levain::load;
using namespace std::chrono_literals;

namespace {

/// Keeps a core busy until this process has used so much CPU.
void burn(std::chrono::microseconds span) {
  const auto end = own_cpu() + span;
  while (own_cpu() < end) {
  }
}

/// A child that burns CPU, then ends or waits to be killed.
pid_t burning_child(std::chrono::microseconds span, int ready) {
  const pid_t child = fork();
  if (child == 0) {
    burn(span);
    (void)!write(ready, "x", 1);
    pause();
    _exit(0);
  }
  return child;
}

} // namespace

BOOST_AUTO_TEST_SUITE(load_cost_test)

BOOST_AUTO_TEST_CASE(the_cpu_of_this_process_grows_as_it_is_used) {
  const auto before = own_cpu();
  const auto seen_before = cpu_of(getpid());
  burn(60ms);
  BOOST_TEST((own_cpu() - before).count() >= 60'000);
  BOOST_TEST((*cpu_of(getpid()) - *seen_before).count() >= 40'000);
}

BOOST_AUTO_TEST_CASE(children_count_while_they_live_and_when_they_are_gone) {
  const auto alone = cpu_of(getpid());
  const auto before = cpu_of_family(getpid());
  int ends[2];
  BOOST_REQUIRE(pipe(ends) == 0);
  const pid_t child = burning_child(80ms, ends[1]);
  char ready = 0;
  BOOST_REQUIRE(read(ends[0], &ready, 1) == 1);

  BOOST_TEST((*cpu_of_family(getpid()) - *before).count() >= 60'000);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  BOOST_TEST((*cpu_of_family(getpid()) - *before).count() >= 60'000);
  BOOST_TEST((*cpu_of(getpid()) - *alone).count() < 60'000);
  BOOST_TEST(!cpu_of(child).has_value());
  BOOST_TEST(!cpu_of_family(child).has_value());
  close(ends[0]);
  close(ends[1]);
}

BOOST_AUTO_TEST_CASE(memory_is_known_in_bytes) {
  BOOST_TEST(rss_bytes_of(getpid()).value() > 1024U * 1024U);
  BOOST_TEST(peak_rss_bytes_of(getpid()).value() >= rss_bytes_of(getpid()).value() / 2);
}

BOOST_AUTO_TEST_CASE(figures_grow_with_what_is_written) {
  const test::fresh_database database;
  const auto before = read_database_figures(database.url());
  {
    pqxx::connection connection(database.url());
    pqxx::nontransaction session(connection);
    for (int i = 0; i < 20; ++i)
      session.exec("update run_numbers set next = next + 1");
  }
  const auto after = read_database_figures(database.url());
  BOOST_TEST(after.wal_bytes > before.wal_bytes + 20 * 50);
  BOOST_TEST(after.commits >= before.commits + 20);
}

BOOST_AUTO_TEST_CASE(the_server_of_the_tests_is_found_with_its_cpu) {
  const test::fresh_database database;
  const auto postmaster = find_postmaster(database.url());
  BOOST_REQUIRE(postmaster.has_value());
  const auto before = cpu_of_family(*postmaster);
  {
    pqxx::connection connection(database.url());
    pqxx::work(connection).exec("select count(*) from generate_series(1, 3000000)");
  }
  BOOST_TEST((*cpu_of_family(*postmaster) - *before).count() >= 50'000);
}

BOOST_AUTO_TEST_CASE(the_cost_is_told_for_each_run) {
  const test::fresh_database database;
  const load_cost cost(database.url());
  {
    pqxx::connection connection(database.url());
    pqxx::nontransaction session(connection);
    for (int i = 0; i < 50; ++i)
      session.exec("update run_numbers set next = next + 1");
  }
  load_result result;
  result.runs = 10;
  cost.tell(result);
  BOOST_TEST(result.commits_per_run.value() >= 5);
  BOOST_TEST(result.wal_bytes_per_run.value() > 5 * 50);
  BOOST_TEST(result.postgres_cpu_ms_per_run.has_value());

  load_result nothing;
  cost.tell(nothing);
  BOOST_TEST(!nothing.commits_per_run.has_value());
}

BOOST_AUTO_TEST_CASE(the_machine_is_described) {
  const test::fresh_database database;
  const auto facts = machine_facts(database.url());
  for (const char* name : {"cores", "memory", "kernel", "postgresql.server_version", "postgresql.shared_buffers"})
    BOOST_TEST(facts.contains(name), name);
}

BOOST_AUTO_TEST_CASE(a_database_that_is_not_there_is_said_to_be_missing) {
  BOOST_CHECK_THROW(load_cost("postgresql:///levain?host=/nowhere"), journal_unavailable);
}

BOOST_AUTO_TEST_SUITE_END()
