// What recovery reads at a time: as many runs as there is memory for, and in the end all of them.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <numeric>
#include <optional>
#include <stdexcept>

#include "actors/workflow/parse_definition.hpp"
#include "persistence/journal_survey.hpp"
#include "tests/actors/scripted_runs.hpp"
#include "tests/support/has.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

constexpr uint64_t mebibyte = 1024 * 1024;
constexpr size_t kibibyte = 1024;

/// What a journal says of its sizes, and what was read of it.
struct measures {
  /// Bytes of a run's events; what they have by default.
  std::function<std::optional<uint64_t>(const run_id&)> size = [](const run_id&) { return std::nullopt; };
  /// Throws when these runs are measured, or read.
  std::function<void(const std::vector<run_id>&)> on_sizes = [](const auto&) {};
  std::function<void(const std::vector<run_id>&)> on_read = [](const auto&) {};
  std::vector<std::vector<run_id>> pages;

  bool was_read(const run_id& run) const {
    return std::ranges::any_of(pages, [&](const auto& page) { return std::ranges::find(page, run) != page.end(); });
  }
};

class measured_journal : public model_journal, public journal_survey {
public:
  measured_journal(
    const std::shared_ptr<model_database>& database, std::shared_ptr<model_manners> manners,
    std::shared_ptr<measures> asked)
    : model_journal(database, std::move(manners))
    , database_(database)
    , asked_(std::move(asked)) {}

  page survey(const std::vector<shard_lease>&, const std::optional<run_id>&, size_t) override { return {}; }
  std::vector<run_id> contradicted(const std::vector<run_id>&) override { return {}; }

  std::vector<uint64_t> sizes(const std::vector<run_id>& runs, uint64_t bytes_max) override {
    asked_->on_sizes(runs);
    std::vector<uint64_t> found;
    uint64_t sum = 0;
    for (const auto& run : runs) {
      uint64_t bytes = 0;
      for (const auto& event : database_->events(run))
        bytes += event.body.size();
      found.push_back(asked_->size(run).value_or(bytes));
      sum += found.back();
      if (sum >= bytes_max)
        break;
    }
    return found;
  }

  std::vector<unfinished_run> read_unfinished(const std::vector<run_id>& runs) override {
    asked_->on_read(runs);
    asked_->pages.push_back(runs);
    return model_journal::read_unfinished(runs);
  }

private:
  std::shared_ptr<model_database> database_;
  std::shared_ptr<measures> asked_;
};

/// Another node reads its definition.
workflow_ptr one_step(const std::string& name) {
  return parse_definition(R"({"workflow": ")" + name + R"(", "version": 1, "steps": [
             {"name": "one", "call": {"function": {"name": "scripted"}}, "timeout": "1h"}]})")
    .workflow;
}

/// A node that died and left runs with inputs of this size.
struct left_behind {
  explicit left_behind(size_t count = 100, size_t input_bytes = 2, size_t runs_bytes_max = 1024 * mebibyte) {
    const auto one = one_step("one");
    for (size_t i = 0; i < count; ++i)
      starts.push_back(before.start(
        one, [&](start_request& request) { request.input = '"' + std::string(input_bytes - 2, 'x') + '"'; }));
    before.settle();
    before.crash();
    actor_world::options settings;
    settings.seed = 2;
    settings.dispatcher.runs_bytes_max = runs_bytes_max;
    settings.recovery.shards_at_a_time = shard_count;
    settings.recovery.runs_per_second_max = 1'000'000;
    settings.make_recovery_journal = [asked = asked](auto database, auto manners) {
      return std::make_unique<measured_journal>(database, manners, asked);
    };
    // The next node begins when the test says so.
    boot = [settings, database = before.database] { return std::make_unique<actor_world>(settings, database); };
  }

  run_id run(size_t i) const { return starts.at(i)->run().run; }

  std::shared_ptr<measures> asked = std::make_shared<measures>();
  /// Its clock is the database's.
  actor_world before;
  std::vector<std::shared_ptr<actor_world::started>> starts;
  std::function<std::unique_ptr<actor_world>()> boot;
};

bool holds(const std::vector<run_id>& runs, const run_id& run) {
  return std::ranges::find(runs, run) != runs.end();
}

} // namespace

BOOST_AUTO_TEST_SUITE(recovery_bytes_test)

BOOST_AUTO_TEST_CASE(a_page_has_no_more_bytes_than_allowed_and_all_runs_are_read) {
  left_behind left;
  left.asked->size = [](const run_id&) { return 4 * mebibyte; };
  const auto world = left.boot();
  world->advance(10s);
  BOOST_TEST(world->status().runs_live == 100u);
  BOOST_TEST(world->status().shards_ready == shard_count);
  // 32 MiB a page (recovery_page_bytes_max).
  for (const auto& page : left.asked->pages)
    BOOST_TEST(page.size() <= 8u);
  BOOST_TEST(left.asked->pages.size() == 13u);
}

BOOST_AUTO_TEST_CASE(a_run_of_which_no_memory_bears_all_is_stopped_by_name_and_never_read) {
  left_behind left;
  const auto large = left.run(42);
  left.asked->size = [&](const run_id& run) { return run == large ? 513 * mebibyte : 1 * mebibyte; };
  const auto world = left.boot();
  world->advance(10s);
  BOOST_TEST(world->status().runs_live == 99u);
  BOOST_TEST(world->status().shards_ready == shard_count);
  BOOST_TEST(!left.asked->was_read(large));
  const auto stop = world->database->stop(large);
  BOOST_TEST_REQUIRE(stop.has_value());
  BOOST_TEST((stop->kind == stop_kind::journal_damaged));
  BOOST_TEST(has(stop->reason, "has 537919488 bytes"), stop->reason);
  BOOST_TEST(has(stop->reason, "recovery_run_bytes_max"), stop->reason);
}

BOOST_AUTO_TEST_CASE(a_run_larger_than_a_page_is_read_alone) {
  left_behind left;
  const auto large = left.run(42);
  left.asked->size = [&](const run_id& run) { return run == large ? 500 * mebibyte : kibibyte; };
  const auto world = left.boot();
  world->advance(10s);
  BOOST_TEST(world->status().runs_live == 100u);
  for (const auto& page : left.asked->pages)
    if (holds(page, large))
      BOOST_TEST((page.back() == large)); // Those before it came to a page's bytes with it.
}

BOOST_AUTO_TEST_CASE(a_run_that_the_database_cannot_write_out_is_stopped_alone) {
  left_behind left;
  const auto bad = left.run(42);
  left.asked->on_sizes = [&](const std::vector<run_id>& runs) {
    if (holds(runs, bad))
      throw std::invalid_argument("out of memory\nDETAIL: Cannot enlarge string buffer");
  };
  const auto world = left.boot();
  world->advance(10s);
  BOOST_TEST(world->status().runs_live == 99u);
  BOOST_TEST(!left.asked->was_read(bad));
  const auto stop = world->database->stop(bad);
  BOOST_TEST_REQUIRE(stop.has_value());
  BOOST_TEST(has(stop->reason, "the database cannot write its journal out: out of memory"), stop->reason);
}

BOOST_AUTO_TEST_CASE(a_page_that_the_memory_does_not_bear_is_read_in_smaller_ones) {
  left_behind left;
  left.asked->on_read = [](const std::vector<run_id>& runs) {
    if (runs.size() > 3)
      throw std::bad_alloc();
  };
  const auto world = left.boot();
  world->advance(1min);
  BOOST_TEST(world->status().runs_live == 100u);
  BOOST_TEST(world->status().runs_stopped == 0u);
  BOOST_TEST(world->status().shards_ready == shard_count);
}

BOOST_AUTO_TEST_CASE(a_page_that_takes_the_database_too_long_is_read_in_smaller_ones) {
  left_behind left;
  left.asked->on_read = [](const std::vector<run_id>& runs) {
    if (runs.size() > 3)
      throw journal_unavailable("canceling statement due to statement timeout");
  };
  const auto world = left.boot();
  world->advance(1min);
  BOOST_TEST(world->status().runs_live == 100u);
}

BOOST_AUTO_TEST_CASE(a_run_that_the_memory_does_not_bear_alone_keeps_no_other_waiting) {
  left_behind left;
  const auto large = left.run(42);
  left.asked->on_read = [&](const std::vector<run_id>& runs) {
    if (holds(runs, large))
      throw std::bad_alloc();
  };
  const auto world = left.boot();
  world->advance(1min);
  BOOST_TEST(world->status().runs_live >= 99u);
  BOOST_TEST(world->status().shards_ready == shard_count);
  // By another way, which the test lets be, the watchdog reads it back.
  world->advance(1min);
  BOOST_TEST(world->status().runs_live == 100u);
  BOOST_TEST(world->status().runs_stopped == 0u);
}

BOOST_AUTO_TEST_CASE(runs_are_taken_up_within_the_memory_for_runs) {
  left_behind left(30, 100 * kibibyte, 1000 * kibibyte);
  const auto world = left.boot();
  world->advance(200ms);
  const auto first = world->status().runs_live;
  BOOST_TEST(first >= 9u);
  BOOST_TEST(first <= 10u);
  // As some end, others are read.
  world->calls->answer("one", "{}");
  world->advance(200ms);
  BOOST_TEST(world->status().runs_recovered >= 2 * first);
  BOOST_TEST(world->status().runs_live <= 10u);
}

BOOST_AUTO_TEST_CASE(what_was_accepted_is_taken_up_however_little_memory_there_is) {
  left_behind left(30, 100 * kibibyte, 1000 * kibibyte);
  const auto world = left.boot();
  world->advance(3s);
  BOOST_TEST(world->status().runs_live == 30u);
  BOOST_TEST(world->status().runs_stopped == 0u);
  auto refused = world->start(one_step("new"));
  world->settle();
  BOOST_TEST(has(refused->refusal().message, "runs_bytes_max"), refused->refusal().message);
  while (world->calls->waits("one")) {
    world->calls->answer("one", "{}");
    world->settle();
  }
  for (size_t i = 0; i < 30; ++i)
    BOOST_TEST((world->row(left.run(i)).status == run_status::completed));
}

BOOST_AUTO_TEST_SUITE_END()
