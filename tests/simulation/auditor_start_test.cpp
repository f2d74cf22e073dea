#include "tests/simulation/auditor_history.hpp"

using namespace levain;
using namespace levain::simulation;
using namespace levain::simulation::test;

BOOST_AUTO_TEST_SUITE(auditor_start_test)

BOOST_AUTO_TEST_CASE(a_run_without_trouble_breaks_no_rule) {
  history kept;
  kept.begin();
  kept.succeed("a");
  kept.succeed("b", 1, {completed});
  kept.finish();
  BOOST_TEST(kept.broken() == "");
}

BOOST_AUTO_TEST_CASE(a_start_is_acknowledged_when_it_is_on_disk) {
  history early;
  early.acknowledge(early.ask());
  BOOST_TEST(early.broken() == "start_durable");

  history another;
  const auto request = another.ask([](start_asked& x) { x.input = "{\"day\":2}"; });
  another.accept();
  another.acknowledge(request);
  BOOST_TEST(another.broken() == "start_durable");

  history twice;
  const auto first = twice.ask();
  const auto second = twice.ask();
  twice.accept();
  twice.acknowledge(first);
  twice.acknowledge(second);
  BOOST_TEST(twice.broken() == "start_durable");
}

BOOST_AUTO_TEST_CASE(a_repeated_start_names_the_run_of_the_first) {
  const auto with_key = [](start_asked& x) { x.idempotency_key = "k"; };
  const auto keeps_key = [](run_written& x) { x.key = "k"; };
  history kept;
  const auto first = kept.ask(with_key);
  kept.accept(keeps_key);
  kept.acknowledge(first);
  kept.acknowledge(kept.ask(with_key), true);
  kept.refuse(
    kept.ask([](start_asked& x) {
      x.idempotency_key = "k";
      x.input = "{\"day\":2}";
    }),
    "key_conflict");
  BOOST_TEST(kept.broken() == "");

  history forgotten;
  const auto again = forgotten.ask(with_key);
  forgotten.accept();
  forgotten.acknowledge(again, true);
  BOOST_TEST(forgotten.broken() == "start_repeated");

  history no_conflict;
  const auto before = no_conflict.ask(with_key);
  no_conflict.accept(keeps_key);
  no_conflict.acknowledge(before);
  no_conflict.refuse(no_conflict.ask(with_key), "key_conflict");
  BOOST_TEST(no_conflict.broken() == "start_repeated");
}

BOOST_AUTO_TEST_CASE(a_key_makes_one_run) {
  history two;
  two.accept([](run_written& x) { x.key = "k"; });
  BOOST_TEST(two.broken() == "");
  history second;
  second.run.value.bytes[1] = 0x91;
  second.accept([&](run_written& x) {
    x.key = "k";
    x.by = two.here;
    two.judge.saw(x);
  });
  BOOST_TEST(two.broken() == "key_starts_once");
}

BOOST_AUTO_TEST_CASE(whoever_asks_is_told_once) {
  history twice;
  const auto request = twice.ask();
  twice.accept();
  twice.acknowledge(request);
  twice.refuse(request, "busy");
  BOOST_TEST(twice.broken() == "told_once");

  history never;
  never.ask();
  never.finish();
  BOOST_TEST(never.broken() == "told_once");

  history died;
  died.ask();
  died.kill(died.here);
  died.finish();
  BOOST_TEST(died.broken() == "");
}

BOOST_AUTO_TEST_CASE(a_process_that_was_killed_answers_nobody) {
  history ghost;
  const auto request = ghost.ask();
  ghost.accept();
  ghost.kill(ghost.here);
  ghost.acknowledge(request);
  BOOST_TEST(ghost.broken() == "dead_are_silent");

  history caller;
  caller.begin();
  caller.kill(caller.here);
  caller.call("a");
  BOOST_TEST(caller.broken() == "dead_are_silent");
}

BOOST_AUTO_TEST_CASE(a_start_is_rejected_only_when_its_rows_were) {
  history kept;
  const auto request = kept.ask();
  kept.refuse_rows();
  kept.refuse(request, "rejected");
  BOOST_TEST(kept.broken() == "");

  history neighbour;
  neighbour.refuse(neighbour.ask(), "rejected");
  BOOST_TEST(neighbour.broken() == "refused_alone");
}

BOOST_AUTO_TEST_SUITE_END()
