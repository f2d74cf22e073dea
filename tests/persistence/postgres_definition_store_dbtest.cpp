#include <boost/test/unit_test.hpp>

#include "persistence/postgres_definition_store.hpp"
#include "tests/persistence/definition_conformance.hpp"
#include "tests/support/database.hpp"
#include "tests/support/database_gate.hpp"

using namespace levain;
using namespace levain::test;

namespace {

class postgres_bench : public definition_bench {
public:
  definition_store& subject() override { return store_; }
  void goes_away() override { gate_.shut(); }
  void comes_back() override { gate_.reopen(); }

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

BOOST_AUTO_TEST_SUITE_END()
