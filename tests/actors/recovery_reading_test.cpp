// What recovery asks of the journal, and what it makes of the answers.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include <caf/send.hpp>

#include "actors/workflow/parse_definition.hpp"
#include "persistence/model_definition_store.hpp"
#include "tests/actors/scripted_runs.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

/// What was asked of a journal, and what happens when it is.
struct journal_questions {
  size_t lists = 0;
  size_t pages_answered = 0;
  size_t stop_writes = 0;
  std::vector<run_id> read;
  std::function<void()> after_list = [] {};
  /// Pages that fail before one is answered.
  size_t pages_to_fail = 0;
};

class questioned_journal : public model_journal {
public:
  questioned_journal(
    std::shared_ptr<model_database> database, std::shared_ptr<model_manners> manners,
    std::shared_ptr<journal_questions> questions)
    : model_journal(std::move(database), std::move(manners))
    , questions_(std::move(questions)) {}

  std::vector<run_id> list_unfinished(const std::vector<shard_number>& shards) override {
    auto listed = model_journal::list_unfinished(shards);
    ++questions_->lists;
    questions_->after_list();
    return listed;
  }

  std::vector<unfinished_run> read_unfinished(const std::vector<run_id>& runs) override {
    if (questions_->pages_answered > 0 && questions_->pages_to_fail > 0) {
      --questions_->pages_to_fail;
      throw journal_unavailable("the test has taken the database away");
    }
    ++questions_->pages_answered;
    questions_->read.insert(questions_->read.end(), runs.begin(), runs.end());
    return model_journal::read_unfinished(runs);
  }

  void write_stops(const std::vector<stop_change>& changes) override {
    ++questions_->stop_writes;
    model_journal::write_stops(changes);
  }

private:
  std::shared_ptr<journal_questions> questions_;
};

workflow_ptr one_step(const std::string& name = "one_step") {
  const auto text = R"({"workflow": ")" + name + R"(", "version": 1, "steps": [
    {"name": "one", "call": {"function": {"name": "scripted"}}, "timeout": "1h"}]})";
  return parse_definition(text).workflow;
}

/// A node that died and left a hundred runs; its successor reads ten at a time.
struct left_behind {
  explicit left_behind(size_t runs_per_second_max = 1'000'000)
    : world(settings(runs_per_second_max, questions)) {
    for (int i = 0; i < 100; ++i)
      runs.push_back(world.start(one_step()));
    world.settle();
    world.crash();
    *questions = {};
  }

  static actor_world::options settings(size_t runs_per_second_max, std::shared_ptr<journal_questions> questions) {
    actor_world::options settings;
    settings.recovery.page_runs_max = 10;
    settings.recovery.runs_per_second_max = runs_per_second_max;
    settings.make_recovery_journal = [questions](auto database, auto manners) {
      return std::make_unique<questioned_journal>(database, manners, questions);
    };
    return settings;
  }

  run_id run(size_t i) const { return runs.at(i)->run().run; }

  std::shared_ptr<journal_questions> questions = std::make_shared<journal_questions>();
  actor_world world;
  std::vector<std::shared_ptr<actor_world::started>> runs;
};

/// How often the rows of runs are written in appends of their own or with events.
std::shared_ptr<size_t> count_updates(actor_world& world) {
  auto updates = std::make_shared<size_t>(0);
  world.manners->on_append = [updates](const std::vector<run_append>& batch) {
    *updates += static_cast<size_t>(
      std::count_if(batch.begin(), batch.end(), [](const run_append& each) { return each.update.has_value(); }));
    return model_fault::none;
  };
  return updates;
}

} // namespace

BOOST_AUTO_TEST_SUITE(recovery_reading_test)

BOOST_AUTO_TEST_CASE(the_runs_of_a_portion_are_listed_once_and_each_is_read_once) {
  left_behind left;
  left.world.boot();
  left.world.advance(1s);
  BOOST_TEST(left.world.status().runs_live == 100u);
  BOOST_TEST(left.questions->lists == shard_count / recovery_options{}.shards_at_a_time);
  BOOST_TEST(left.questions->pages_answered >= 10u);
  std::sort(left.questions->read.begin(), left.questions->read.end());
  std::vector<run_id> expected;
  for (size_t i = 0; i < 100; ++i)
    expected.push_back(left.run(i));
  std::sort(expected.begin(), expected.end());
  BOOST_TEST((left.questions->read == expected));
}

BOOST_AUTO_TEST_CASE(a_run_that_ended_after_it_was_listed_is_not_taken_up) {
  left_behind left;
  left.questions->after_list = [&] {
    left.world.database->tamper_with_row(left.run(42), [](audit_row& row) { row.status = run_status::cancelled; });
  };
  left.world.boot();
  left.world.advance(1s);
  const auto status = left.world.status();
  BOOST_TEST(status.runs_live == 99u);
  BOOST_TEST(status.shards_ready == shard_count);
}

BOOST_AUTO_TEST_CASE(a_portion_of_which_nothing_is_left_is_done_all_the_same) {
  left_behind left;
  left.questions->after_list = [&] {
    for (size_t i = 0; i < 100; ++i)
      left.world.database->tamper_with_row(left.run(i), [](audit_row& row) { row.status = run_status::cancelled; });
  };
  left.world.boot();
  left.world.advance(1s);
  BOOST_TEST(left.world.status().runs_live == 0u);
  BOOST_TEST(left.world.status().shards_ready == shard_count);
}

BOOST_AUTO_TEST_CASE(a_page_that_met_no_database_is_read_again) {
  left_behind left;
  left.questions->pages_to_fail = 2;
  left.world.boot();
  left.world.advance(5s);
  const auto status = left.world.status();
  BOOST_TEST(left.questions->pages_to_fail == 0u);
  BOOST_TEST(status.runs_live == 100u);
  BOOST_TEST(status.runs_recovered == 100u);
  BOOST_TEST(status.shards_ready == shard_count);
  BOOST_TEST(left.questions->lists == shard_count / recovery_options{}.shards_at_a_time);
}

BOOST_AUTO_TEST_CASE(a_page_of_which_a_definition_could_not_be_read_is_read_again_from_its_beginning) {
  actor_world world;
  for (const auto* name : {"first", "second", "first", "third"})
    world.start(one_step(name));
  world.settle();
  world.crash();
  // The cache of the next node knows none of them, and every second question meets no database.
  size_t asked = 0;
  world.workflows = std::make_shared<workflow_cache>(
    std::make_unique<model_definition_store>(world.database, [&asked] { return ++asked % 2 == 1; }));
  world.boot();
  world.advance(10s);
  BOOST_TEST(asked > 3u);
  BOOST_TEST(world.status().runs_live == 4u);
  BOOST_TEST(world.status().shards_ready == shard_count);
}

BOOST_AUTO_TEST_CASE(runs_of_shards_that_go_elsewhere_are_not_read_any_more) {
  left_behind left(20);
  left.world.boot();
  const auto before = left.questions->read.size();
  BOOST_TEST(before == 10u);
  // Every second shard goes.
  forget_shards gone;
  for (shard_number shard = 0; shard < shard_count; shard += 2)
    gone.shards.push_back({shard, left.world.database->epoch(shard)});
  caf::anon_send(left.world.environment()->recovery, gone);
  left.world.advance(10s);
  const auto read_since = std::vector(left.questions->read.begin() + 10, left.questions->read.end());
  BOOST_TEST(!read_since.empty());
  BOOST_TEST(
    std::none_of(read_since.begin(), read_since.end(), [](const run_id& run) { return shard_of(run) % 2 == 0; }));
  const auto status = left.world.status();
  BOOST_TEST(status.runs_live == left.questions->read.size());
  BOOST_TEST(status.shards_ready == shard_count / 2);
}

BOOST_AUTO_TEST_CASE(only_a_run_that_was_stopped_has_its_stop_removed) {
  left_behind left;
  left.world.boot();
  left.world.advance(1s);
  BOOST_TEST(left.questions->stop_writes == 0u);
  const auto run = left.run(42);
  model_journal(left.world.database)
    .write_stops(
      {{run, left.world.database->epoch(shard_of(run)), run_stop{stop_kind::stuck, "a timer was lost", {}}}});
  left.world.crash();
  left.world.boot();
  left.world.advance(1s);
  BOOST_TEST(left.questions->stop_writes == 1u);
  BOOST_TEST(!left.world.database->stop(run).has_value());
}

BOOST_AUTO_TEST_CASE(a_row_that_shows_everything_is_not_written_for_being_taken_up) {
  actor_world world;
  auto start = world.start(chain());
  world.advance(1s);
  world.calls->answer("one", "{}");
  world.advance(1s);
  const auto run = start->run().run;
  world.check_row_equals_fold(run);
  world.crash();
  const auto updates = count_updates(world);
  world.boot();
  world.advance(10s);
  BOOST_TEST(world.status().runs_live == 1u);
  BOOST_TEST(*updates == 0u);
  world.calls->answer("two", "{}");
  world.settle();
  world.check_row_equals_fold(run);
}

BOOST_AUTO_TEST_CASE(a_row_that_shows_the_start_of_a_run_that_was_accepted_in_the_same_instant_is_not_written) {
  actor_world world;
  auto start = world.start(chain());
  world.settle();
  const auto events = world.database->events(start->run().run);
  BOOST_TEST_REQUIRE(events.size() == 2u);
  BOOST_TEST((events[0].at == events[1].at));
  world.crash();
  const auto updates = count_updates(world);
  world.boot();
  world.advance(10s);
  BOOST_TEST(*updates == 0u);
}

BOOST_AUTO_TEST_CASE(a_row_that_was_left_behind_is_brought_up_to_date) {
  actor_world world;
  auto start = world.start(chain());
  world.advance(100ms);
  world.calls->answer("one", "{}");
  world.settle();
  const auto run = start->run().run;
  BOOST_TEST(world.row(run).saga_steps_completed == 0);
  world.crash();
  world.boot();
  world.advance(1s);
  BOOST_TEST(world.row(run).saga_steps_completed == 1);
  world.check_row_equals_fold(run);
}

BOOST_AUTO_TEST_CASE(a_row_is_brought_up_to_date_when_its_time_could_mean_either_of_two_events) {
  actor_world world;
  auto start = world.start(chain());
  world.settle();
  world.calls->answer("one", "{}");
  world.settle();
  const auto run = start->run().run;
  // All in one instant: the row is that of the start, and has the time of the step.
  BOOST_TEST((world.row(run).updated_at == world.database->events(run).back().at));
  BOOST_TEST(world.row(run).saga_steps_completed == 0);
  world.crash();
  world.boot();
  world.advance(1s);
  BOOST_TEST(world.row(run).saga_steps_completed == 1);
}

BOOST_AUTO_TEST_SUITE_END()
