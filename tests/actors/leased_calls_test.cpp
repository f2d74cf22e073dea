// Calls of a node that stood still: none begins before it is known that its shards are still its own.
#include <boost/test/unit_test.hpp>

#include <vector>

#include "actors/calls/leased_calls.hpp"

using namespace levain;
using namespace std::chrono_literals;

namespace {

/// Writes down what is begun, taken back and let go.
class noted_calls : public call_executor {
public:
  call_in_flight begin(call_request request, call_done done) override {
    begun.push_back(request.idempotency_key);
    dones.push_back(std::move(done));
    return call_in_flight(
      [this](let_go_reason why) { let_go.push_back(why); }, [this](withdraw_reason why) { asked_back.push_back(why); });
  }

  std::vector<std::string> begun;
  std::vector<call_done> dones;
  std::vector<let_go_reason> let_go;
  std::vector<withdraw_reason> asked_back;
};

struct leased_world {
  lease_watch::time now{};
  std::shared_ptr<lease_watch> lease = std::make_shared<lease_watch>(5s, [this] { return now; });
  std::shared_ptr<noted_calls> calls = std::make_shared<noted_calls>();
  leased_calls leased{calls, lease};
  std::vector<call_result> results;
  std::vector<call_news::kind_type> news;

  void beat() {
    lease->asking();
    lease->answered();
  }
  call_in_flight begin(const std::string& key) {
    call_request request;
    request.idempotency_key = key;
    return leased.begin_told(
      std::move(request), [this](call_result result) { results.push_back(std::move(result)); },
      [this](const call_news& x) { news.push_back(x.kind); });
  }
};

using names = std::vector<std::string>;

} // namespace

BOOST_FIXTURE_TEST_SUITE(leased_calls_test, leased_world)

BOOST_AUTO_TEST_CASE(a_call_begins_at_once_while_the_lease_holds) {
  beat();
  now += 4999ms;
  const auto held = begin("a");
  BOOST_TEST(calls->begun == names{"a"}, boost::test_tools::per_element());
  BOOST_TEST((news == std::vector{call_news::kind_type::in_flight}));
}

BOOST_AUTO_TEST_CASE(a_node_that_stood_still_begins_nothing_before_its_heartbeat_is_answered) {
  beat();
  now += 5s;
  const auto held = begin("a");
  BOOST_TEST(calls->begun.empty());
  BOOST_TEST((news == std::vector{call_news::kind_type::waits}));
  lease->asking();
  BOOST_TEST(calls->begun.empty());
  lease->answered();
  BOOST_TEST(calls->begun == names{"a"}, boost::test_tools::per_element());
  calls->dones.front()("{}");
  BOOST_TEST(results.size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_lease_counts_from_when_it_was_asked_for) {
  lease->asking();
  now += 6s;
  lease->answered();
  const auto held = begin("a");
  BOOST_TEST(calls->begun.empty());
  beat();
  BOOST_TEST(calls->begun.size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_waited_is_never_begun_by_a_node_that_lost_its_shards) {
  beat();
  now += 10s;
  const auto held = begin("a");
  lease->began_anew();
  beat();
  BOOST_TEST(calls->begun.empty());
  const auto next = begin("b");
  BOOST_TEST(calls->begun == names{"b"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_call_that_waits_can_be_taken_back_and_given_up) {
  auto withdrawn = begin("a");
  withdrawn.withdraw(withdraw_reason::paused);
  BOOST_TEST_REQUIRE(results.size() == 1u);
  BOOST_TEST((std::get<call_failure>(results.front()).kind == call_failure::kind_type::withdrawn));
  { const auto let_go = begin("b"); }
  beat();
  BOOST_TEST(calls->begun.empty());
  BOOST_TEST(results.size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_asked_of_a_call_that_waited_reaches_it) {
  {
    auto held = begin("a");
    beat();
    held.withdraw(withdraw_reason::cancelled);
    BOOST_TEST((calls->asked_back == std::vector{withdraw_reason::cancelled}));
    held.give_up(let_go_reason::run_moves);
    BOOST_TEST((calls->let_go == std::vector{let_go_reason::run_moves}));
  }
  BOOST_TEST(calls->let_go.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
