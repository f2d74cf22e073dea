#include "tests/simulation/auditor_history.hpp"

using namespace levain;
using namespace levain::simulation;
using namespace levain::simulation::test;

namespace {

/// A node that may hold so many bytes, of calls and of runs.
void allow(history& x, uint64_t calls_bytes_max, uint64_t runs_bytes_max = 1'000'000) {
  x.judge.saw(budgets_known{x.now, x.here, calls_bytes_max, runs_bytes_max});
}

/// Another call of the node beside those of the history, of this many bytes: told of as if it were for workers.
void call_beside(history& x, uint64_t number, size_t bytes) {
  x.call("a", 1, [&](call_made& made) {
    made.call = number;
    made.body += std::string(bytes > made.body.size() ? bytes - made.body.size() : 0, ' ');
  });
}

bool has(const history& x, const std::string& rule) {
  return x.broken().find(rule) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(auditor_memory_test)

BOOST_AUTO_TEST_CASE(calls_hold_no_more_than_allowed_but_for_one) {
  history kept;
  allow(kept, 2'000);
  kept.begin();
  call_beside(kept, 100, 1'000);
  call_beside(kept, 101, 1'000);
  call_beside(kept, 102, 9'000);
  BOOST_TEST(!has(kept, "calls_in_memory"));
  call_beside(kept, 103, 1'000);
  BOOST_TEST(has(kept, "calls_in_memory"));
}

BOOST_AUTO_TEST_CASE(a_call_that_is_over_holds_nothing) {
  history answered;
  allow(answered, 1'000);
  answered.begin();
  for (uint64_t i = 100; i < 120; ++i) {
    call_beside(answered, i, 1'000);
    answered.answer(i, {{"of", "a"}});
  }
  BOOST_TEST(!has(answered, "calls_in_memory"));

  history let_go;
  allow(let_go, 1'000);
  let_go.begin();
  for (uint64_t i = 100; i < 120; ++i) {
    call_beside(let_go, i, 1'000);
    let_go.judge.saw(call_let_go{let_go.now, i});
  }
  BOOST_TEST(!has(let_go, "calls_in_memory"));

  history late;
  allow(late, 1'000);
  late.begin();
  for (uint64_t i = 100; i < 120; ++i) {
    call_beside(late, i, 1'000);
    late.pass(31s);
  }
  BOOST_TEST(!has(late, "calls_in_memory"));
}

BOOST_AUTO_TEST_CASE(a_process_that_died_holds_nothing) {
  history died;
  allow(died, 1'000);
  died.begin();
  call_beside(died, 100, 1'000);
  call_beside(died, 101, 1'000);
  died.kill(died.here);
  died.boot(died.here);
  allow(died, 1'000);
  call_beside(died, 102, 1'000);
  call_beside(died, 103, 1'000);
  BOOST_TEST(!has(died, "calls_in_memory"));
}

BOOST_AUTO_TEST_CASE(a_run_is_accepted_while_there_is_room_or_nothing_else) {
  const auto accept_two = [](uint64_t runs_bytes_max, bool first_ended) {
    history x;
    allow(x, 1'000'000, runs_bytes_max);
    x.accept();
    if (first_ended)
      x.write(
        {started, {event_kind::cancel_requested, {}, 0, {{"by", "ann"}, {"reason", ""}}}, {event_kind::run_cancelled}});
    x.run = {*uuid::parse("0190f2d0-0000-7000-8000-000000000105")};
    x.begin_another();
    x.accept();
    return has(x, "runs_in_memory");
  };
  // The inputs have 9 bytes each.
  BOOST_TEST(!accept_two(18, false));
  BOOST_TEST(accept_two(17, false));
  BOOST_TEST(!accept_two(1, true));
}

BOOST_AUTO_TEST_SUITE_END()
