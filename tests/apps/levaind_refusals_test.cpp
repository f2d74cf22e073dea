// Databases that a daemon cannot share: it ends at once and says what would be right.
#include <boost/test/unit_test.hpp>

#include <pqxx/pqxx>

#include "persistence/postgres_leases.hpp"
#include "tests/support/database.hpp"
#include "tests/support/processes.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

/// A database as a program of next year has left it, and that program's node, which lives.
struct from_the_future {
  from_the_future() {
    pqxx::connection connection(database.url());
    pqxx::work transaction(connection);
    transaction.exec("insert into levain_migrations (number, name, checksum, adopted, program_version) "
                     "values (999, '999_ovens_on_mars', 'x', false, '9.0.0')");
    transaction.commit();
    node_record node;
    node.id.bytes[0] = 9;
    node.name = "mars";
    node.version = "9.0.0";
    node.schema_version = 999;
    postgres_leases({.url = database.url()}).join(node, 1h);
  }

  void refuses(std::vector<std::string> more) {
    std::vector<std::string> arguments{"--database", database.url(), "--listen", "127.0.0.1:0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto ended = run_to_end({"levaind", arguments, {}}, 60s);
    BOOST_TEST(ended.status == 1);
    for (const auto* part :
         {"999_ovens_on_mars: the database's schema is newer than this program", "'mars' (levain 9.0.0)"})
      BOOST_TEST(ended.errors.find(part) != std::string::npos, part << " is not in " << ended.errors);
  }

  fresh_database database;
};

} // namespace

BOOST_AUTO_TEST_SUITE(levaind_refusals_test)

BOOST_FIXTURE_TEST_CASE(a_newer_schema_is_refused_with_the_nodes_that_know_it, from_the_future) {
  refuses({});
}

BOOST_FIXTURE_TEST_CASE(it_is_refused_as_well_by_a_daemon_that_leaves_the_schema_alone, from_the_future) {
  refuses({"--no-migrate"});
}

BOOST_AUTO_TEST_SUITE_END()
