// Run numbers: in blocks, few at first, and given back.
#include <boost/test/unit_test.hpp>
#include <set>

#include <caf/send.hpp>

#include "persistence/model_leases.hpp"
#include "tests/support/actor_world.hpp"
#include "tests/support/forgetful_leases.hpp"
#include "tests/support/workflow_builder.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

workflow_ptr one_step() {
  return workflow_builder("one_step").step("one").call(function_call{"scripted"}).timeout(1h).build();
}

/// Has no run numbers to give while the test says so.
class numberless_leases : public forgetful_leases {
public:
  numberless_leases(std::unique_ptr<leases> real, std::shared_ptr<bool> away)
    : forgetful_leases(std::move(real), std::make_shared<std::set<std::string>>())
    , away_(std::move(away)) {}
  int64_t reserve_run_numbers(int64_t count) override {
    if (*away_)
      throw journal_unavailable("the database cannot be reached");
    return forgetful_leases::reserve_run_numbers(count);
  }

private:
  std::shared_ptr<bool> away_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(run_numbers_test)

BOOST_AUTO_TEST_CASE(run_numbers_are_unique_and_carry_the_day) {
  actor_world::options settings;
  settings.dispatcher.run_numbers_block = 4; // Blocks run out while starts come in.
  actor_world world(settings);
  std::set<std::string> numbers;
  for (int i = 0; i < 20; ++i) {
    auto start = world.start(one_step());
    world.settle();
    numbers.insert(start->run().run_number);
  }
  BOOST_TEST(numbers.size() == 20u);
  BOOST_TEST(*numbers.begin() == "ORCH-20261123-00000001");
}

BOOST_AUTO_TEST_CASE(run_numbers_that_were_not_used_are_given_back_at_an_end_in_order) {
  actor_world::options settings;
  settings.dispatcher.run_numbers_block = 10;
  actor_world world(settings);
  for (int i = 0; i < 7; ++i)
    world.start(one_step());
  world.settle();
  caf::anon_send(world.dispatch, stop_admitting{});
  world.settle();
  model_leases table(world.database);
  BOOST_TEST(table.reserve_run_numbers(1) == 8);
  // Nobody gets one of them any more.
  auto late = world.start(one_step());
  world.settle();
  BOOST_TEST((late->refusal().reason == start_refused::reason_type::not_ready));
}

BOOST_AUTO_TEST_CASE(a_node_that_starts_takes_few_run_numbers) {
  actor_world world;
  auto start = world.start(one_step());
  world.settle();
  BOOST_TEST(start->run().run_number == "ORCH-20261123-00000001");
  BOOST_TEST(model_leases(world.database).reserve_run_numbers(1) == dispatcher_options{}.run_numbers_first_block + 1);
}

BOOST_AUTO_TEST_CASE(starts_wait_for_numbers_that_are_on_their_way) {
  actor_world::options settings;
  settings.dispatcher.run_numbers_block = 4;
  actor_world world(settings);
  std::vector<std::shared_ptr<actor_world::started>> starts;
  for (int i = 0; i < 50; ++i)
    starts.push_back(world.start(one_step()));
  world.settle();
  std::set<std::string> numbers;
  for (const auto& each : starts)
    numbers.insert(each->run().run_number);
  BOOST_TEST(numbers.size() == 50u);
  BOOST_TEST(*numbers.rbegin() == "ORCH-20261123-00000050");
}

BOOST_AUTO_TEST_CASE(what_was_taken_as_a_whole_is_started_as_a_whole_when_its_numbers_come) {
  actor_world::options settings;
  settings.dispatcher.run_numbers_block = 2;
  const auto away = std::make_shared<bool>(false);
  settings.change_leases = [away](lease_beginning& x) {
    x.store = std::make_unique<numberless_leases>(std::move(x.store), away);
  };
  actor_world world(settings);
  const auto workflow = one_step();
  world.start(workflow);
  world.settle();
  std::vector<std::shared_ptr<actor_world::started>> told;
  start_runs all;
  all.refused = [](const start_refused& refused) { BOOST_ERROR(refused.message); };
  for (int i = 0; i < 7; ++i) {
    told.push_back(std::make_shared<actor_world::started>());
    start_request request;
    request.tenant = world.tenant;
    request.workflow = workflow;
    all.starts.push_back(
      {std::move(request), [one = told.back()](start_outcome outcome) { one->outcome = std::move(outcome); }});
  }
  *away = true;
  caf::anon_send(world.dispatch, std::move(all));
  world.settle();
  BOOST_TEST(!told.back()->outcome.has_value());
  // While numbers are on their way the database falls behind.
  world.pressure = append_pressure{10s, 10'000, true};
  *away = false;
  world.advance(10s);
  for (const auto& each : told)
    BOOST_TEST(!each->run().run_number.empty());
}

BOOST_AUTO_TEST_CASE(starts_that_wait_for_numbers_are_refused_when_the_node_ends) {
  actor_world::options settings;
  settings.dispatcher.run_numbers_block = 1;
  const auto away = std::make_shared<bool>(false);
  settings.change_leases = [away](lease_beginning& x) {
    x.store = std::make_unique<numberless_leases>(std::move(x.store), away);
  };
  actor_world world(settings);
  *away = true;
  auto first = world.start(one_step());
  auto second = world.start(one_step());
  world.settle();
  BOOST_TEST(!first->run().run_number.empty());
  BOOST_TEST(!second->outcome.has_value());
  caf::anon_send(world.dispatch, stop_admitting{});
  world.settle();
  BOOST_TEST((second->refusal().reason == start_refused::reason_type::not_ready));
}

BOOST_AUTO_TEST_SUITE_END()
