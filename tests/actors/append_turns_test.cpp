#include "actors/append_turns.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>

using namespace levain;

namespace {

run_id run(uint64_t number) {
  return {make_uuid_v7(timestamp{}, {number, number})};
}

tenant_id tenant(uint64_t number) {
  return {make_uuid_v7(timestamp{}, {1'000 + number, number})};
}

std::vector<run_id> batch(append_turns& turns, size_t runs_max) {
  turns.begin_batch(runs_max);
  std::vector<run_id> taken;
  while (taken.size() < runs_max) {
    const auto next = turns.next();
    if (!next)
      break;
    taken.push_back(*next);
  }
  return taken;
}

} // namespace

BOOST_AUTO_TEST_SUITE(append_turns_test)

BOOST_AUTO_TEST_CASE(one_tenants_runs_come_in_the_order_of_their_arrival) {
  append_turns turns;
  for (uint64_t i = 0; i < 5; ++i)
    turns.push(run(i), tenant(1));
  BOOST_TEST((batch(turns, 3) == std::vector{run(0), run(1), run(2)}));
  BOOST_TEST((batch(turns, 3) == std::vector{run(3), run(4)}));
  BOOST_TEST(batch(turns, 3).empty());
}

BOOST_AUTO_TEST_CASE(tenants_take_turns) {
  append_turns turns;
  for (uint64_t i = 0; i < 4; ++i)
    turns.push(run(i), tenant(1));
  turns.push(run(10), tenant(2));
  turns.push(run(11), tenant(2));
  BOOST_TEST((batch(turns, 5) == std::vector{run(0), run(10), run(1), run(11), run(2)}));
  BOOST_TEST((batch(turns, 5) == std::vector{run(3)}));
}

BOOST_AUTO_TEST_CASE(while_somebody_who_writes_little_is_about_nobody_fills_a_batch) {
  append_turns turns;
  turns.push(run(1'000), tenant(2));
  for (uint64_t i = 0; i < 500; ++i)
    turns.push(run(i), tenant(1));
  BOOST_TEST(batch(turns, 200).size() == append_turns::part + 1);
  const auto next = batch(turns, 200); // The other has nothing in line, and may have soon.
  BOOST_TEST(next.size() == append_turns::part);
  BOOST_TEST((next.front() == run(append_turns::part)));
}

BOOST_AUTO_TEST_CASE(where_everybody_writes_much_batches_are_full) {
  append_turns turns;
  for (uint64_t i = 0; i < 500; ++i) {
    turns.push(run(i), tenant(1));
    turns.push(run(1'000 + i), tenant(2));
  }
  const auto both = batch(turns, 200);
  BOOST_TEST(both.size() == 200u);
  BOOST_TEST(std::count_if(both.begin(), both.end(), [](const run_id& x) { return x < run(1'000); }) == 100);
}

BOOST_AUTO_TEST_CASE(who_has_been_silent_for_long_is_not_about) {
  append_turns turns;
  turns.push(run(1'000'000), tenant(2));
  size_t batches = 0;
  for (uint64_t i = 0; i < 100'000; ++i)
    turns.push(run(i), tenant(1));
  while (batch(turns, 200).size() < 200)
    ++batches;
  BOOST_TEST(batches >= append_turns::about_for_batches);
  BOOST_TEST(batches <= 2 * append_turns::about_for_batches + 1);
}

BOOST_AUTO_TEST_CASE(the_first_of_each_tenant_is_known) {
  append_turns turns;
  for (uint64_t i = 0; i < 200; ++i)
    turns.push(run(i), tenant(1));
  turns.push(run(1'000), tenant(2));
  BOOST_TEST((turns.fronts() == std::vector{run(0), run(1'000)}));
  batch(turns, 200); // The first has had its part, and the second nothing left.
  BOOST_TEST((turns.fronts() == std::vector{run(append_turns::part)}));
  BOOST_TEST((batch(turns, 1) == std::vector{run(append_turns::part)}));
}

BOOST_AUTO_TEST_SUITE_END()
