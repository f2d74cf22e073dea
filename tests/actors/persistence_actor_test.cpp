// Batches: how large they get, who shares one, and what happens while the database is away.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "tests/support/actor_world.hpp"
#include "tests/support/fed_run.hpp"
#include "tests/support/workflow_builder.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

workflow_ptr one_step() {
  return workflow_builder("one_step").step("one").call(function_call{"scripted"}).timeout(1h).build();
}

/// Records the size of each batch, and keeps the database away while told to.
struct watched_batches {
  explicit watched_batches(actor_world& world) {
    world.manners->on_append = [this](const std::vector<run_append>& batch) {
      if (away)
        return model_fault::transient;
      sizes.push_back(batch.size());
      return model_fault::none;
    };
  }
  std::vector<size_t> sizes;
  bool away = false;
};

} // namespace

BOOST_AUTO_TEST_SUITE(persistence_actor_test)

BOOST_AUTO_TEST_CASE(a_lonely_run_is_written_at_once) {
  actor_world world;
  watched_batches batches(world);
  world.start(one_step());
  world.settle(); // No time passes: nobody waited for company.
  BOOST_TEST((batches.sizes == std::vector<size_t>{1}));
}

BOOST_AUTO_TEST_CASE(what_gathers_during_a_commit_shares_the_next_batch) {
  actor_world world;
  watched_batches batches(world);
  batches.away = true;
  for (int i = 0; i < 20; ++i)
    world.start(one_step());
  world.settle();
  batches.away = false;
  world.advance(1s);
  size_t written = 0;
  for (const auto size : batches.sizes)
    written += size;
  BOOST_TEST(written == 20u);
  BOOST_TEST(batches.sizes.size() <= 2u);
}

BOOST_AUTO_TEST_CASE(a_run_whose_row_is_locked_waits_alone_and_goes_on_when_it_is_free) {
  actor_world world;
  std::optional<run_id> locked;
  world.manners->is_locked = [&](const run_append& append) { return append.run == locked; };
  auto first = world.start(one_step());
  world.settle();
  locked = first->run().run;
  world.calls->answer("one", "{}");
  world.settle();
  auto second = world.start(one_step());
  world.settle();
  BOOST_TEST(world.writer_status->held_up.contains(*locked));
  BOOST_TEST((world.story(*locked) == std::vector{event_kind::run_accepted, event_kind::run_started}));
  // Nobody else waits, and the database is not taken for slow.
  world.calls->answer("one", "{}");
  world.settle();
  BOOST_TEST((world.row(second->run().run).status == run_status::completed));
  BOOST_TEST(!world.writer_status->outage.going_on());
  world.advance(1min);
  BOOST_TEST((world.story(*locked) == std::vector{event_kind::run_accepted, event_kind::run_started}));
  const auto run = *locked;
  locked.reset();
  world.advance(2s);
  BOOST_TEST((world.row(run).status == run_status::completed));
  BOOST_TEST(!world.writer_status->held_up.contains(run));
}

BOOST_AUTO_TEST_CASE(what_an_earlier_owner_left_waiting_is_not_written_under_the_next_epoch) {
  actor_world world;
  watched_batches batches(world);
  auto start = world.start(one_step());
  world.settle();
  const auto run = start->run().run;
  // Another run's batch keeps the writer busy, so that everything about this one waits together.
  batches.away = true;
  world.start(one_step());
  world.settle();
  world.calls->answer("one", "{}");
  world.settle();
  world.database->set_epoch(shard_of(run), world.database->epoch(shard_of(run)) + 1);
  world.advance(5s);
  BOOST_TEST_REQUIRE(world.calls->calls().size() == 2u); // The same node owns the run anew.
  batches.away = false;
  world.advance(10s);
  BOOST_TEST((world.story(run) == std::vector{event_kind::run_accepted, event_kind::run_started}));
  world.calls->answer("one", "{}");
  world.advance(10s);
  BOOST_TEST((world.row(run).status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(batches_and_how_long_they_took_are_measured) {
  actor_world world;
  watched_batches batches(world);
  batches.away = true;
  for (int i = 0; i < 20; ++i)
    world.start(one_step());
  world.settle();
  BOOST_TEST(world.writer_status->batch_runs.read().count == 0u);
  batches.away = false;
  world.advance(1s);
  const auto runs = world.writer_status->batch_runs.read();
  BOOST_TEST(runs.count == batches.sizes.size());
  BOOST_TEST(runs.max == *std::max_element(batches.sizes.begin(), batches.sizes.end()));
  BOOST_TEST(world.writer_status->batch_events.read().max >= runs.max);
  // Virtual time stands still while the model writes.
  BOOST_TEST((world.writer_status->commit_micros.read() == recent_values::figures{runs.count, 0, 0, 0}));
}

BOOST_AUTO_TEST_CASE(tenants_take_turns_before_the_database) {
  actor_world::options settings;
  settings.persistence.batch_runs_max = 2;
  actor_world world(settings);
  std::vector<std::vector<run_id>> written;
  bool away = true;
  world.manners->on_append = [&](const std::vector<run_append>& batch) {
    if (away)
      return model_fault::transient;
    written.emplace_back();
    for (const auto& each : batch)
      written.back().push_back(each.run);
    return model_fault::none;
  };
  const tenant_id other{*uuid::parse("22222222-2222-4222-8222-222222222222")};
  // The first is in the batch that waits for the database, and so is nobody else.
  world.start(one_step());
  world.settle();
  for (int i = 0; i < 6; ++i)
    world.start(one_step());
  auto late = world.start(one_step(), [&](start_request& request) { request.tenant = other; });
  world.settle();
  away = false;
  world.advance(1s);
  BOOST_TEST_REQUIRE(written.size() >= 2u);
  BOOST_TEST(written[0].size() == 1u);
  BOOST_TEST((written[1].back() == late->run().run)); // Behind one of the six.
}

BOOST_AUTO_TEST_CASE(it_is_told_how_much_waits_and_whether_the_database_answers) {
  actor_world world;
  watched_batches batches(world);
  BOOST_TEST(world.writer_status->pressure(world.now()).database_answers);
  batches.away = true;
  world.start(one_step());
  world.settle();
  for (int i = 0; i < 3; ++i)
    world.start(one_step());
  world.advance(30ms);
  const auto during = world.writer_status->pressure(world.now());
  BOOST_TEST(during.waiting == 3u);
  BOOST_TEST((during.wait == duration(30ms)));
  BOOST_TEST(!during.database_answers);
  batches.away = false;
  world.advance(1s);
  const auto after = world.writer_status->pressure(world.now());
  BOOST_TEST(after.waiting == 0u);
  BOOST_TEST((after.wait == duration(0)));
  BOOST_TEST(after.database_answers);
}

BOOST_AUTO_TEST_CASE(it_is_told_how_long_the_oldest_append_has_been_waiting) {
  actor_world world;
  watched_batches batches(world);
  const auto wait = [&] { return world.writer_status->backlog.wait(world.now()); };
  BOOST_TEST(wait().count() == 0);
  batches.away = true;
  world.start(one_step());
  world.advance(300ms);
  world.start(one_step());
  world.advance(200ms);
  BOOST_TEST(wait().count() == duration(500ms).count());
  batches.away = false;
  world.advance(1s);
  BOOST_TEST(world.database->rows().size() == 2u);
  BOOST_TEST(wait().count() == 0);
}

BOOST_AUTO_TEST_CASE(a_batch_has_no_more_runs_than_its_limit) {
  actor_world::options settings;
  settings.persistence.batch_runs_max = 7;
  actor_world world(settings);
  watched_batches batches(world);
  batches.away = true;
  for (int i = 0; i < 30; ++i)
    world.start(one_step());
  world.settle();
  batches.away = false;
  world.advance(1s);
  BOOST_TEST(*std::max_element(batches.sizes.begin(), batches.sizes.end()) == 7u);
  BOOST_TEST(world.database->rows().size() == 30u);
}

BOOST_AUTO_TEST_CASE(a_batch_is_closed_when_it_has_its_bytes) {
  actor_world::options settings;
  settings.persistence.batch_bytes_max = 3000;
  actor_world world(settings);
  watched_batches batches(world);
  batches.away = true;
  for (int i = 0; i < 10; ++i)
    world.start(one_step(), [](start_request& x) { x.input = '"' + std::string(2000, 'x') + '"'; });
  world.settle();
  batches.away = false;
  world.advance(1s);
  BOOST_TEST(*std::max_element(batches.sizes.begin(), batches.sizes.end()) == 2u);
  BOOST_TEST(world.database->rows().size() == 10u);
}

BOOST_AUTO_TEST_CASE(tries_come_further_apart_up_to_the_limit) {
  actor_world::options settings;
  settings.persistence.retry_interval_initial = 100ms;
  settings.persistence.retry_interval_max = 1s;
  actor_world world(settings);
  int tries = 0;
  world.manners->on_append = [&](const auto&) {
    ++tries;
    return model_fault::transient;
  };
  world.start(one_step());
  world.advance(60s);
  // At least one a second from the fourth on, at most two: the wait is between half and the whole of its interval.
  BOOST_TEST(tries >= 55);
  BOOST_TEST(tries <= 130);
  BOOST_TEST(world.writer_status->outage.going_on());
  BOOST_TEST(!world.writer_status->failing_reason().empty());
  world.manners->on_append = nullptr;
  world.advance(2s);
  BOOST_TEST(!world.writer_status->outage.going_on());
  BOOST_TEST(world.writer_status->failing_reason().empty());
}

BOOST_AUTO_TEST_CASE(an_idle_writer_waits_for_no_timer) {
  actor_world world;
  watched_batches batches(world);
  auto start = world.start(workflow_builder("short").step("one").build());
  world.settle();
  const auto written = batches.sizes.size();
  world.advance(1h);
  BOOST_TEST(batches.sizes.size() == written);
}

BOOST_AUTO_TEST_CASE(a_run_that_is_refused_and_gone_leaves_nothing_behind) {
  actor_world world;
  size_t refusals = 30;
  world.manners->on_row = [&](const run_append&) -> std::optional<std::string> {
    if (refusals == 0)
      return std::nullopt;
    --refusals;
    return "no such tenant";
  };
  std::vector<std::shared_ptr<actor_world::started>> refused;
  for (int i = 0; i < 30; ++i)
    refused.push_back(world.start(one_step()));
  world.settle();
  for (const auto& each : refused)
    BOOST_TEST((each->refusal().reason == start_refused::reason_type::rejected));
  BOOST_TEST(world.writer_status->rejections_open.load() == 0u);
  // A run that decides anew after the refusal lives on, and nothing is remembered of it either.
  auto start = world.start(one_step());
  world.settle();
  refusals = 1;
  world.calls->answer("one", "{}");
  world.settle();
  BOOST_TEST(refusals == 0u);
  world.advance(1h);
  BOOST_TEST((world.row(start->run().run).status != run_status::running));
  BOOST_TEST(world.writer_status->rejections_open.load() == 0u);
}

BOOST_AUTO_TEST_CASE(lines_that_were_dropped_keep_nobody_waiting) {
  actor_world::options settings;
  settings.persistence.batch_runs_max = 1;
  actor_world world(settings);
  watched_batches batches(world);
  world.manners->on_row = [](const run_append& append) -> std::optional<std::string> {
    const bool bad = std::any_of(append.events.begin(), append.events.end(), [](const event_record& each) {
      return each.body.find("unstorable") != std::string::npos;
    });
    return bad ? std::optional<std::string>("body: does not fit") : std::nullopt;
  };
  const auto retried =
    workflow_builder("retried").step("bad").call(function_call{"scripted"}).timeout(1h).attempts(2).build();
  const auto first = world.start(retried);
  const auto other = world.start(one_step());
  world.settle();
  // While the database is away a second append of the first run lines up, and is dropped with the first.
  batches.away = true;
  world.calls->answer("bad", retryable("unstorable"));
  world.settle();
  world.ask(first->run().run, pause_asked{"ann"});
  world.settle();
  batches.away = false;
  world.advance(10s);
  world.calls->answer("one", "{}");
  world.advance(1s);
  BOOST_TEST((world.row(other->run().run).status == run_status::completed));
}

BOOST_AUTO_TEST_SUITE_END()
