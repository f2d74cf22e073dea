// Sessions that the server ends while nothing is asked of them, as it does when it is restarted.
#include <boost/test/unit_test.hpp>

#include <pqxx/pqxx>

#include "persistence/postgres_definition_store.hpp"
#include "persistence/postgres_leases.hpp"
#include "tests/support/database.hpp"

using namespace levain;
using levain::test::fresh_database;

namespace {

/// Ends all sessions of others with the database, and waits until they are gone.
void end_all_sessions(const fresh_database& database) {
  pqxx::connection admin(database.url());
  pqxx::nontransaction session(admin);
  // Waits for each.
  session.exec("select pg_terminate_backend(pid, 60000) from pg_stat_activity where datname = current_database() and "
               "pid <> pg_backend_pid()");
}

} // namespace

BOOST_AUTO_TEST_SUITE(session_dbtest)

BOOST_AUTO_TEST_CASE(a_session_that_was_ended_while_it_lay_idle_is_replaced_and_nobody_is_refused) {
  const fresh_database database;
  postgres_definition_store definitions{{.url = database.url()}};
  postgres_leases nodes{{.url = database.url()}};
  BOOST_TEST(!definitions.find_newest("w").has_value());
  BOOST_TEST(nodes.view().nodes.empty());
  for (int round = 0; round < 3; ++round) {
    end_all_sessions(database);
    BOOST_CHECK_NO_THROW(definitions.find_newest("w"));
    BOOST_CHECK_NO_THROW(nodes.view());
  }
}

BOOST_AUTO_TEST_CASE(a_session_that_hears_of_other_settings_stays_the_same) {
  const fresh_database database;
  postgres_leases nodes{{.url = database.url(), .application_name = "levain idle"}};
  BOOST_TEST(nodes.view().nodes.empty());
  pqxx::connection admin(database.url());
  pqxx::nontransaction session(admin);
  const auto process = [&] {
    return session
      .exec1("select pid from pg_stat_activity where application_name = 'levain idle' and datname = "
             "current_database()")[0]
      .as<int>();
  };
  const auto before = process();
  session.exec("select pg_reload_conf()");
  BOOST_TEST(nodes.view().nodes.empty());
  BOOST_TEST(process() == before);
}

BOOST_AUTO_TEST_SUITE_END()
