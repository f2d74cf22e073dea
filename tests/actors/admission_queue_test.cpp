#include "actors/admission_queue.hpp"

#include <boost/test/unit_test.hpp>

#include <map>

using namespace levain;
using namespace std::chrono_literals;

namespace {

constexpr timestamp start{std::chrono::hours(24 * 365 * 50)};

tenant_id tenant(uint8_t n) {
  tenant_id id;
  id.value.bytes[15] = n;
  return id;
}

run_id numbered_run(uint32_t n) {
  run_id id;
  for (int i = 0; i < 4; ++i)
    id.value.bytes[i] = static_cast<uint8_t>(n >> (24 - 8 * i));
  return id;
}

admission_queue::limits bounds(size_t running, size_t per_tenant = 1'000'000, int64_t quantum = 1) {
  return {running, per_tenant, 10s, quantum};
}

} // namespace

BOOST_AUTO_TEST_SUITE(admission_queue_test)

BOOST_AUTO_TEST_CASE(a_free_slot_is_taken_without_waiting) {
  admission_queue queue(bounds(1));
  BOOST_TEST(queue.try_begin(tenant(1)));
  BOOST_TEST(!queue.try_begin(tenant(1)));
  queue.release(tenant(1));
  BOOST_TEST(queue.try_begin(tenant(2)));
}

BOOST_AUTO_TEST_CASE(nobody_overtakes_those_who_wait) {
  admission_queue queue(bounds(1));
  BOOST_TEST(queue.try_begin(tenant(1)));
  queue.push(numbered_run(1), tenant(1), run_priority::normal, 1, start);
  queue.release(tenant(1));
  BOOST_TEST(!queue.try_begin(tenant(2)));
  BOOST_TEST((queue.pop(start) == numbered_run(1)));
}

BOOST_AUTO_TEST_CASE(critical_goes_before_high_before_normal) {
  admission_queue queue(bounds(10));
  queue.push(numbered_run(1), tenant(1), run_priority::normal, 1, start);
  queue.push(numbered_run(2), tenant(1), run_priority::high, 1, start);
  queue.push(numbered_run(3), tenant(1), run_priority::critical, 1, start);
  BOOST_TEST((queue.pop(start) == numbered_run(3)));
  BOOST_TEST((queue.pop(start) == numbered_run(2)));
  BOOST_TEST((queue.pop(start) == numbered_run(1)));
  BOOST_TEST(!queue.pop(start).has_value());
}

BOOST_AUTO_TEST_CASE(tenants_take_turns_however_many_runs_one_of_them_has) {
  admission_queue queue(bounds(1000));
  for (uint32_t i = 0; i < 100; ++i)
    queue.push(numbered_run(i), tenant(1), run_priority::normal, 1, start);
  for (uint32_t i = 100; i < 110; ++i)
    queue.push(numbered_run(i), tenant(2), run_priority::normal, 1, start);
  int of_the_second = 0;
  for (int i = 0; i < 20; ++i)
    of_the_second += *queue.pop(start) >= numbered_run(100) ? 1 : 0;
  BOOST_TEST(of_the_second == 10);
}

BOOST_AUTO_TEST_CASE(a_turn_is_worth_steps_not_runs) {
  // Tenant 1 has runs of ten steps, tenant 2 runs of one: in steps they get the same.
  admission_queue queue(bounds(10'000, 1'000'000, 10));
  for (uint32_t i = 0; i < 100; ++i)
    queue.push(numbered_run(i), tenant(1), run_priority::normal, 10, start);
  for (uint32_t i = 1000; i < 2000; ++i)
    queue.push(numbered_run(i), tenant(2), run_priority::normal, 1, start);
  std::map<bool, int> begun;
  for (int i = 0; i < 220; ++i)
    ++begun[*queue.pop(start) >= numbered_run(1000)];
  BOOST_TEST(begun[false] == 20);
  BOOST_TEST(begun[true] == 200);
}

BOOST_AUTO_TEST_CASE(a_run_costlier_than_a_turn_saves_up_for_it) {
  admission_queue queue(bounds(10, 10, 3));
  queue.push(numbered_run(1), tenant(1), run_priority::normal, 200, start);
  BOOST_TEST((queue.pop(start) == numbered_run(1)));
}

BOOST_AUTO_TEST_CASE(a_tenant_at_its_limit_holds_nobody_else_up) {
  admission_queue queue(bounds(10, 1));
  for (uint32_t i = 1; i <= 3; ++i)
    queue.push(numbered_run(i), tenant(1), run_priority::critical, 1, start);
  queue.push(numbered_run(9), tenant(2), run_priority::normal, 1, start);
  BOOST_TEST((queue.pop(start) == numbered_run(1)));
  BOOST_TEST((queue.pop(start) == numbered_run(9)));
  BOOST_TEST(!queue.pop(start).has_value());
  queue.release(tenant(1));
  BOOST_TEST((queue.pop(start) == numbered_run(2)));
}

BOOST_AUTO_TEST_CASE(a_normal_run_begins_within_two_ageing_intervals_under_a_steady_stream_of_critical_ones) {
  // One slot, one critical run arriving for each that ends: without ageing the normal run never begins.
  admission_queue queue(bounds(1));
  auto now = start;
  queue.push(numbered_run(0), tenant(9), run_priority::normal, 1, now);
  uint32_t next = 1;
  queue.push(numbered_run(next++), tenant(1), run_priority::critical, 1, now);
  std::optional<timestamp> begun;
  while (!begun && now < start + 60s) {
    queue.push(numbered_run(next++), tenant(1), run_priority::critical, 1, now);
    auto run = queue.pop(now);
    BOOST_TEST_REQUIRE(run.has_value());
    if (*run == numbered_run(0))
      begun = now;
    queue.release(*run == numbered_run(0) ? tenant(9) : tenant(1));
    now += 100ms;
  }
  BOOST_TEST_REQUIRE(begun.has_value());
  BOOST_TEST((*begun >= start + 20s));
  BOOST_TEST((*begun <= start + 21s));
}

BOOST_AUTO_TEST_CASE(the_next_ageing_is_that_of_the_longest_waiting) {
  admission_queue queue(bounds(1));
  BOOST_TEST(!queue.next_ageing().has_value());
  queue.push(numbered_run(1), tenant(1), run_priority::normal, 1, start);
  queue.push(numbered_run(2), tenant(1), run_priority::high, 1, start + 1s);
  BOOST_TEST((queue.next_ageing() == start + 10s));
}

BOOST_AUTO_TEST_CASE(a_run_that_left_the_line_does_not_begin) {
  admission_queue queue(bounds(10));
  queue.push(numbered_run(1), tenant(1), run_priority::normal, 1, start);
  queue.push(numbered_run(2), tenant(1), run_priority::normal, 1, start);
  BOOST_TEST(queue.remove(numbered_run(1)));
  BOOST_TEST(!queue.remove(numbered_run(1)));
  BOOST_TEST((queue.pop(start) == numbered_run(2)));
  BOOST_TEST(queue.waiting() == 0u);
}

BOOST_AUTO_TEST_CASE(a_waiting_run_says_whose_limit_keeps_it) {
  admission_queue queue(bounds(5, 1));
  queue.push(numbered_run(1), tenant(1), run_priority::normal, 1, start);
  queue.push(numbered_run(2), tenant(1), run_priority::normal, 1, start);
  BOOST_TEST(queue.why_waiting(numbered_run(2)).find("runs_running_max") != std::string::npos);
  queue.pop(start);
  BOOST_TEST(queue.why_waiting(numbered_run(2)).find("runs_running_per_tenant_max = 1") != std::string::npos);
  BOOST_TEST(queue.why_waiting(numbered_run(1)).empty());
}

BOOST_AUTO_TEST_CASE(a_run_taken_over_has_its_slot_whatever_the_limits_say) {
  admission_queue queue(bounds(1));
  queue.occupy(tenant(1));
  queue.occupy(tenant(1));
  BOOST_TEST(queue.running() == 2u);
  BOOST_TEST(!queue.try_begin(tenant(2)));
}

BOOST_AUTO_TEST_SUITE_END()
