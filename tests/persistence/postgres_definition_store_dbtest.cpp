#include <boost/test/unit_test.hpp>
#include <pqxx/pqxx>

#include "persistence/postgres_definition_store.hpp"
#include "tests/persistence/definition_conformance.hpp"
#include "tests/support/database.hpp"
#include "tests/support/database_gate.hpp"
#include "tests/support/has.hpp"

using namespace levain;
using namespace levain::test;

namespace {

class postgres_bench : public definition_bench {
public:
  definition_store& subject() override { return store_; }
  void goes_away() override { gate_.shut(); }
  void comes_back() override { gate_.reopen(); }

  void admin(const std::string& sql) {
    pqxx::connection connection(database_.url());
    pqxx::nontransaction(connection).exec(sql);
  }

private:
  fresh_database database_;
  database_gate gate_{database_.url()};
  postgres_definition_store store_{{.url = gate_.url()}};
};

} // namespace

BOOST_AUTO_TEST_SUITE(postgres_definition_store_dbtest)

#define LEVAIN_RULE(name)                                                                                              \
  BOOST_FIXTURE_TEST_CASE(name, postgres_bench) {                                                                      \
    conformance::name(*this);                                                                                          \
  }
LEVAIN_DEFINITION_RULES(LEVAIN_RULE)

BOOST_FIXTURE_TEST_CASE(a_definition_the_table_cannot_hold_is_refused, postgres_bench) {
  for (const std::string& body : {std::string("{"), std::string("\"a\0b\"", 5), std::string("\"\xff\"")}) {
    auto definition = conformance::bench_definition("daily_bakery", 1);
    definition.body = body;
    BOOST_CHECK_THROW(subject().put(definition), std::invalid_argument);
  }
  BOOST_CHECK_THROW(subject().put(conformance::bench_definition("daily_bakery", 0)), std::invalid_argument);
  BOOST_TEST((subject().put(conformance::bench_definition("daily_bakery", 1)) == conformance::put_result::registered));
}

BOOST_FIXTURE_TEST_CASE(a_definition_is_refused_whatever_state_a_trigger_says_it_with, postgres_bench) {
  for (const char* state : {"P0001", "LV001", "ZZ999", "38000", "42501"}) {
    admin(
      std::string("create or replace function refuse() returns trigger language plpgsql as $$ begin raise exception "
                  "'no bread today' using errcode = '") +
      state + "'; end $$");
    admin("create or replace trigger refuse before insert on workflow_definitions for each row execute function "
          "refuse()");
    BOOST_CHECK_EXCEPTION(
      subject().put(conformance::bench_definition("daily_bakery", 1)), std::invalid_argument,
      [](const std::invalid_argument& refused) { return has(refused.what(), "no bread today"); });
  }
  admin("drop trigger refuse on workflow_definitions");
  BOOST_TEST((subject().put(conformance::bench_definition("daily_bakery", 1)) == conformance::put_result::registered));
}

BOOST_FIXTURE_TEST_CASE(a_definition_whose_time_is_none_is_read_with_its_damage, postgres_bench) {
  for (int version : {1, 2})
    subject().put(conformance::bench_definition("daily_bakery", version));
  admin("update workflow_definitions set registered_at = 'infinity' where version = 1");
  const auto all = subject().list();
  BOOST_REQUIRE(all.size() == 2u);
  BOOST_TEST(all[0].damage == "column registered_at: 'infinity' is not a time of the years 1 to 9999");
  BOOST_TEST(all[1].damage.empty());
  BOOST_TEST(subject().find("daily_bakery", 1)->body == all[0].body);
}

BOOST_AUTO_TEST_SUITE_END()
