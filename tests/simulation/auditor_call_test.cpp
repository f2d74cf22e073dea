#include "tests/simulation/auditor_history.hpp"

using namespace levain;
using namespace levain::simulation;
using namespace levain::simulation::test;

namespace {

/// `a` and `b` have no effect outside.
void without_effect(workflow_known& x) {
  for (auto& step : x.steps) {
    step.effect_none = true;
    step.compensates = false;
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(auditor_call_test)

BOOST_AUTO_TEST_CASE(a_call_follows_what_it_needs_to_the_disk) {
  history unheard;
  unheard.call("a");
  BOOST_TEST(unheard.broken() == "call_after_commit");

  history waiting;
  waiting.accept();
  waiting.call("a");
  BOOST_TEST(waiting.broken() == "call_after_commit");

  history too_soon;
  too_soon.begin();
  too_soon.answer(too_soon.call("a"), {{"of", "a"}});
  too_soon.call("b");
  BOOST_TEST(too_soon.broken() == "call_after_commit");
}

BOOST_AUTO_TEST_CASE(a_call_without_effect_may_go_before_the_disk_but_not_before_the_answer) {
  history kept(without_effect);
  kept.begin();
  kept.answer(kept.call("a"), {{"of", "a"}});
  kept.results["a"] = {{"of", "a"}};
  kept.answer(kept.call("b"), {{"of", "b"}});
  kept.write(
    {{event_kind::step_succeeded, "a", 1, {{"output", {{"of", "a"}}}}},
     {event_kind::step_succeeded, "b", 1, {{"output", {{"of", "b"}}}}},
     completed});
  BOOST_TEST(kept.broken() == "");

  history unanswered(without_effect);
  unanswered.begin();
  unanswered.call("a");
  unanswered.call("b");
  BOOST_TEST(unanswered.broken() == "call_after_commit");

  history mixed([](workflow_known& x) {
    without_effect(x);
    x.steps[0].effect_none = false;
  });
  mixed.begin();
  mixed.answer(mixed.call("a"), {{"of", "a"}});
  mixed.call("b");
  BOOST_TEST(mixed.broken() == "call_after_commit");
}

BOOST_AUTO_TEST_CASE(a_retry_is_called_when_its_beginning_is_on_disk) {
  history kept;
  kept.begin();
  kept.fail(kept.call("a"), "retryable");
  kept.write({kept.fails_for_now("a", 1s)});
  kept.pass(1s);
  kept.write({{event_kind::attempt_started, "a", 2}});
  kept.call("a", 2);
  BOOST_TEST(kept.broken() == "");

  history early;
  early.begin();
  early.fail(early.call("a"), "retryable");
  early.write({early.fails_for_now("a", 1s)});
  early.call("a", 2);
  BOOST_TEST(early.broken() == "call_after_commit");
}

BOOST_AUTO_TEST_CASE(a_call_whose_outcome_is_on_disk_is_not_made_again) {
  history again;
  again.begin();
  again.succeed("a");
  again.results = json::object();
  again.call("a");
  BOOST_TEST(again.broken() == "call_after_outcome call_once_per_ownership");
}

BOOST_AUTO_TEST_CASE(an_owner_of_before_may_not_know_that_the_outcome_is_on_disk) {
  history kept;
  kept.begin();
  kept.boot(kept.there);
  kept.pass(6s);
  kept.own(kept.there, 2);
  kept.succeed("a");
  kept.call("a", 1, [&](call_made& x) {
    x.from = kept.here;
    x.body = kept.body_of("a", 1, json::object()).dump();
  });
  BOOST_TEST(kept.broken() == "");
}

BOOST_AUTO_TEST_CASE(an_owner_of_before_may_read_what_came_since_and_call_it_once) {
  history kept;
  kept.begin();
  kept.boot(kept.there);
  kept.pass(6s);
  kept.own(kept.there, 2);
  kept.pass(1s);
  kept.succeed("a");
  const auto by_the_former_owner = [&](call_made& x) { x.from = kept.here; };
  kept.call("b", 1, by_the_former_owner);
  BOOST_TEST(kept.broken() == "");
  kept.call("b", 1, by_the_former_owner);
  BOOST_TEST(kept.broken() == "call_once_per_ownership");
}

BOOST_AUTO_TEST_CASE(a_node_that_never_owned_the_run_calls_nothing) {
  history intruder;
  intruder.begin();
  intruder.boot(intruder.there);
  intruder.call("a", 1, [&](call_made& x) { x.from = intruder.there; });
  BOOST_TEST(intruder.broken() == "call_by_owner");
}

BOOST_AUTO_TEST_CASE(every_try_has_the_same_key) {
  history numbered;
  numbered.begin();
  numbered.call("a", 1, [](call_made& x) { x.idempotency_key += "/1"; });
  BOOST_TEST(numbered.broken() == "call_key");
}

BOOST_AUTO_TEST_CASE(what_was_undone_is_done_anew_under_a_key_of_its_own) {
  const auto up_to_the_retry = [](history& x) {
    x.begin();
    x.succeed("a");
    x.fail_finally("b", {compensates});
    x.undone("a", {failed});
    x.grant([&] {
      const auto request = x.wish(wish_kind::retry, "ann");
      x.write({{event_kind::run_retried, {}, 0, {{"by", "ann"}}}});
      return request;
    }());
    x.results = json::object();
  };
  history kept;
  up_to_the_retry(kept);
  kept.call("a", 2, [](call_made& x) { x.idempotency_key += "/redo/1"; });
  BOOST_TEST(kept.broken() == "");

  history old_key;
  up_to_the_retry(old_key);
  old_key.call("a", 2);
  BOOST_TEST(old_key.broken() == "call_key");
}

BOOST_AUTO_TEST_CASE(an_attempt_is_called_once_by_each_owner) {
  history twice;
  twice.begin();
  twice.call("a");
  twice.call("a");
  BOOST_TEST(twice.broken() == "call_once_per_ownership");

  history taken_over;
  taken_over.begin();
  taken_over.call("a");
  taken_over.kill(taken_over.here);
  taken_over.boot({1, 1});
  taken_over.own({1, 1}, 2);
  taken_over.call("a");
  BOOST_TEST(taken_over.broken() == "");

  history back_again;
  back_again.begin();
  back_again.call("a");
  back_again.pass(6s);
  back_again.own(back_again.here, 2);
  back_again.call("a");
  BOOST_TEST(back_again.broken() == "");
}

BOOST_AUTO_TEST_CASE(a_call_receives_the_input_and_the_results_it_comes_after) {
  const auto with = [](const std::function<void(history&, call_made&)>& change) {
    history x;
    x.begin();
    x.succeed("a");
    x.call("b", 1, [&](call_made& made) { change(x, made); });
    return x.broken();
  };
  BOOST_TEST(with([](history&, call_made&) {}) == "");
  BOOST_TEST(
    with([](history& x, call_made& made) { made.body = x.body_of("b", 1, json::object()).dump(); }) == "call_body");
  BOOST_TEST(with([](history& x, call_made& made) {
               made.body = x.body_of("b", 1, {{"a", {{"of", "z"}}}}).dump();
             }) == "call_body");
  BOOST_TEST(with([](history& x, call_made& made) {
               x.input = {{"day", 2}};
               made.body = x.body_of("b", 1, x.results).dump();
             }) == "call_body");
  BOOST_TEST(with([](history& x, call_made& made) { made.body = x.body_of("b", 2, x.results).dump(); }) == "call_body");
  BOOST_TEST(with([](history&, call_made& made) { made.body = "[]"; }) == "call_body");
}

BOOST_AUTO_TEST_CASE(every_attempt_receives_what_had_ended_when_its_step_began) {
  // `last` begins when `bad` fails, since that skips `skipped`; `slow` ends later.
  const auto second_attempt = [](const json& with) {
    history x([](workflow_known& known) {
      auto step = known.steps.front();
      known.steps.clear();
      for (const auto* name : {"bad", "slow", "skipped", "last"}) {
        step.name = name;
        known.steps.push_back(step);
      }
      known.steps[0].continues = true;
      known.steps[2].needs = {"bad", "slow"};
      known.steps[3].after = {"skipped"};
    });
    x.begin();
    x.fail_finally("bad", {{event_kind::step_skipped, "skipped"}});
    x.fail(x.call("last"), "retryable");
    x.write({x.fails_for_now("last", 1s)});
    x.succeed("slow");
    x.pass(1s);
    x.write({{event_kind::attempt_started, "last", 2}});
    x.results = with;
    x.call("last", 2);
    return x.broken();
  };
  BOOST_TEST(second_attempt(json::object()) == "");
  BOOST_TEST(second_attempt({{"slow", {{"of", "slow"}}}}) == "call_body");
}

BOOST_AUTO_TEST_CASE(a_run_is_called_by_its_own_version) {
  history other_step;
  other_step.begin();
  other_step.call("z");
  BOOST_TEST(other_step.broken() == "version_pinned");

  history other_version;
  other_version.begin();
  ++other_version.workflow.version;
  other_version.call("a");
  BOOST_TEST(other_version.broken() == "version_pinned");
}

BOOST_AUTO_TEST_CASE(a_call_is_for_the_tenant_of_its_run) {
  history mixed;
  mixed.begin();
  mixed.call("a", 1, [&](call_made& x) { x.tenant = mixed.stranger; });
  BOOST_TEST(mixed.broken() == "tenants_apart");

  history told;
  told.begin();
  told.tenant = told.stranger;
  const auto body = told.body_of("a", 1, json::object()).dump();
  told.tenant = history().tenant;
  told.call("a", 1, [&](call_made& x) { x.body = body; });
  BOOST_TEST(told.broken() == "tenants_apart");
}

BOOST_AUTO_TEST_SUITE_END()
