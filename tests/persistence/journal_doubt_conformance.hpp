#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "tests/persistence/journal_bench.hpp"

namespace levain::test {

// What every journal does with a commit whose answer was lost.

namespace conformance {

inline void a_lost_commit_is_resolved_as_not_written(journal_bench& bench) {
  const std::vector<run_append> batch = {bench_start(bench_run(1)), keyed_start(bench_run(2), "monday", 'a')};
  bench.lose_next_commit();
  BOOST_REQUIRE((bench.subject().append(batch).status == append_answer::status_type::in_doubt));
  const auto resolution = bench.subject().resolve(batch);
  BOOST_REQUIRE(resolution.resolved);
  BOOST_TEST((resolution.answer.status == append_answer::status_type::transient));
  BOOST_TEST(bench.subject().read(bench_run(1)).empty());
  // And it can be appended again.
  const auto again = bench.subject().append(batch);
  BOOST_REQUIRE(is_done(again, 2));
  BOOST_TEST(is_committed(again.outcomes[0]));
  BOOST_TEST(is_committed(again.outcomes[1]));
}

inline void a_lost_answer_is_resolved_as_written(journal_bench& bench) {
  must_commit(bench.subject(), keyed_start(bench_run(9), "sunday", 'a'));
  bench.set_epoch(4, bench_epoch + 1);
  run_append projection = bench_events(bench_run(9), {});
  projection.update = bench_row(bench_run(9));
  const std::vector<run_append> batch = {
    bench_start(bench_run(1)), bench_start(bench_run(2, 4)), keyed_start(bench_run(3), "sunday", 'a'), projection};
  bench.lose_next_answer();
  BOOST_REQUIRE((bench.subject().append(batch).status == append_answer::status_type::in_doubt));
  const auto resolution = bench.subject().resolve(batch);
  BOOST_REQUIRE(resolution.resolved);
  BOOST_REQUIRE(is_done(resolution.answer, 4));
  BOOST_TEST(is_committed(resolution.answer.outcomes[0]));
  BOOST_TEST((resolution.answer.outcomes[1] == append_outcome(append_fenced{bench_epoch + 1})));
  BOOST_TEST((resolution.answer.outcomes[2] == append_outcome(append_duplicate{bench_run(9), true})));
  BOOST_TEST(is_committed(resolution.answer.outcomes[3]));
  BOOST_TEST(bench.subject().read(bench_run(1)).size() == 1u);
}

inline void a_lost_answer_beside_poison_keeps_the_rejection(journal_bench& bench) {
  run_append bad = bench_start(bench_run(1));
  bad.events[0].body = R"("\u0000")";
  const std::vector<run_append> batch = {bad, bench_start(bench_run(2))};
  bench.lose_next_answer();
  BOOST_REQUIRE((bench.subject().append(batch).status == append_answer::status_type::in_doubt));
  const auto resolution = bench.subject().resolve(batch);
  BOOST_REQUIRE(resolution.resolved);
  BOOST_REQUIRE(is_done(resolution.answer, 2));
  BOOST_TEST(reason_of(resolution.answer.outcomes[0]).find("body") != std::string::npos);
  BOOST_TEST(is_committed(resolution.answer.outcomes[1]));
}

inline void a_lost_answer_is_resolved_though_a_run_was_there_twice(journal_bench& bench) {
  const run_id run = bench_run(1);
  run_append again = bench_events(run, {});
  again.update = bench_row(run);
  const std::vector<run_append> batch = {bench_start(run), again};
  bench.lose_next_answer();
  BOOST_REQUIRE((bench.subject().append(batch).status == append_answer::status_type::in_doubt));
  const auto resolution = bench.subject().resolve(batch);
  BOOST_REQUIRE(resolution.resolved);
  BOOST_REQUIRE(is_done(resolution.answer, 2));
  BOOST_TEST(is_committed(resolution.answer.outcomes[0]));
  BOOST_TEST(reason_of(resolution.answer.outcomes[1]).find("twice") != std::string::npos);
}

inline void a_lost_commit_after_a_takeover_is_fenced(journal_bench& bench) {
  const std::vector<run_append> batch = {bench_start(bench_run(1))};
  bench.lose_next_commit();
  BOOST_REQUIRE((bench.subject().append(batch).status == append_answer::status_type::in_doubt));
  bench.set_epoch(3, bench_epoch + 1);
  const auto resolution = bench.subject().resolve(batch);
  BOOST_REQUIRE(resolution.resolved);
  BOOST_REQUIRE(is_done(resolution.answer, 1));
  BOOST_TEST((resolution.answer.outcomes[0] == append_outcome(append_fenced{bench_epoch + 1})));
}

inline void another_owners_event_is_not_taken_for_ones_own(journal_bench& bench) {
  const run_id run = bench_run(1);
  must_commit(bench.subject(), bench_start(run));
  const std::vector<run_append> batch = {bench_events(run, {bench_event(2, event_kind::run_cancelled)})};
  bench.lose_next_commit();
  BOOST_REQUIRE((bench.subject().append(batch).status == append_answer::status_type::in_doubt));
  bench.set_epoch(3, bench_epoch + 1);
  run_append other = bench_events(run, {bench_event(2, event_kind::run_started)});
  other.epoch = bench_epoch + 1;
  must_commit(*bench.another(), other);
  const auto resolution = bench.subject().resolve(batch);
  BOOST_REQUIRE(resolution.resolved);
  BOOST_REQUIRE(is_done(resolution.answer, 1));
  BOOST_TEST((resolution.answer.outcomes[0] == append_outcome(append_fenced{bench_epoch + 1})));
}

inline void a_lost_answer_before_a_takeover_is_still_written(journal_bench& bench) {
  const std::vector<run_append> batch = {bench_start(bench_run(1))};
  bench.lose_next_answer();
  BOOST_REQUIRE((bench.subject().append(batch).status == append_answer::status_type::in_doubt));
  bench.set_epoch(3, bench_epoch + 1);
  const auto resolution = bench.subject().resolve(batch);
  BOOST_REQUIRE(resolution.resolved);
  BOOST_REQUIRE(is_done(resolution.answer, 1));
  BOOST_TEST(is_committed(resolution.answer.outcomes[0]));
}

inline void a_lost_projection_can_be_appended_again(journal_bench& bench) {
  const run_id run = bench_run(1);
  must_commit(bench.subject(), bench_start(run));
  run_append projection = bench_events(run, {});
  projection.update = bench_row(run);
  projection.update->status = run_status::running;
  bench.lose_next_answer();
  BOOST_REQUIRE((bench.subject().append({projection}).status == append_answer::status_type::in_doubt));
  const auto resolution = bench.subject().resolve({projection});
  BOOST_REQUIRE(resolution.resolved);
  BOOST_TEST((resolution.answer.status == append_answer::status_type::transient));
  must_commit(bench.subject(), projection);
}

inline void an_unreachable_database_blames_nobody(journal_bench& bench) {
  const run_id run = bench_run(1);
  must_commit(bench.subject(), bench_start(run));
  bench.goes_away();
  const auto answer = bench.subject().append({bench_start(bench_run(2))});
  BOOST_TEST((answer.status == append_answer::status_type::transient));
  BOOST_TEST(answer.outcomes.empty());
  BOOST_TEST(!answer.reason.empty());
  BOOST_TEST(!bench.subject().resolve({bench_start(bench_run(2))}).resolved);
  BOOST_CHECK_THROW(bench.subject().read(run), journal_unavailable);
  BOOST_CHECK_THROW(bench.subject().list_unfinished({3}), journal_unavailable);
  BOOST_CHECK_THROW(bench.subject().read_unfinished({run}), journal_unavailable);
  bench.comes_back();
  must_commit(bench.subject(), bench_start(bench_run(2)));
  BOOST_TEST(bench.subject().read(run).size() == 1u);
}

} // namespace conformance

/// Every rule above, for whoever registers them.
#define LEVAIN_JOURNAL_DOUBT_RULES(rule)                                                                               \
  rule(a_lost_commit_is_resolved_as_not_written) rule(a_lost_answer_is_resolved_as_written)                            \
    rule(a_lost_answer_beside_poison_keeps_the_rejection) rule(a_lost_answer_is_resolved_though_a_run_was_there_twice) \
      rule(a_lost_commit_after_a_takeover_is_fenced) rule(another_owners_event_is_not_taken_for_ones_own)              \
        rule(a_lost_answer_before_a_takeover_is_still_written) rule(a_lost_projection_can_be_appended_again)           \
          rule(an_unreachable_database_blames_nobody)

} // namespace levain::test
