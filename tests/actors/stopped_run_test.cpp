// Runs whose journal cannot be followed or written: they stop by name, and the node goes on.
#include <boost/test/unit_test.hpp>
#include <caf/send.hpp>

#include "tests/support/actor_world.hpp"
#include "tests/support/workflow_builder.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

workflow_ptr chain() {
  return workflow_builder("chain")
    .step("one")
    .call(function_call{"scripted"})
    .timeout(1h)
    .step("two")
    .call(function_call{"scripted"})
    .timeout(1h)
    .needs({"one"})
    .build();
}

/// A run whose first step is done and whose second is out.
run_id in_the_middle(actor_world& world) {
  auto start = world.start(chain());
  world.settle();
  world.calls->answer("one", "{}");
  world.advance(1s);
  return start->run().run;
}

/// The node ends, this is done to the run's events, and the node comes back.
void damage(actor_world& world, const run_id& run, const std::function<void(std::vector<event_record>&)>& change) {
  world.crash();
  world.database->tamper_with_events(run, change);
  world.boot();
}

std::string refusal(const std::shared_ptr<std::optional<wish_outcome>>& told) {
  BOOST_TEST_REQUIRE(told->has_value());
  const auto* refused = std::get_if<wish_refused>(&**told);
  return refused == nullptr ? "(granted)" : refused->message;
}

std::string refusal_of(actor_world& world, const run_id& run, wish asked) {
  const auto told = world.ask(run, std::move(asked));
  world.settle();
  return refusal(told);
}

struct kind_of_damage {
  const char* name;
  std::function<void(std::vector<event_record>&)> change;
  const char* said;
};

const kind_of_damage damages[] = {
  {"a hole", [](auto& events) { events.erase(events.begin() + 1); }, "it is not the next number"},
  {"no end of it", [](auto& events) { events.clear(); }, "the journal has no events"},
  {"a first event that is none", [](auto& events) { events.erase(events.begin()); }, "event 2"},
  {"a body that is no JSON", [](auto& events) { events[2].body = "{\"output\":"; }, "event 3"},
  {"a body that is another", [](auto& events) { events[2].body = "{\"oven\":1}"; }, "event 3"},
  {"a step that is not there", [](auto& events) { events[2].step = "three"; }, "event 3"},
  {"an unknown kind", [](auto& events) { events[1].kind = static_cast<event_kind>(99); }, "unknown to this program"},
  {"a kind that cannot follow", [](auto& events) { events[1].kind = event_kind::run_resumed; }, "event 2"},
  {"a workflow that is not there",
   [](auto& events) {
     const auto at = events[0].body.find("\"chain\"");
     events[0].body.replace(at, 7, "\"chaim\"");
   },
   "workflow chaim version 1 is not registered"},
};

} // namespace

BOOST_AUTO_TEST_SUITE(stopped_run_test)

BOOST_AUTO_TEST_CASE(every_kind_of_damage_stops_its_own_run_by_name) {
  for (const auto& kind : damages)
    BOOST_TEST_CONTEXT(kind.name) {
      actor_world world;
      const auto run = in_the_middle(world);
      const auto other = in_the_middle(world);
      damage(world, run, kind.change);
      BOOST_TEST(world.status().runs_live == 1u);
      BOOST_TEST(world.status().runs_stopped == 1u);
      const auto stop = world.database->stop(run);
      BOOST_TEST_REQUIRE(stop.has_value());
      BOOST_TEST((stop->kind == stop_kind::journal_damaged));
      BOOST_TEST(stop->reason.find(kind.said) != std::string::npos, stop->reason);
      BOOST_TEST(!world.database->stop(other).has_value());
      // Whoever wishes something of it is told, and the others go on.
      BOOST_TEST(refusal_of(world, run, cancel_asked{"mara", ""})
                   .starts_with("nobody can act for the run: its journal is damaged: "));
      const auto told = world.explain_run(run);
      BOOST_TEST(told.summary == "nobody can act for the run: its journal is damaged");
      BOOST_TEST_REQUIRE(told.waits.size() == 1u);
      BOOST_TEST(told.waits[0].kind == "stopped");
      BOOST_TEST(told.waits[0].text.find(kind.said) != std::string::npos, told.waits[0].text);
      // The watchdog looks at it again: nobody has to retry it.
      BOOST_TEST(told.waits[0].text.ends_with("; it goes on once that is mended"), told.waits[0].text);
      world.calls->answer("two", "{}");
      world.settle();
      BOOST_TEST((world.row(other).status == run_status::completed));
    }
}

BOOST_AUTO_TEST_CASE(a_repaired_run_is_taken_up_by_the_watchdog) {
  actor_world world;
  const auto run = in_the_middle(world);
  const auto whole = world.database->events(run);
  damage(world, run, [](auto& events) { events.erase(events.begin() + 1); });
  world.advance(1min);
  BOOST_TEST(world.status().runs_live == 0u);
  world.database->tamper_with_events(run, [&](auto& events) { events = whole; });
  world.advance(11s);
  BOOST_TEST(world.status().runs_live == 1u);
  BOOST_TEST(world.status().runs_stopped == 0u);
  BOOST_TEST(!world.database->stop(run).has_value());
  world.calls->answer("two", "{}");
  world.settle();
  BOOST_TEST((world.row(run).status == run_status::completed));
  world.check_row_equals_fold(run);
}

BOOST_AUTO_TEST_CASE(a_repaired_run_is_taken_up_when_a_person_retries_it) {
  actor_world world({.watchdog = {.off = true}});
  const auto run = in_the_middle(world);
  const auto whole = world.database->events(run);
  damage(world, run, [](auto& events) { events.clear(); });
  BOOST_TEST(refusal_of(world, run, retry_asked{"mara"}).find("no events") != std::string::npos);
  world.database->tamper_with_events(run, [&](auto& events) { events = whole; });
  BOOST_TEST(refusal_of(world, run, retry_asked{"mara"}) == "(granted)");
  BOOST_TEST(world.status().runs_live == 1u);
  BOOST_TEST(!world.database->stop(run).has_value());
}

BOOST_AUTO_TEST_CASE(a_repaired_run_is_taken_up_by_the_next_node) {
  actor_world world;
  const auto run = in_the_middle(world);
  const auto whole = world.database->events(run);
  damage(world, run, [](auto& events) { events.clear(); });
  damage(world, run, [&](auto& events) { events = whole; });
  BOOST_TEST(world.status().runs_live == 1u);
  BOOST_TEST(!world.database->stop(run).has_value());
}

BOOST_AUTO_TEST_CASE(a_stop_is_written_down_when_the_database_is_back) {
  actor_world world;
  const auto run = in_the_middle(world);
  world.crash();
  world.database->tamper_with_events(run, [](auto& events) { events.clear(); });
  // Every portion is listed up to that of the run, its page is read, and then the database leaves.
  const int portions = shard_of(run) / static_cast<int>(recovery_options{}.shards_at_a_time) + 1;
  auto reads = std::make_shared<int>(portions + 1);
  world.manners->can_read = [reads] { return --*reads >= 0; };
  world.boot();
  BOOST_TEST(world.status().runs_stopped == 1u);
  BOOST_TEST(!world.database->stop(run).has_value());
  world.manners->can_read = nullptr;
  world.advance(1s);
  BOOST_TEST(world.database->stop(run).has_value());
}

BOOST_AUTO_TEST_CASE(an_ended_run_with_a_damaged_journal_refuses_a_retry_and_is_listed) {
  actor_world world;
  auto start = world.start(workflow_builder("flaky").step("one").call(function_call{"scripted"}).build());
  world.settle();
  world.calls->answer("one", call_failure{call_failure::kind_type::final, "the oven is cold", std::nullopt});
  world.settle();
  const auto run = start->run().run;
  world.database->tamper_with_events(run, [](auto& events) { events[1].kind = event_kind::run_paused; });
  BOOST_TEST(refusal_of(world, run, retry_asked{"mara"}).starts_with("nobody can act for the run"));
  BOOST_TEST(world.database->stop(run).has_value());
  world.database->tamper_with_events(run, [](auto& events) { events[1].kind = event_kind::run_started; });
  BOOST_TEST(refusal_of(world, run, retry_asked{"mara"}) == "(granted)");
  BOOST_TEST(!world.database->stop(run).has_value());
}

BOOST_AUTO_TEST_CASE(another_tenant_learns_nothing_of_a_damaged_run) {
  actor_world world;
  const auto run = in_the_middle(world);
  damage(world, run, [](auto& events) { events.clear(); });
  std::optional<wish_outcome> told;
  const tenant_id stranger{*uuid::parse("22222222-2222-4222-8222-222222222222")};
  caf::anon_send(
    world.dispatch, change_run{run, stranger, retry_asked{"eve"}, [&](wish_outcome x) { told = std::move(x); }});
  world.settle();
  BOOST_TEST_REQUIRE(told.has_value());
  BOOST_TEST((std::get<wish_refused>(*told).reason == wish_refused::reason_type::not_found));
}

BOOST_AUTO_TEST_CASE(a_row_without_a_journal_is_refused_by_name) {
  actor_world world;
  audit_row row;
  row.id = run_id{*uuid::parse("33333333-3333-4333-8333-333333333333")};
  row.run_number = "OLD-1";
  row.tenant = actor_world::tenant;
  row.status = run_status::running;
  world.database->add_row(row);
  BOOST_TEST(
    refusal_of(world, row.id, cancel_asked{"mara", ""}) ==
    "the row was not written by this engine and has no journal, so nobody can act for it");
  BOOST_TEST(world.explain_run(row.id).waits.at(0).kind == "row");
  // It is nobody's orphan either.
  world.advance(1min);
  BOOST_TEST(world.status().runs_stopped == 0u);
}

BOOST_AUTO_TEST_CASE(a_run_of_which_the_database_takes_nothing_stops_by_name) {
  actor_world world;
  const auto run = in_the_middle(world);
  world.manners->on_row = [](const run_append&) { return std::optional<std::string>("column run_id: no"); };
  world.calls->answer("two", "{}");
  world.advance(1min);
  BOOST_TEST(world.status().runs_live == 0u);
  BOOST_TEST(world.status().runs_stopped == 1u);
  const auto stop = world.database->stop(run);
  BOOST_TEST_REQUIRE(stop.has_value());
  BOOST_TEST((stop->kind == stop_kind::events_refused));
  BOOST_TEST(stop->reason == "the journal refuses the run's events: column run_id: no");
  const auto told = world.explain_run(run);
  BOOST_TEST(told.waits.back().kind == "stopped");
  BOOST_TEST(
    told.waits.back().text.ends_with("column run_id: no; it goes on once that is mended and somebody retries it"),
    told.waits.back().text);
  // A person mends the database and retries.
  world.manners->on_row = nullptr;
  BOOST_TEST(refusal_of(world, run, retry_asked{"mara"}) == "(granted)");
  BOOST_TEST(!world.database->stop(run).has_value());
  world.calls->answer("two", "{}");
  world.settle();
  BOOST_TEST((world.row(run).status == run_status::completed));
  world.check_row_equals_fold(run);
}

BOOST_AUTO_TEST_SUITE_END()
