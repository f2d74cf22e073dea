#include <boost/test/unit_test.hpp>

#include "persistence/model_leases.hpp"
#include "tests/persistence/leases_cluster_conformance.hpp"

using namespace levain;
using namespace levain::test;

namespace {

class model_bench : public leases_bench {
public:
  leases& subject() override { return leases_; }
  void expire(const uuid&) override {
    // The one clock goes on for everybody: whoever is to stay alive answers a heartbeat on the way.
    now_ += conformance::long_lease;
    for (uint8_t n = 2; n < 9; ++n)
      leases_.heartbeat(conformance::bench_node(n).id, {});
    now_ += std::chrono::microseconds(1);
  }
  void put_clock_back(const uuid& node, std::chrono::milliseconds ahead) override {
    leases_.heartbeat(node, {});
    now_ -= ahead;
  }
  void pass() override { now_ += std::chrono::milliseconds(1); }
  void goes_away() override { away_ = true; }
  void comes_back() override { away_ = false; }

  timestamp now_{};

private:
  bool away_ = false;
  std::shared_ptr<model_database> database_ = std::make_shared<model_database>([this] { return now_; });
  model_leases leases_{database_, [this] { return !away_; }};
};

} // namespace

BOOST_AUTO_TEST_SUITE(model_leases_test)

#define LEVAIN_RULE(name)                                                                                              \
  BOOST_FIXTURE_TEST_CASE(name, model_bench) {                                                                         \
    conformance::name(*this);                                                                                          \
  }
LEVAIN_LEASES_RULES(LEVAIN_RULE)
LEVAIN_LEASES_CLUSTER_RULES(LEVAIN_RULE)

BOOST_FIXTURE_TEST_CASE(a_lease_lasts_to_the_microsecond, model_bench) {
  const auto node = conformance::bench_node(1);
  subject().join(node, std::chrono::milliseconds(10));
  now_ += std::chrono::milliseconds(10);
  BOOST_TEST(subject().take(node.id, 1, false).size() == 1u);
  now_ += std::chrono::microseconds(1);
  BOOST_TEST(subject().take(node.id, 1, false).empty());
}

BOOST_AUTO_TEST_SUITE_END()
