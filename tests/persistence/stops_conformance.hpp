#pragma once

#include "tests/persistence/journal_bench.hpp"

// What is remembered of runs that nobody acts for, and what is known of a run without its journal: rules that every
// journal keeps.

namespace levain::test::conformance {

inline stop_change bench_stop(const run_id& run, stop_kind kind, std::string reason) {
  return {run, bench_epoch, run_stop{kind, std::move(reason), {}}};
}

inline void a_row_is_known_without_its_journal(journal_bench& bench) {
  const run_id run = bench_run(1);
  must_commit(bench.subject(), bench_start(run));
  const auto known = bench.subject().find_row(run);
  BOOST_TEST_REQUIRE(known.has_value());
  BOOST_TEST((*known == row_outline{bench_tenant, run_status::pending, true, std::nullopt}));
  BOOST_TEST(!bench.subject().find_row(bench_run(2)).has_value());
}

inline void a_stop_stands_until_it_is_removed(journal_bench& bench) {
  const run_id run = bench_run(1);
  must_commit(bench.subject(), bench_start(run));
  bench.subject().write_stops({bench_stop(run, stop_kind::journal_damaged, "event 2: \"{odd}\", no less")});
  const auto stop = bench.another()->find_row(run)->stop;
  BOOST_TEST_REQUIRE(stop.has_value());
  BOOST_TEST((stop->kind == stop_kind::journal_damaged));
  BOOST_TEST(stop->reason == "event 2: \"{odd}\", no less");
  BOOST_TEST((stop->since > timestamp{}));
  bench.subject().write_stops({{run, bench_epoch, std::nullopt}});
  BOOST_TEST(!bench.subject().find_row(run)->stop.has_value());
  // Nothing to remove is no fault.
  bench.subject().write_stops({{run, bench_epoch, std::nullopt}});
}

inline void a_stop_of_the_same_kind_keeps_its_time(journal_bench& bench) {
  const run_id run = bench_run(1);
  must_commit(bench.subject(), bench_start(run));
  bench.subject().write_stops({bench_stop(run, stop_kind::journal_damaged, "event 2")});
  const auto since = bench.subject().find_row(run)->stop->since;
  bench.subject().write_stops({bench_stop(run, stop_kind::journal_damaged, "event 3")});
  BOOST_TEST(bench.subject().find_row(run)->stop->reason == "event 3");
  BOOST_TEST((bench.subject().find_row(run)->stop->since == since));
  bench.subject().write_stops({bench_stop(run, stop_kind::stuck, "a timer was lost")});
  BOOST_TEST((bench.subject().find_row(run)->stop->kind == stop_kind::stuck));
}

inline void stops_go_by_the_batch_and_only_under_the_epoch(journal_bench& bench) {
  const run_id mine = bench_run(1);
  const run_id lost = bench_run(2, 4);
  must_commit(bench.subject(), bench_start(mine));
  must_commit(bench.subject(), bench_start(lost));
  bench.subject().write_stops({bench_stop(lost, stop_kind::events_refused, "before")});
  bench.set_epoch(4, bench_epoch + 1);
  bench.subject().write_stops(
    {bench_stop(mine, stop_kind::events_refused, "after"), bench_stop(lost, stop_kind::stuck, "after")});
  BOOST_TEST(bench.subject().find_row(mine)->stop->reason == "after");
  BOOST_TEST(bench.subject().find_row(lost)->stop->reason == "before");
  bench.subject().write_stops({{lost, bench_epoch, std::nullopt}, {mine, bench_epoch, std::nullopt}});
  BOOST_TEST(!bench.subject().find_row(mine)->stop.has_value());
  BOOST_TEST(bench.subject().find_row(lost)->stop.has_value());
}

inline void every_kind_of_stop_is_remembered(journal_bench& bench) {
  for (const auto kind : {stop_kind::journal_damaged, stop_kind::events_refused, stop_kind::stuck}) {
    const run_id run = bench_run(static_cast<int>(kind));
    must_commit(bench.subject(), bench_start(run));
    bench.subject().write_stops({bench_stop(run, kind, "so it is")});
    BOOST_TEST((bench.subject().find_row(run)->stop->kind == kind));
  }
}

inline void open_rows_come_in_pages(journal_bench& bench) {
  for (int i = 0; i < 10; ++i)
    must_commit(bench.subject(), bench_start(bench_run(i, static_cast<shard_number>(i % 2 == 0 ? 3 : 4))));
  run_append end = bench_events(bench_run(0), {bench_event(2, event_kind::run_cancelled)});
  end.update = bench_row(bench_run(0));
  end.update->status = run_status::cancelled;
  must_commit(bench.subject(), end);
  const shard_lease three{3, bench_epoch};
  const shard_lease four{4, bench_epoch};
  BOOST_TEST((bench.subject().open_rows({three}, std::nullopt, 2) == std::vector{bench_run(2), bench_run(4)}));
  BOOST_TEST((bench.subject().open_rows({three}, bench_run(4), 5) == std::vector{bench_run(6), bench_run(8)}));
  BOOST_TEST(bench.subject().open_rows({three, four}, std::nullopt, 100).size() == 9u);
  // Those of a shard that has another owner by now are not told.
  bench.set_epoch(4, bench_epoch + 1);
  BOOST_TEST(bench.subject().open_rows({three, four}, std::nullopt, 100).size() == 4u);
  bench.set_epoch(4, bench_epoch);
  BOOST_TEST(bench.subject().open_rows({}, std::nullopt, 100).empty());
}

inline void an_unfinished_run_is_known_to_be_stopped(journal_bench& bench) {
  for (int i = 1; i <= 2; ++i)
    must_commit(bench.subject(), bench_start(bench_run(i)));
  bench.subject().write_stops({bench_stop(bench_run(1), stop_kind::stuck, "a timer was lost")});
  auto open = read_all_unfinished(bench.subject(), {3});
  BOOST_REQUIRE(open.size() == 2u);
  BOOST_TEST(open[0].stopped);
  BOOST_TEST(!open[1].stopped);
  bench.subject().write_stops({{bench_run(1), bench_epoch, std::nullopt}});
  open = read_all_unfinished(bench.subject(), {3});
  BOOST_REQUIRE(open.size() == 2u);
  BOOST_TEST(!open[0].stopped);
}

inline void an_unreachable_database_tells_no_stops(journal_bench& bench) {
  bench.goes_away();
  BOOST_CHECK_THROW(bench.subject().find_row(bench_run(1)), journal_unavailable);
  BOOST_CHECK_THROW(bench.subject().open_rows({{3, bench_epoch}}, std::nullopt, 1), journal_unavailable);
  BOOST_CHECK_THROW(
    bench.subject().write_stops({bench_stop(bench_run(1), stop_kind::stuck, "x")}), journal_unavailable);
}

} // namespace levain::test::conformance

/// Every rule above, for whoever registers them.
#define LEVAIN_STOP_RULES(rule)                                                                                        \
  rule(a_row_is_known_without_its_journal) rule(a_stop_stands_until_it_is_removed)                                     \
    rule(a_stop_of_the_same_kind_keeps_its_time) rule(stops_go_by_the_batch_and_only_under_the_epoch)                  \
      rule(every_kind_of_stop_is_remembered) rule(an_unfinished_run_is_known_to_be_stopped)                            \
        rule(open_rows_come_in_pages) rule(an_unreachable_database_tells_no_stops)
