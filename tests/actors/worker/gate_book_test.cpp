#include "actors/worker/gate_book.hpp"

#include <boost/test/unit_test.hpp>

#include "actors/worker/worker_limits.hpp"

using namespace levain;
using namespace std::chrono_literals;

namespace {

const worker_moment start = worker_moment(std::chrono::hours(1));

wire_address place(uint16_t port) {
  return {"127.0.0.1", port};
}

std::string ports(const std::vector<wire_address>& all) {
  std::string text;
  for (const auto& each : all)
    text += (text.empty() ? "" : " ") + std::to_string(each.port);
  return text;
}

/// Without jitter when the random number is a half.
constexpr double middle = 0.5;

struct book_world {
  /// Everything due is tried, and nobody answers.
  uint32_t fail(uint16_t port) {
    now += 1h;
    book.due(now);
    return book.failed(place(port), now, middle);
  }

  worker_moment now = start;
  gate_book book{{place(1), place(2)}, {.initial = 100ms, .wait_max = 1s, .jitter = 0.2}, 30s};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(gate_book_test, book_world)

BOOST_AUTO_TEST_CASE(the_gates_given_are_due_at_once_and_only_once_at_a_time) {
  BOOST_TEST(ports(book.due(now)) == "1 2");
  BOOST_TEST(ports(book.due(now)).empty());
  BOOST_TEST(!book.next_due().has_value());
}

BOOST_AUTO_TEST_CASE(a_gate_that_does_not_answer_is_tried_again_less_and_less_often) {
  book.due(now);
  book.opened(place(2), 1);
  std::string waits;
  for (int i = 0; i < 6; ++i) {
    book.failed(place(1), now, middle);
    const auto due = book.next_due().value();
    waits += std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(due - now).count()) + " ";
    now = due;
    BOOST_TEST(ports(book.due(now)) == "1");
  }
  BOOST_TEST(waits == "100 200 400 800 1000 1000 ");
}

BOOST_AUTO_TEST_CASE(the_waits_of_many_workers_are_spread) {
  book.due(now);
  book.failed(place(1), now, 0.0);
  book.failed(place(2), now, 0.999);
  BOOST_TEST(ports(book.due(now + 80ms)) == "1");
  BOOST_TEST(ports(book.due(now + 110ms)).empty());
  BOOST_TEST(ports(book.due(now + 120ms)) == "2");
}

BOOST_AUTO_TEST_CASE(an_open_gate_is_not_due_and_after_its_loss_begins_with_the_first_wait) {
  book.due(now);
  book.failed(place(1), now, middle);
  now += 1s;
  book.due(now);
  book.opened(place(1), 7);
  book.opened(place(2), 8);
  BOOST_TEST(!book.next_due().has_value());
  book.lost(7, now, middle);
  BOOST_TEST((book.next_due() == now + 100ms));
}

BOOST_AUTO_TEST_CASE(two_names_of_one_gate_are_lost_together) {
  book.due(now);
  book.opened(place(1), 7);
  book.opened(place(2), 7);
  book.lost(7, now, middle);
  BOOST_TEST(ports(book.due(now + 100ms)) == "1 2");
}

BOOST_AUTO_TEST_CASE(a_refusal_and_a_cut_are_waited_out_slowly) {
  book.due(now);
  book.refused(place(1), now, middle);
  book.opened(place(2), 1);
  book.lost(1, now, middle, true);
  BOOST_TEST(ports(book.due(now + 30s - 1ms)).empty());
  BOOST_TEST(ports(book.due(now + 30s)) == "1 2");
}

BOOST_AUTO_TEST_CASE(gates_that_are_listed_are_tried_at_once) {
  book.due(now);
  book.opened(place(1), 1);
  book.list(1, {place(1), place(3)}, now);
  BOOST_TEST(ports(book.due(now)) == "3");
  BOOST_TEST(book.known() == 3U);
}

BOOST_AUTO_TEST_CASE(who_is_not_listed_any_more_and_does_not_answer_is_forgotten) {
  book.due(now);
  book.opened(place(1), 1);
  book.list(1, {place(1), place(3)}, now);
  book.list(1, {place(1)}, now);
  BOOST_TEST(fail(3) == 1U);
  BOOST_TEST(fail(3) == 2U);
  BOOST_TEST(fail(3) == 0U);
  BOOST_TEST(book.known() == 2U);
}

BOOST_AUTO_TEST_CASE(who_is_listed_by_any_gate_is_never_forgotten) {
  book.due(now);
  book.opened(place(1), 1);
  book.opened(place(2), 2);
  book.list(1, {place(3)}, now);
  book.list(2, {place(3)}, now);
  book.list(1, {}, now);
  for (uint32_t i = 1; i <= 2 * gate_tries_max; ++i)
    BOOST_TEST(fail(3) == i);
}

BOOST_AUTO_TEST_CASE(nobody_is_forgotten_while_nobody_is_connected) {
  book.due(now);
  book.opened(place(1), 1);
  book.list(1, {place(1), place(3)}, now);
  // Not listed any more, by one who is gone himself.
  book.list(1, {place(1)}, now);
  book.lost(1, now, middle);
  for (uint32_t i = 1; i <= 2 * gate_tries_max; ++i)
    BOOST_TEST(fail(3) == i);
}

BOOST_AUTO_TEST_CASE(what_the_caller_gave_is_never_forgotten) {
  book.due(now);
  book.opened(place(1), 1);
  book.list(1, {place(1)}, now);
  for (uint32_t i = 1; i <= 2 * gate_tries_max; ++i)
    BOOST_TEST(fail(2) == i);
}

BOOST_AUTO_TEST_CASE(no_list_makes_it_know_more_gates_than_the_limit) {
  std::vector<wire_address> many;
  for (uint16_t port = 1; port <= gates_known_max + 100; ++port)
    many.push_back(place(port));
  book.list(1, many, now);
  BOOST_TEST(book.known() == gates_known_max);
}

BOOST_AUTO_TEST_SUITE_END()
