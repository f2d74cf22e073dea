#include <boost/test/unit_test.hpp>

#include "persistence/model_definition_store.hpp"
#include "tests/persistence/definition_conformance.hpp"

using namespace levain;
using namespace levain::test;

namespace {

class model_bench : public definition_bench {
public:
  definition_store& subject() override { return store_; }
  void goes_away() override { away_ = true; }
  void comes_back() override { away_ = false; }

private:
  bool away_ = false;
  model_definition_store store_{std::make_shared<model_database>(), [this] { return !away_; }};
};

} // namespace

BOOST_AUTO_TEST_SUITE(model_definition_store_test)

#define LEVAIN_RULE(name)                                                                                              \
  BOOST_FIXTURE_TEST_CASE(name, model_bench) {                                                                         \
    conformance::name(*this);                                                                                          \
  }
LEVAIN_DEFINITION_RULES(LEVAIN_RULE)

BOOST_AUTO_TEST_SUITE_END()
