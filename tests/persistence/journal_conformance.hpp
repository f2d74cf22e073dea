#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "tests/persistence/journal_bench.hpp"

namespace levain::test {

// What every journal does. What it does with a commit whose answer was lost: journal_doubt_conformance.hpp.

namespace conformance {

inline void appended_events_are_read_back_in_order(journal_bench& bench) {
  const run_id run = bench_run(1);
  must_commit(bench.subject(), bench_start(run));
  event_record step = bench_event(3, event_kind::step_succeeded);
  step.step = "forecasting, \"the\" {first} \\ step";
  step.attempt = 2;
  step.body = R"({"output":{"a":[1,2],"b":"\"\\ \u00e4"}})";
  must_commit(bench.subject(), bench_events(run, {bench_event(2, event_kind::run_started), step}));
  must_commit(bench.subject(), bench_events(run, {bench_event(4, event_kind::run_completed)}));

  auto events = bench.subject().read(run);
  BOOST_REQUIRE(events.size() == 4u);
  BOOST_TEST(same_json(events[2].body, step.body));
  events[2].body = step.body;
  BOOST_TEST(
    (events ==
     std::vector{
       bench_event(1), bench_event(2, event_kind::run_started), step, bench_event(4, event_kind::run_completed)}));
}

inline void every_kind_of_event_is_remembered(journal_bench& bench) {
  const run_id run = bench_run(1);
  run_append append = bench_start(run);
  append.events.clear();
  for (int i = 0; i < event_kind_count; ++i)
    append.events.push_back(bench_event(i + 1, static_cast<event_kind>(i)));
  must_commit(bench.subject(), append);
  BOOST_TEST((bench.subject().read(run) == append.events));
}

inline void an_unknown_run_has_no_events(journal_bench& bench) {
  BOOST_TEST(bench.subject().read(bench_run(99)).empty());
}

inline void an_empty_batch_is_done(journal_bench& bench) {
  BOOST_TEST(is_done(bench.subject().append({}), 0));
}

inline void many_runs_share_a_batch(journal_bench& bench) {
  std::vector<run_append> batch;
  for (int i = 0; i < 300; ++i)
    batch.push_back(bench_start(bench_run(i)));
  const auto answer = bench.subject().append(batch);
  BOOST_REQUIRE(is_done(answer, 300));
  for (int i = 0; i < 300; ++i) {
    BOOST_TEST(is_committed(answer.outcomes[static_cast<size_t>(i)]));
    BOOST_TEST(bench.row(bench_run(i)).has_value());
  }
}

inline void every_column_of_an_inserted_row_is_kept(journal_bench& bench) {
  run_append append = bench_start(bench_run(1));
  append.insert = full_row(append.run, 0);
  must_commit(bench.subject(), append);
  const auto row = bench.row(append.run);
  BOOST_REQUIRE(row);
  BOOST_TEST(same_row(*row, *append.insert));
}

inline void an_update_sets_every_column(journal_bench& bench) {
  run_append append = bench_start(bench_run(1));
  must_commit(bench.subject(), append);
  BOOST_TEST(same_row(*bench.row(append.run), *append.insert));
  run_append update = bench_events(append.run, {bench_event(2, event_kind::run_completed)});
  update.update = full_row(append.run, 50);
  must_commit(bench.subject(), update);
  BOOST_TEST(same_row(*bench.row(append.run), *update.update));
  // And back to nothing: an absent value is written as well.
  run_append back = bench_events(append.run, {});
  back.update = bench_row(append.run);
  must_commit(bench.subject(), back);
  BOOST_TEST(same_row(*bench.row(append.run), *back.update));
}

inline void a_projection_needs_no_event(journal_bench& bench) {
  const run_id run = bench_run(1);
  must_commit(bench.subject(), bench_start(run));
  run_append projection = bench_events(run, {});
  projection.update = bench_row(run);
  projection.update->status = run_status::running;
  projection.update->saga_steps_completed = 2;
  must_commit(bench.subject(), projection);
  BOOST_TEST(bench.row(run)->saga_steps_completed == 2);
  BOOST_TEST(bench.subject().read(run).size() == 1u);
}

inline void only_runs_of_a_lost_shard_are_fenced(journal_bench& bench) {
  bench.set_epoch(4, bench_epoch + 1);
  const auto answer =
    bench.subject().append({bench_start(bench_run(1, 3)), bench_start(bench_run(2, 4)), bench_start(bench_run(3, 5))});
  BOOST_REQUIRE(is_done(answer, 3));
  BOOST_TEST(is_committed(answer.outcomes[0]));
  BOOST_TEST((answer.outcomes[1] == append_outcome(append_fenced{bench_epoch + 1})));
  BOOST_TEST(is_committed(answer.outcomes[2]));
  BOOST_TEST(!bench.row(bench_run(2, 4)));
  BOOST_TEST(bench.subject().read(bench_run(2, 4)).empty());
}

inline void a_fenced_projection_is_not_written(journal_bench& bench) {
  const run_id run = bench_run(1);
  must_commit(bench.subject(), bench_start(run));
  bench.set_epoch(3, bench_epoch + 1);
  run_append projection = bench_events(run, {});
  projection.update = bench_row(run);
  projection.update->status = run_status::failed;
  const auto answer = bench.subject().append({projection});
  BOOST_REQUIRE(is_done(answer, 1));
  BOOST_TEST((answer.outcomes[0] == append_outcome(append_fenced{bench_epoch + 1})));
  BOOST_TEST((bench.row(run)->status == run_status::pending));
}

inline run_append keyed_start(const run_id& run, const std::string& key, char fingerprint) {
  run_append append = bench_start(run);
  append.key = start_key{bench_tenant, key, std::string(64, fingerprint)};
  return append;
}

inline void a_key_starts_one_run(journal_bench& bench) {
  must_commit(bench.subject(), keyed_start(bench_run(1), "monday", 'a'));
  const auto answer = bench.subject().append(
    {keyed_start(bench_run(2), "monday", 'a'), keyed_start(bench_run(3), "monday", 'b'),
     keyed_start(bench_run(4), "tuesday", 'a')});
  BOOST_REQUIRE(is_done(answer, 3));
  BOOST_TEST((answer.outcomes[0] == append_outcome(append_duplicate{bench_run(1), true})));
  BOOST_TEST((answer.outcomes[1] == append_outcome(append_duplicate{bench_run(1), false})));
  BOOST_TEST(is_committed(answer.outcomes[2]));
  BOOST_TEST(!bench.row(bench_run(2)));
  BOOST_TEST(bench.subject().read(bench_run(3)).empty());
}

inline void a_repeated_start_may_leave_the_version_open(journal_bench& bench) {
  auto first = keyed_start(bench_run(1), "monday", 'a');
  first.insert->workflow = "bread";
  first.insert->workflow_version = 2;
  auto newest = keyed_start(bench_run(2), "monday", 'a');
  auto same = keyed_start(bench_run(3), "monday", 'a');
  same.key->version = 2;
  auto other = keyed_start(bench_run(4), "monday", 'a');
  other.key->version = 3;
  // In one batch, and once it is there.
  for (const bool with_first : {true, false}) {
    std::vector<run_append> batch{newest, same, other};
    if (with_first)
      batch.insert(batch.begin(), first);
    auto answer = bench.subject().append(batch);
    BOOST_TEST_REQUIRE(answer.outcomes.size() == batch.size());
    if (with_first)
      answer.outcomes.erase(answer.outcomes.begin());
    BOOST_TEST((answer.outcomes[0] == append_outcome(append_duplicate{bench_run(1), true})));
    BOOST_TEST((answer.outcomes[1] == append_outcome(append_duplicate{bench_run(1), true})));
    BOOST_TEST((answer.outcomes[2] == append_outcome(append_duplicate{bench_run(1), false})));
  }
}

inline void a_start_is_recognised_by_its_older_fingerprint(journal_bench& bench) {
  auto first = keyed_start(bench_run(1), "monday", 'o');
  first.insert->workflow = "bread";
  first.insert->workflow_version = 2;
  first.insert->triggered_by = "anna";
  must_commit(bench.subject(), first);
  auto again = keyed_start(bench_run(2), "monday", 'n');
  again.key->older_fingerprint = [](int32_t version, const std::string& triggered_by) {
    return std::string(64, version == 2 && triggered_by == "anna" ? 'o' : 'x');
  };
  auto other = keyed_start(bench_run(3), "monday", 'n');
  other.key->older_fingerprint = [](int32_t, const std::string&) { return std::string(64, 'x'); };
  const auto answer = bench.subject().append({again, other});
  BOOST_TEST((answer.outcomes.at(0) == append_outcome(append_duplicate{bench_run(1), true})));
  BOOST_TEST((answer.outcomes.at(1) == append_outcome(append_duplicate{bench_run(1), false})));
}

inline void a_key_belongs_to_its_tenant(journal_bench& bench) {
  must_commit(bench.subject(), keyed_start(bench_run(1), "monday", 'a'));
  run_append other = keyed_start(bench_run(2), "monday", 'a');
  other.key->tenant = tenant_id{*uuid::parse("99999999-2222-4333-8444-555555555555")};
  must_commit(bench.subject(), other);
}

inline void of_two_starts_in_a_batch_the_first_has_the_key(journal_bench& bench) {
  const auto answer =
    bench.subject().append({keyed_start(bench_run(1), "monday", 'a'), keyed_start(bench_run(2), "monday", 'a')});
  BOOST_REQUIRE(is_done(answer, 2));
  BOOST_TEST(is_committed(answer.outcomes[0]));
  BOOST_TEST((answer.outcomes[1] == append_outcome(append_duplicate{bench_run(1), true})));
}

inline void of_many_starts_in_a_batch_the_first_has_the_key(journal_bench& bench) {
  constexpr int keys = 7;
  std::vector<run_append> batch;
  for (int i = 0; i < 300; ++i)
    batch.push_back(keyed_start(bench_run(1000 - i), "key " + std::to_string(i * i % keys), 'a'));
  const auto answer = bench.subject().append(batch);
  BOOST_REQUIRE(is_done(answer, batch.size()));
  std::map<std::string, run_id> first;
  for (size_t i = 0; i < batch.size(); ++i) {
    const auto [place, fresh] = first.try_emplace(batch[i].key->key, batch[i].run);
    const auto expected = fresh ? append_outcome(append_committed{}) : append_duplicate{place->second, true};
    BOOST_TEST((answer.outcomes[i] == expected), "start " << i);
  }
}

inline void a_rejected_start_leaves_its_key_free(journal_bench& bench) {
  run_append bad = keyed_start(bench_run(1), "monday", 'a');
  bad.insert->run_type = std::string(51, 'x');
  const auto answer = bench.subject().append({bad, keyed_start(bench_run(2), "monday", 'a')});
  BOOST_REQUIRE(is_done(answer, 2));
  BOOST_TEST(!is_committed(answer.outcomes[0]));
  BOOST_TEST(is_committed(answer.outcomes[1]));
}

/// A way to spoil a start, and what the reason has to name.
struct poison {
  std::string name;
  std::function<void(run_append&)> spoil;
  std::string named;
};

inline std::vector<poison> poisons() {
  const auto body = [](std::string text) { return [text](run_append& append) { append.events[0].body = text; }; };
  return {
    {"an escaped NUL in JSON", body(R"({"a":"x\u0000y"})"), "body"},
    {"a raw NUL in a body", body(std::string("{\"a\":\"x\0y\"}", 11)), "NUL"},
    {"a number out of range", body(R"({"a":1e999999})"), "body"},
    {"text that is not JSON", body("{\"a\":"), "body"},
    {"invalid UTF-8 in a body", body("{\"a\":\"\xc3\x28\"}"), "UTF"},
    {"a byte order mark", body("\xef\xbb\xbf{}"), "body"},
    {"a lone surrogate", body(R"({"a":"\ud800"})"), "body"},
    {"a raw NUL in a step", [](run_append& x) { x.events[0].step = std::string("a\0b", 3); }, "NUL"},
    {"invalid UTF-8 in a step", [](run_append& x) { x.events[0].step = "\xff"; }, "step"},
    {"a run_number of 51", [](run_append& x) { x.insert->run_number = std::string(51, 'n'); }, "run_number"},
    {"a run_type of 51", [](run_append& x) { x.insert->run_type = std::string(51, 'n'); }, "run_type"},
    {"a priority of 21", [](run_append& x) { x.insert->priority = std::string(21, 'n'); }, "priority"},
    {"a status of 21", [](run_append& x) { x.insert->steps[1].status = std::string(21, 'n'); }, "production_status"},
    {"a triggered_by of 101", [](run_append& x) { x.insert->triggered_by = std::string(101, 'n'); }, "triggered_by"},
    {"a raw NUL in a column", [](run_append& x) { x.insert->error_message = std::string("a\0b", 3); }, "error_message"},
    {"invalid UTF-8 in a column", [](run_append& x) { x.insert->steps[4].error = "\xed\xa0\x80"; },
     "ai_insights_error"},
    {"bad JSON in a column", [](run_append& x) { x.insert->forecast_data = "nope"; }, "forecast_data"},
    {"an escaped NUL in a column", [](run_append& x) { x.insert->run_metadata = R"(["\u0000"])"; }, "run_metadata"},
    {"a time beyond the calendar",
     [](run_append& x) { x.insert->completed_at = timestamp(std::chrono::hours(24) * 365 * 9000); }, "completed_at"},
    {"a time before the calendar",
     [](run_append& x) { x.events[0].at = timestamp(-std::chrono::hours(24) * 365 * 3000); }, "event 1"},
    {"an empty key",
     [](run_append& x) {
       x.key = start_key{bench_tenant, "", std::string(64, 'a')};
     },
     "idempotency_key"},
    {"a key of 256",
     [](run_append& x) {
       x.key = start_key{bench_tenant, std::string(256, 'k'), std::string(64, 'a')};
     },
     "idempotency_key"},
  };
}

inline void a_poison_row_fails_alone_with_a_reason(journal_bench& bench) {
  int n = 0;
  for (const poison& poison : poisons()) {
    BOOST_TEST_CONTEXT(poison.name) {
      std::vector<run_append> batch;
      for (int i = 0; i < 5; ++i)
        batch.push_back(bench_start(bench_run(++n)));
      poison.spoil(batch[3]);
      const auto answer = bench.subject().append(batch);
      BOOST_REQUIRE_MESSAGE(is_done(answer, 5), answer.reason);
      for (size_t i = 0; i < 5; ++i)
        BOOST_TEST(is_committed(answer.outcomes[i]) == (i != 3));
      const std::string reason = reason_of(answer.outcomes[3]);
      BOOST_TEST(reason.find(poison.named) != std::string::npos, reason);
      BOOST_TEST(reason.find('\n') == std::string::npos);
      BOOST_TEST(bench.subject().read(batch[3].run).empty());
      BOOST_TEST(!bench.row(batch[3].run));
      BOOST_TEST(bench.subject().read(batch[4].run).size() == 1u);
    }
  }
}

inline void limited_columns_hold_what_they_promise(journal_bench& bench) {
  run_append append = bench_start(bench_run(1));
  std::string fifty;
  for (int i = 0; i < 50; ++i)
    fifty += "\xc3\xa4";
  append.insert->run_type = fifty;
  append.insert->run_number = std::string(50, 'n');
  append.insert->priority = std::string(20, 'n');
  append.insert->triggered_by = fifty + fifty;
  must_commit(bench.subject(), append);
  BOOST_TEST(bench.row(append.run)->run_type == fifty);
}

inline void several_poison_rows_are_all_found(journal_bench& bench) {
  std::vector<run_append> batch;
  for (int i = 0; i < 40; ++i) {
    batch.push_back(bench_start(bench_run(i)));
    if (i % 7 == 0)
      batch.back().events[0].body = R"({"a":"\u0000"})";
  }
  const auto answer = bench.subject().append(batch);
  BOOST_REQUIRE(is_done(answer, 40));
  for (int i = 0; i < 40; ++i)
    BOOST_TEST(is_committed(answer.outcomes[static_cast<size_t>(i)]) == (i % 7 != 0));
}

inline void a_fenced_run_stays_fenced_beside_poison(journal_bench& bench) {
  bench.set_epoch(4, bench_epoch + 1);
  run_append bad = bench_start(bench_run(1));
  bad.events[0].body = R"("\u0000")";
  const auto answer = bench.subject().append({bad, bench_start(bench_run(2, 4)), bench_start(bench_run(3))});
  BOOST_REQUIRE(is_done(answer, 3));
  BOOST_TEST(reason_of(answer.outcomes[0]) != "(not rejected)");
  BOOST_TEST((answer.outcomes[1] == append_outcome(append_fenced{bench_epoch + 1})));
  BOOST_TEST(is_committed(answer.outcomes[2]));
}

inline void an_event_number_is_used_once(journal_bench& bench) {
  const run_id run = bench_run(1);
  must_commit(bench.subject(), bench_start(run));
  must_commit(bench.subject(), bench_events(run, {bench_event(2, event_kind::run_started)}));
  const auto answer =
    bench.subject().append({bench_events(run, {bench_event(2, event_kind::run_cancelled)}), bench_start(bench_run(2))});
  BOOST_REQUIRE(is_done(answer, 2));
  BOOST_TEST(reason_of(answer.outcomes[0]).find("sequence conflict") == 0u, reason_of(answer.outcomes[0]));
  BOOST_TEST(is_committed(answer.outcomes[1]));
  BOOST_TEST((bench.subject().read(run).back().kind == event_kind::run_started));
}

inline void the_same_events_again_are_committed_and_written_once(journal_bench& bench) {
  const run_id run = bench_run(1);
  const auto start = bench_start(run);
  auto next = bench_events(run, {bench_event(2, event_kind::run_started), bench_event(3, event_kind::run_completed)});
  next.update = full_row(run, 0);
  must_commit(bench.subject(), start);
  must_commit(bench.subject(), next);
  const auto again = bench.subject().append({next, bench_start(bench_run(2))});
  BOOST_REQUIRE(is_done(again, 2));
  BOOST_TEST(is_committed(again.outcomes[0]), reason_of(again.outcomes[0]));
  BOOST_TEST(is_committed(again.outcomes[1]));
  const auto started_again = bench.subject().append({start});
  BOOST_REQUIRE(is_done(started_again, 1));
  BOOST_TEST(is_committed(started_again.outcomes[0]), reason_of(started_again.outcomes[0]));
  BOOST_TEST(bench.subject().read(run).size() == 3u);
  BOOST_TEST(same_row(*bench.row(run), *next.update));
}

inline void a_locked_row_holds_up_its_own_run_alone(journal_bench& bench) {
  std::vector<run_append> batch;
  for (int i = 1; i <= 4; ++i) {
    must_commit(bench.subject(), bench_start(bench_run(i)));
    batch.push_back(bench_events(bench_run(i), {bench_event(2, event_kind::run_started)}));
    batch.back().update = full_row(bench_run(i), i);
  }
  batch.push_back(bench_start(bench_run(5)));
  bench.lock_row(bench_run(2));
  // Again and again, and each time the others go on.
  for (int i = 0; i < 2; ++i) {
    const auto answer = bench.subject().append(batch);
    BOOST_REQUIRE_MESSAGE(is_done(answer, 5), answer.reason);
    for (size_t run = 0; run < answer.outcomes.size(); ++run)
      BOOST_TEST(is_held_up(answer.outcomes[run]) == (run == 1), run);
  }
  BOOST_TEST(bench.subject().read(bench_run(2)).size() == 1u);
  bench.unlock_rows();
  must_commit(bench.subject(), batch[1]);
  BOOST_TEST(bench.subject().read(bench_run(2)).size() == 2u);
}

inline void a_hole_is_for_whoever_folds_to_find(journal_bench& bench) {
  const run_id run = bench_run(1);
  must_commit(bench.subject(), bench_start(run));
  must_commit(bench.subject(), bench_events(run, {bench_event(4)}));
  must_commit(bench.subject(), bench_events(run, {bench_event(2), bench_event(3)}));
  const auto events = bench.subject().read(run);
  BOOST_TEST((events == std::vector{bench_event(1), bench_event(2), bench_event(3), bench_event(4)}));
}

inline void a_run_appears_once_in_a_batch(journal_bench& bench) {
  const run_id run = bench_run(1);
  const auto answer = bench.subject().append(
    {bench_start(run), bench_start(bench_run(2)), bench_events(run, {bench_event(2, event_kind::run_started)})});
  BOOST_REQUIRE(is_done(answer, 3));
  BOOST_TEST(is_committed(answer.outcomes[0]));
  BOOST_TEST(is_committed(answer.outcomes[1]));
  BOOST_TEST(reason_of(answer.outcomes[2]) == "the run " + to_string(run) + " stands in the batch twice");
  BOOST_TEST(bench.subject().read(run).size() == 1u);
}

inline void an_update_keeps_the_time_that_it_says(journal_bench& bench) {
  run_append projection = bench_start(bench_run(1));
  must_commit(bench.subject(), projection);
  projection.update = std::exchange(projection.insert, std::nullopt);
  projection.events.clear();
  // Also when the row has it already: an append whose answer was lost is made again.
  must_commit(bench.subject(), projection);
  BOOST_TEST((bench.row(bench_run(1))->updated_at == projection.update->updated_at));
}

inline void what_has_no_commit_is_in_no_doubt(journal_bench& bench) {
  bench.set_epoch(4, bench_epoch + 1);
  const std::vector<run_append> batch = {bench_start(bench_run(2, 4))};
  bench.lose_next_commit();
  BOOST_TEST(is_done(bench.subject().append(batch), 1));
}

inline void a_run_number_is_used_once(journal_bench& bench) {
  must_commit(bench.subject(), bench_start(bench_run(1)));
  run_append second = bench_start(bench_run(2));
  second.insert->run_number = bench_row(bench_run(1)).run_number;
  const auto answer = bench.subject().append({second});
  BOOST_REQUIRE(is_done(answer, 1));
  BOOST_TEST(reason_of(answer.outcomes[0]).find("run_number") != std::string::npos);
  BOOST_TEST(bench.subject().read(bench_run(2)).empty());
}

inline void misfits_are_rejected(journal_bench& bench) {
  std::vector<run_append> batch(6);
  batch[0] = bench_events(bench_run(1), {});
  batch[1] = bench_events(bench_run(2), {bench_event(1)});
  batch[2] = bench_start(bench_run(3));
  batch[2].events.push_back(bench_event(3));
  batch[3] = bench_start(bench_run(4));
  batch[3].insert->id = bench_run(5);
  batch[4] = bench_events(bench_run(6), {bench_event(0)});
  batch[5] = bench_start(bench_run(7));
  batch[5].events[0].attempt = -1;
  const auto answer = bench.subject().append(batch);
  BOOST_REQUIRE(is_done(answer, 6));
  for (const auto& outcome : answer.outcomes)
    BOOST_TEST(reason_of(outcome) != "(not rejected)");
}

inline void unfinished_runs_are_listed_in_the_order_of_their_ids(journal_bench& bench) {
  std::vector<run_append> batch;
  std::vector<run_id> expected;
  for (int i = 24; i >= 0; --i)
    batch.push_back(bench_start(bench_run(i, i % 5 == 0 ? 9 : 3)));
  for (int i = 0; i < 25; ++i)
    if (i % 5 != 0)
      expected.push_back(bench_run(i));
  BOOST_REQUIRE(is_done(bench.subject().append(batch), 25));
  BOOST_TEST((bench.subject().list_unfinished({4, 3}) == expected));
  BOOST_TEST(bench.subject().list_unfinished({9}).size() == 5u);
  BOOST_TEST(bench.subject().list_unfinished({4}).empty());
  BOOST_TEST(bench.subject().list_unfinished({}).empty());
}

inline void unfinished_runs_are_read_in_the_order_asked(journal_bench& bench) {
  for (int i = 1; i <= 4; ++i)
    must_commit(bench.subject(), bench_start(bench_run(i, i % 2 == 0 ? 9 : 3)));
  run_append begun = bench_events(bench_run(2, 9), {bench_event(2, event_kind::run_started)});
  begun.update = bench_row(begun.run);
  begun.update->status = run_status::running;
  must_commit(bench.subject(), begun);
  const std::vector<run_id> asked = {bench_run(3), bench_run(2, 9), bench_run(1), bench_run(3)};
  const auto found = bench.subject().read_unfinished(asked);
  BOOST_REQUIRE(found.size() == 3u);
  for (size_t i = 0; i < found.size(); ++i) {
    BOOST_TEST((found[i].run == asked[i]));
    BOOST_TEST((found[i].events == bench.subject().read(asked[i])));
    BOOST_TEST(found[i].events.size() == (i == 1 ? 2u : 1u));
    BOOST_TEST(found[i].damage.empty());
    BOOST_TEST((found[i].row_updated_at == bench_time));
    BOOST_TEST((found[i].row_status == (i == 1 ? run_status::running : run_status::pending)));
  }
  BOOST_TEST(bench.subject().read_unfinished({}).empty());
}

inline void a_run_that_ended_since_it_was_listed_is_left_out(journal_bench& bench) {
  for (int i = 1; i <= 3; ++i)
    must_commit(bench.subject(), bench_start(bench_run(i)));
  auto listed = bench.subject().list_unfinished({3});
  run_append end = bench_events(bench_run(2), {bench_event(2, event_kind::run_completed)});
  end.update = bench_row(bench_run(2));
  end.update->status = run_status::completed;
  must_commit(bench.subject(), end);
  // As one of which nothing is left.
  listed.push_back(bench_run(4));
  const auto found = bench.subject().read_unfinished(listed);
  BOOST_REQUIRE(found.size() == 2u);
  BOOST_TEST((found[0].run == bench_run(1)));
  BOOST_TEST((found[1].run == bench_run(3)));
}

inline void ended_runs_are_not_unfinished(journal_bench& bench) {
  int n = 0;
  for (const auto& [kind, status] :
       {std::pair{event_kind::run_completed, run_status::completed},
        std::pair{event_kind::run_partially_succeeded, run_status::partial_success},
        std::pair{event_kind::run_failed, run_status::failed},
        std::pair{event_kind::run_cancelled, run_status::cancelled}}) {
    const run_id run = bench_run(++n);
    must_commit(bench.subject(), bench_start(run));
    run_append end = bench_events(run, {bench_event(2, kind)});
    end.update = bench_row(run);
    end.update->status = status;
    must_commit(bench.subject(), end);
  }
  must_commit(bench.subject(), bench_start(bench_run(++n)));
  const auto open = read_all_unfinished(bench.subject(), {3});
  BOOST_REQUIRE(open.size() == 1u);
  BOOST_TEST((open[0].run == bench_run(n)));
}

} // namespace conformance

/// Every rule above, for whoever registers them.
#define LEVAIN_JOURNAL_RULES(rule)                                                                                     \
  rule(appended_events_are_read_back_in_order) rule(every_kind_of_event_is_remembered)                                 \
    rule(an_unknown_run_has_no_events) rule(an_empty_batch_is_done) rule(many_runs_share_a_batch)                      \
      rule(every_column_of_an_inserted_row_is_kept) rule(an_update_sets_every_column)                                  \
        rule(a_projection_needs_no_event) rule(only_runs_of_a_lost_shard_are_fenced)                                   \
          rule(a_fenced_projection_is_not_written) rule(a_key_starts_one_run)                                          \
            rule(a_repeated_start_may_leave_the_version_open) rule(a_start_is_recognised_by_its_older_fingerprint)     \
              rule(a_key_belongs_to_its_tenant) rule(of_two_starts_in_a_batch_the_first_has_the_key)                   \
                rule(of_many_starts_in_a_batch_the_first_has_the_key) rule(a_rejected_start_leaves_its_key_free)       \
                  rule(a_poison_row_fails_alone_with_a_reason) rule(limited_columns_hold_what_they_promise)            \
                    rule(several_poison_rows_are_all_found) rule(a_fenced_run_stays_fenced_beside_poison)              \
                      rule(an_event_number_is_used_once) rule(the_same_events_again_are_committed_and_written_once)    \
                        rule(a_locked_row_holds_up_its_own_run_alone) rule(a_run_number_is_used_once)                  \
                          rule(a_hole_is_for_whoever_folds_to_find) rule(a_run_appears_once_in_a_batch)                \
                            rule(an_update_keeps_the_time_that_it_says) rule(what_has_no_commit_is_in_no_doubt)        \
                              rule(misfits_are_rejected) rule(unfinished_runs_are_listed_in_the_order_of_their_ids)    \
                                rule(unfinished_runs_are_read_in_the_order_asked)                                      \
                                  rule(a_run_that_ended_since_it_was_listed_is_left_out)                               \
                                    rule(ended_runs_are_not_unfinished)

} // namespace levain::test
