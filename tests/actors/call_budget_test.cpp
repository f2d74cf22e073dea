// What the calls of a node may hold in memory, and who waits for whom.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "actors/calls/call_budget.hpp"
#include "tests/support/seed.hpp"

using namespace levain;
using namespace levain::test;

namespace {

/// Calls of a test by name, those that hold their bytes and those that stand in line.
struct calls {
  explicit calls(uint64_t bytes_max)
    : budget(bytes_max) {}
  ~calls() {
    while (!waiting.empty())
      budget.leave(waiting.extract(waiting.begin()).mapped());
  }
  calls(const calls&) = delete;
  calls& operator=(const calls&) = delete;

  void begin(const std::string& name, const std::string& place, uint64_t bytes) {
    auto found = budget.enter(place, bytes, [this, name](call_bytes_ptr given) {
      BOOST_TEST(waiting.erase(name) == 1u);
      order.push_back(name);
      held[name] = std::move(given);
    });
    if (auto* given = std::get_if<call_bytes_ptr>(&found))
      held[name] = std::move(*given);
    else
      waiting[name] = std::get<call_budget::ticket>(found);
  }
  void end(const std::string& name) { held.extract(name); }
  bool has(const std::string& name) const { return held.contains(name); }

  call_budget budget;
  std::map<std::string, call_bytes_ptr> held;
  std::map<std::string, call_budget::ticket> waiting;
  /// In which those that waited were let in.
  std::vector<std::string> order;
};

using names = std::vector<std::string>;

} // namespace

BOOST_AUTO_TEST_SUITE(call_budget_test)

BOOST_AUTO_TEST_CASE(a_call_waits_while_there_is_no_room_and_is_told_when_there_is) {
  calls all(100);
  all.begin("a", "oven", 40);
  all.begin("b", "oven", 40);
  BOOST_TEST(all.has("a"));
  BOOST_TEST(!all.has("b"));
  BOOST_TEST(all.budget.read().bytes == 40u);
  BOOST_TEST(all.budget.read().calls_waiting == 1u);
  all.end("a");
  BOOST_TEST(all.has("b"));
  all.end("b");
  const auto figures = all.budget.read();
  BOOST_TEST(figures.bytes == 0u);
  BOOST_TEST(figures.bytes_peak == 40u);
  BOOST_TEST(figures.calls_waiting == 0u);
}

BOOST_AUTO_TEST_CASE(a_place_holds_no_more_than_stays_free) {
  calls all(100);
  for (int i = 0; i < 10; ++i)
    all.begin("hangs" + std::to_string(i), "worker mix", 10);
  BOOST_TEST(all.held.size() == 5u);
  // Whoever comes late finds room all the same.
  for (int i = 0; i < 10; ++i)
    all.begin("late" + std::to_string(i), "http://oven", 10);
  BOOST_TEST(all.held.size() == 7u);
  BOOST_TEST(all.has("late1"));
  all.end("late0");
  all.end("late1");
  BOOST_TEST(all.has("late3"));
  BOOST_TEST(!all.has("hangs5"));
}

BOOST_AUTO_TEST_CASE(a_call_larger_than_the_budget_is_made_alone) {
  calls all(100);
  all.begin("large", "oven", 1000);
  BOOST_TEST(all.has("large"));
  all.begin("next", "oven", 1000);
  all.begin("other", "mill", 1000);
  all.begin("small", "fridge", 1);
  BOOST_TEST(all.held.size() == 1u);
  all.end("large");
  BOOST_TEST(all.has("small"));
  BOOST_TEST(all.has("other"));
  BOOST_TEST(!all.has("next"));
  all.end("other");
  BOOST_TEST(all.has("next"));
  BOOST_TEST(all.waiting.empty());
}

BOOST_AUTO_TEST_CASE(one_call_beyond_the_budget_keeps_nobody_from_what_is_free) {
  calls all(100);
  all.begin("hangs", "worker mix", 60);
  BOOST_TEST(all.has("hangs"));
  all.begin("small", "oven", 20);
  BOOST_TEST(all.has("small"));
}

BOOST_AUTO_TEST_CASE(the_calls_of_a_place_go_in_their_order_and_places_take_turns) {
  calls all(100);
  all.begin("first", "a", 50);
  for (const std::string place : {"a", "b", "c"})
    for (const std::string number : {"1", "2"})
      all.begin(place + number, place, 26);
  // A small one does not overtake those of its own place.
  all.begin("a3", "a", 1);
  BOOST_TEST(!all.has("a3"));
  while (!all.held.empty())
    all.end(all.held.begin()->first);
  BOOST_TEST(all.waiting.empty());
  const auto place_in_order = [&](const std::string& name) {
    return std::find(all.order.begin(), all.order.end(), name) - all.order.begin();
  };
  BOOST_TEST(place_in_order("a1") < place_in_order("a2"));
  BOOST_TEST(place_in_order("a2") < place_in_order("a3"));
}

BOOST_AUTO_TEST_CASE(who_leaves_the_line_is_not_told) {
  calls all(100);
  all.begin("a", "oven", 50);
  all.begin("b", "oven", 50);
  all.begin("c", "oven", 50);
  BOOST_TEST(all.budget.leave(all.waiting.at("b")));
  BOOST_TEST(!all.budget.leave(all.waiting.at("b")));
  all.waiting.erase("b");
  all.end("a");
  BOOST_TEST(all.has("c"));
  BOOST_TEST((all.order == names{"c"}));
}

BOOST_AUTO_TEST_CASE(answers_grow_beyond_the_budget_one_at_a_time) {
  calls all(100);
  all.begin("a", "oven", 40);
  all.begin("b", "mill", 20);
  size_t woken = 0;
  const auto wake = [&] { ++woken; };
  BOOST_TEST(all.held["a"]->add(40, wake));
  // One goes on, or nobody would ever end.
  BOOST_TEST(all.held["a"]->add(500, wake));
  BOOST_TEST(!all.held["b"]->add(500, wake));
  BOOST_TEST(all.held["a"]->add(500, wake));
  BOOST_TEST(woken == 0u);
  BOOST_TEST(all.budget.read().answers_waiting == 1u);
  all.end("a");
  BOOST_TEST(woken == 1u);
  BOOST_TEST(all.held["b"]->add(500, wake));
  BOOST_TEST(all.budget.read().answers_waiting == 0u);
}

BOOST_AUTO_TEST_CASE(an_answer_that_nobody_waits_for_is_not_woken) {
  calls all(10);
  all.begin("a", "oven", 5);
  all.begin("b", "mill", 2);
  size_t woken = 0;
  const auto wake = [&] { ++woken; };
  BOOST_TEST(all.held["a"]->add(100, wake));
  BOOST_TEST(!all.held["b"]->add(100, wake));
  all.held["b"]->want_no_room();
  all.end("a");
  BOOST_TEST(woken == 0u);
}

BOOST_AUTO_TEST_CASE(a_shared_text_holds_its_part_until_its_last_call_has_ended) {
  calls all(100);
  all.begin("a", "oven", 40);
  auto text = all.held["a"]->split(30);
  BOOST_TEST(all.held["a"]->count() == 10u);
  all.end("a");
  BOOST_TEST(all.budget.read().bytes == 30u);
  text = nullptr;
  BOOST_TEST(all.budget.read().bytes == 0u);
}

BOOST_AUTO_TEST_CASE(what_a_call_came_to_is_held_as_far_as_there_is_room) {
  calls all(100);
  all.begin("a", "oven", 40);
  BOOST_TEST(all.held["a"]->fit(20));
  BOOST_TEST(all.budget.read().bytes == 20u);
  BOOST_TEST(!all.held["a"]->fit(101));
  BOOST_TEST(all.held["a"]->count() == 20u);
  BOOST_TEST(all.held["a"]->fit(60));
  all.begin("b", "mill", 20);
  BOOST_TEST(all.has("b"));
}

/// Thousands of calls of all sizes: the bound holds at each moment, and everybody has a turn.
BOOST_AUTO_TEST_CASE(every_call_has_its_turn_and_at_most_one_is_beyond) {
  constexpr uint64_t bytes_max = 1000;
  constexpr size_t calls_count = 3000;
  std::mt19937_64 random(announced_seed());
  const auto drawn = [&](uint64_t to) { return std::uniform_int_distribution<uint64_t>(0, to)(random); };
  calls all(bytes_max);
  const auto check = [&] {
    uint64_t sum = 0;
    uint64_t largest = 0;
    for (const auto& [name, bytes] : all.held) {
      sum += bytes->count();
      largest = std::max(largest, bytes->count());
    }
    BOOST_REQUIRE(sum == all.budget.read().bytes);
    BOOST_REQUIRE_MESSAGE(sum - largest <= bytes_max, sum << " bytes are held, the largest call has " << largest);
  };
  size_t begun = 0;
  while (begun < calls_count || !all.held.empty()) {
    if (begun < calls_count && drawn(1) == 0) {
      const auto bytes = drawn(9) == 0 ? drawn(3 * bytes_max) : drawn(bytes_max / 4);
      all.begin("call " + std::to_string(begun++), "place " + std::to_string(drawn(5)), bytes);
    } else if (!all.held.empty()) {
      all.end(std::next(all.held.begin(), static_cast<long>(drawn(all.held.size() - 1)))->first);
    }
    check();
  }
  BOOST_TEST(all.waiting.empty());
  BOOST_TEST(all.budget.read().bytes == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
