// What the database refuses of a run, among real actors on virtual time.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "tests/actors/scripted_runs.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

/// Whatever has the word in it.
std::optional<std::string> refuse_poison(const run_append& append) {
  for (const auto& each : append.events)
    if (each.body.find("poison") != std::string::npos)
      return "column body: cannot be stored";
  return std::nullopt;
}

} // namespace

BOOST_AUTO_TEST_SUITE(run_refusal_test)

BOOST_AUTO_TEST_CASE(an_answer_the_database_refuses_fails_its_step_and_says_so) {
  actor_world world;
  auto start = world.start(chain());
  world.settle();
  const auto run = start->run().run;
  world.manners->on_row = refuse_poison;
  world.calls->answer("one", R"({"x":"poison"})");
  world.advance(1s);
  const auto row = world.row(run);
  BOOST_TEST((row.status == run_status::failed));
  BOOST_TEST(row.error_message.value_or("").find("cannot be stored") != std::string::npos);
  world.check_row_equals_fold(run);
}

BOOST_AUTO_TEST_CASE(an_answer_that_comes_while_a_refused_termination_is_on_its_way_is_kept) {
  actor_world world;
  auto away = std::make_shared<bool>(false);
  database_away(world, away);
  auto start = world.start(workflow_builder("one").step("one").call(scripted()).build());
  world.settle();
  const auto run = start->run().run;
  world.manners->on_row = refuse_poison;
  *away = true;
  auto terminated = world.ask(run, terminate_asked{"mara", "poison"});
  world.settle();
  world.calls->answer("one", R"({"y":1})");
  world.settle();
  *away = false;
  world.advance(10s);
  BOOST_TEST_REQUIRE(terminated->has_value());
  BOOST_TEST(std::holds_alternative<wish_refused>(**terminated));
  BOOST_TEST((world.row(run).status == run_status::completed));
  BOOST_TEST(world.calls->calls().size() == 1u);
  world.check_row_equals_fold(run);
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_refused_takes_no_other_answer_with_it) {
  actor_world world;
  auto away = std::make_shared<bool>(false);
  database_away(world, away);
  auto start = world.start(
    workflow_builder("parallel").step("bad").call(scripted()).proceeds().step("good").call(scripted()).build());
  world.settle();
  world.manners->on_row = refuse_poison;
  *away = true;
  world.calls->answer("bad", R"({"x":"poison"})");
  world.settle();
  world.calls->answer("good", R"({"y":1})");
  world.settle();
  *away = false;
  world.advance(10s);
  const auto run = start->run().run;
  BOOST_TEST((world.row(run).status == run_status::partial_success));
  BOOST_TEST(world.row(run).saga_steps_completed == 1);
  BOOST_TEST(world.calls->calls().size() == 2u);
  world.check_row_equals_fold(run);
}

BOOST_AUTO_TEST_CASE(of_outcomes_that_went_together_only_the_one_at_fault_is_refused) {
  for (const std::string bad : {"two", "three"}) {
    BOOST_TEST_CONTEXT(bad) {
      actor_world world;
      auto away = std::make_shared<bool>(false);
      database_away(world, away);
      workflow_builder builder("free");
      builder.step("one").call(scripted()).effect_none().proceeds();
      builder.step("two").call(scripted()).effect_none().proceeds().after({"one"});
      builder.step("three").call(scripted()).effect_none().proceeds().after({"two"});
      builder.step("four").call(scripted()).after({"three"});
      auto start = world.start(builder.build());
      world.settle();
      const auto run = start->run().run;
      std::vector<size_t> sizes;
      world.manners->on_row = [&](const run_append& append) -> std::optional<std::string> {
        sizes.push_back(append.events.size());
        return refuse_poison(append);
      };
      // The first outcome is on its way; the next ones wait to go with what comes then.
      *away = true;
      for (const std::string step : {"one", "two", "three"}) {
        world.calls->answer(step, step == bad ? R"({"x":"poison"})" : "{}");
        world.settle();
      }
      *away = false;
      world.advance(10s);
      BOOST_TEST_REQUIRE(sizes.size() >= 2u);
      BOOST_TEST(sizes[0] == 1u);
      BOOST_TEST(sizes[1] == 2u);
      for (const std::string step : {"one", "two", "three"})
        BOOST_TEST(world.calls->count(to_string(run) + "/" + step) == 1u);
      BOOST_TEST(world.calls->waits("four"));
      world.calls->answer("four", "{}");
      world.settle();
      BOOST_TEST((world.row(run).status == run_status::partial_success));
      BOOST_TEST(world.row(run).saga_steps_completed == 3);
      world.check_row_equals_fold(run);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_waiting_run_whose_wish_is_refused_still_gets_its_slot) {
  // The slot comes before the refusal, and after it; with the wish in hand the run can take it, or cannot.
  const auto pause = [](actor_world& world, const run_id& run) { return world.ask(run, pause_asked{"poison"}); };
  const auto cancel = [](actor_world& world, const run_id& run) { return world.ask(run, cancel_asked{"poison", ""}); };
  using asking = std::function<std::shared_ptr<std::optional<wish_outcome>>(actor_world&, const run_id&)>;
  const std::vector<std::pair<bool, asking>> ways{{false, pause}, {true, pause}, {false, cancel}, {true, cancel}};
  for (const auto& [slot_first, ask] : ways) {
    actor_world::options settings;
    settings.dispatcher.runs_running_max = 1;
    settings.persistence.batch_runs_max = 1;
    actor_world world(settings);
    auto first = world.start(workflow_builder("long").step("one").call(scripted()).build());
    auto second = world.start(workflow_builder("short").step("only").call(scripted()).build());
    world.settle();
    const auto run = second->run().run;
    bool away = slot_first;
    world.manners->on_append = [&](const std::vector<run_append>& batch) {
      return away && batch.front().run == run ? model_fault::transient : model_fault::none;
    };
    world.manners->on_row = refuse_poison;
    if (slot_first)
      world.calls->answer("one", "{}");
    auto told = ask(world, run);
    world.settle();
    away = false;
    world.advance(1s);
    if (!slot_first)
      world.calls->answer("one", "{}");
    world.settle();
    BOOST_TEST(std::holds_alternative<wish_refused>(told->value()));
    BOOST_TEST_REQUIRE(world.calls->waits("only"));
    world.calls->answer("only", "{}");
    world.settle();
    BOOST_TEST((world.row(run).status == run_status::completed));
  }
}

BOOST_AUTO_TEST_CASE(wishes_that_are_refused_again_and_again_do_a_run_no_harm) {
  actor_world world;
  auto start = world.start(workflow_builder("short").step("only").call(scripted()).build());
  world.settle();
  world.manners->on_row = refuse_poison;
  for (int i = 0; i < 10; ++i) {
    auto told = world.ask(start->run().run, pause_asked{"poison"});
    world.settle();
    BOOST_TEST(std::holds_alternative<wish_refused>(told->value()));
  }
  BOOST_TEST(world.calls->calls().size() == 1u);
  world.calls->answer("only", "{}");
  world.settle();
  BOOST_TEST((world.row(start->run().run).status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(a_refused_cancel_gives_no_call_up) {
  actor_world world;
  auto start = world.start(workflow_builder("short").step("only").call(scripted()).effect_none().build());
  world.settle();
  world.manners->on_row = refuse_poison;
  auto told = world.ask(start->run().run, cancel_asked{"poison", "because"});
  world.settle();
  BOOST_TEST(std::holds_alternative<wish_refused>(told->value()));
  BOOST_TEST_REQUIRE(world.calls->waits("only"));
  world.calls->answer("only", "{}");
  world.settle();
  BOOST_TEST((world.row(start->run().run).status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(a_refused_wish_of_an_ended_run_does_not_silence_it) {
  actor_world world;
  auto start = world.start(workflow_builder("short").step("only").call(scripted()).build());
  world.settle();
  const auto run = start->run().run;
  world.calls->answer("only", failure(call_failure::kind_type::final));
  world.settle();
  world.manners->on_row = refuse_poison;
  auto refused = world.ask(run, retry_asked{"poison"});
  world.settle();
  BOOST_TEST(std::holds_alternative<wish_refused>(refused->value()));

  auto granted = world.ask(run, retry_asked{"somebody"});
  world.settle();
  BOOST_TEST_REQUIRE(granted->has_value());
  BOOST_TEST(std::holds_alternative<wish_granted>(granted->value()));
  BOOST_TEST(world.calls->waits("only"));
}

BOOST_AUTO_TEST_CASE(after_a_refusal_no_call_goes_before_what_it_needs) {
  actor_world world;
  workflow_builder builder("free_then_strict");
  builder.step("free").call(scripted()).effect_none();
  builder.step("strict").call(scripted()).needs({"free"});
  auto start = world.start(builder.build());
  world.settle();
  auto away = std::make_shared<bool>(false);
  world.manners->on_append = [away](const auto&) { return *away ? model_fault::transient : model_fault::none; };
  world.manners->on_row = [away](const run_append& append) -> std::optional<std::string> {
    if (append.events.size() != 1 || append.events.front().kind != event_kind::run_paused)
      return append.events.size() > 1 ? std::optional<std::string>("one of several") : std::nullopt;
    *away = true;
    return "column body: cannot be stored";
  };
  world.ask(start->run().run, pause_asked{"ann"});
  world.calls->answer("free", "{}");
  world.settle();
  BOOST_TEST(*away);
  BOOST_TEST(!world.calls->waits("strict"));
  *away = false;
  world.advance(1s);
  BOOST_TEST(world.calls->waits("strict"));
}

BOOST_AUTO_TEST_SUITE_END()
