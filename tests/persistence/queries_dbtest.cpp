#include <boost/test/unit_test.hpp>

#include <pqxx/pqxx>

#include "persistence/audit_columns.hpp"
#include "persistence/audit_writing.hpp"
#include "persistence/journal.hpp"
#include "persistence/queries.hpp"
#include "tests/support/database.hpp"

using namespace levain;
using levain::test::fresh_database;

namespace {

const tenant_id ours{*uuid::parse("00000000-0000-7000-8000-000000000001")};
const tenant_id theirs{*uuid::parse("00000000-0000-7000-8000-000000000002")};
const timestamp noon = *parse_timestamp("2031-03-12T12:00:00Z");

run_id run_number(uint64_t number) {
  return make_run_id(noon, {number, number}, 7);
}

/// A database with rows of two tenants, and the questions asked of it.
struct remembered {
  fresh_database database;
  queries ask{queries_options{database.url()}};
  uint64_t made = 0;

  audit_row add(const tenant_id& tenant, run_status status, timestamp started_at) {
    audit_row row;
    row.id = run_number(++made);
    row.run_number = "ORCH-" + std::to_string(made);
    row.tenant = tenant;
    row.status = status;
    row.started_at = row.created_at = row.updated_at = started_at;
    write(row);
    return row;
  }

  void write(const audit_row& row) {
    pqxx::connection connection(database.url());
    connection.prepare("insert", insert_audit_rows_statement());
    pqxx::work transaction(connection);
    transaction.exec("set timezone to 'UTC'");
    const auto values = audit_rows_parameters({&row});
    transaction.exec_prepared("insert", pqxx::prepare::make_dynamic_params(values));
    transaction.commit();
  }

  void execute(const std::string& statement) {
    pqxx::connection connection(database.url());
    pqxx::work transaction(connection);
    transaction.exec(statement);
    transaction.commit();
  }

  void event(const run_id& run, int seq, const std::string& kind) {
    execute(
      "insert into run_events (run_id, seq, at, kind) values ('" + to_string(run) + "', " + std::to_string(seq) +
      ", now(), '" + kind + "')");
  }
};

std::vector<std::string> numbers(const run_list& list) {
  std::vector<std::string> all;
  for (const auto& row : list.runs)
    all.push_back(row.run_number);
  return all;
}

using texts = std::vector<std::string>;
using std::chrono::hours;

auto per_element = boost::test_tools::per_element();

audit_row full_row() {
  audit_row row;
  row.id = run_number(9);
  row.run_number = "ORCH-20310312-00000009";
  row.tenant = ours;
  row.status = run_status::partial_success;
  row.run_type = "manual";
  row.priority = "critical";
  int minute = 0;
  const auto next = [&] { return noon + std::chrono::minutes(++minute); };
  row.started_at = next();
  row.completed_at = next();
  row.duration_seconds = 60;
  for (auto& step : row.steps)
    step = {next(), next(), "failed", "no oven " + std::to_string(minute)};
  row.ai_insights_generated = 1;
  row.ai_insights_posted = 2;
  row.forecasts_generated = 3;
  row.production_batches_created = 4;
  row.procurement_plans_created = 5;
  row.purchase_orders_created = 6;
  row.notifications_sent = 7;
  row.forecast_data = R"({"rye": 1})";
  row.run_metadata = R"({"by": "hand"})";
  row.retry_count = 8;
  row.max_retries_reached = true;
  row.error_message = "the oven is cold";
  row.error_details = R"({"step": "production"})";
  row.forecast_id = run_number(20).value;
  row.production_schedule_id = run_number(21).value;
  row.procurement_plan_id = run_number(22).value;
  row.saga_steps_total = 9;
  row.saga_steps_completed = 10;
  row.created_at = next();
  row.updated_at = next();
  row.triggered_by = "cron";
  row.fulfillment_rate = 11;
  row.on_time_delivery_rate = 12;
  row.cost_accuracy = 13;
  row.quality_score = 14;
  row.workflow = "daily_bakery";
  row.workflow_version = 15;
  row.attention = "a compensation failed";
  return row;
}

} // namespace

BOOST_AUTO_TEST_SUITE(queries_dbtest)

BOOST_FIXTURE_TEST_CASE(a_row_is_read_as_it_was_written, remembered) {
  const auto row = full_row();
  write(row);
  const auto read = ask.find_run(ours, row.id);
  BOOST_TEST_REQUIRE(read.has_value());
  BOOST_TEST((*read == row));
}

BOOST_FIXTURE_TEST_CASE(every_column_of_the_table_is_read, remembered) {
  pqxx::connection connection(database.url());
  pqxx::work transaction(connection);
  const auto columns = transaction.exec1(
    "select count(*) from pg_attribute where attrelid = 'orchestration_runs'::regclass and attnum > 0")[0];
  BOOST_TEST(columns.as<size_t>() == audit_column_count());
}

BOOST_FIXTURE_TEST_CASE(active_runs_are_pending_or_running_and_the_tenants_own, remembered) {
  add(ours, run_status::pending, noon);
  add(ours, run_status::running, noon + hours(1));
  add(ours, run_status::failed, noon);
  add(theirs, run_status::running, noon);
  BOOST_TEST(numbers(ask.active_runs(ours)) == (texts{"ORCH-2", "ORCH-1"}), per_element);
  BOOST_TEST(numbers(ask.active_runs(ours, 1)) == (texts{"ORCH-2"}), per_element);
}

BOOST_FIXTURE_TEST_CASE(history_includes_both_ends, remembered) {
  add(ours, run_status::completed, noon);
  add(ours, run_status::failed, noon + hours(1));
  add(ours, run_status::completed, noon + hours(2));
  add(theirs, run_status::completed, noon);
  BOOST_TEST(numbers(ask.run_history(ours, noon, noon + hours(1))) == (texts{"ORCH-2", "ORCH-1"}), per_element);
}

BOOST_FIXTURE_TEST_CASE(metrics_are_averages_of_completed_runs_after_a_moment, remembered) {
  for (int i = 0; i < 4; ++i)
    add(i == 3 ? theirs : ours, i == 2 ? run_status::failed : run_status::completed, noon + hours(i));
  execute("update orchestration_runs set quality_score = 80 + retry_count, fulfillment_rate = 50");
  execute("update orchestration_runs set quality_score = 91 where run_number = 'ORCH-2'");
  const auto all = ask.metrics_summary(ours, noon - hours(1));
  BOOST_TEST(all.runs == 2);
  BOOST_TEST(all.quality_score.value() == 85.5);
  BOOST_TEST(all.fulfillment_rate.value() == 50.0);
  BOOST_TEST(!all.cost_accuracy.has_value());
  BOOST_TEST(ask.metrics_summary(ours, noon).runs == 1);
}

BOOST_FIXTURE_TEST_CASE(failed_runs_need_attention_until_their_retries_are_used_up, remembered) {
  add(ours, run_status::failed, noon);
  add(theirs, run_status::failed, noon + hours(1));
  add(ours, run_status::failed, noon);
  add(ours, run_status::failed, noon);
  add(ours, run_status::completed, noon);
  execute("update orchestration_runs set retry_count = 3 where run_number = 'ORCH-3'");
  execute("update orchestration_runs set max_retries_reached = true where run_number = 'ORCH-4'");
  BOOST_TEST(numbers(ask.runs_needing_attention({operator_scope{}})) == (texts{"ORCH-2", "ORCH-1"}), per_element);
  BOOST_TEST(numbers(ask.runs_needing_attention({ours})) == (texts{"ORCH-1"}), per_element);
}

BOOST_FIXTURE_TEST_CASE(a_run_that_nobody_acts_for_needs_attention_and_says_why, remembered) {
  add(ours, run_status::running, noon);
  add(ours, run_status::running, noon + hours(1));
  execute("insert into stopped_runs (run_id, kind, reason) "
          "select id, 'journal_damaged', 'a hole' from orchestration_runs where run_number = 'ORCH-1'");
  const auto needing = ask.runs_needing_attention({ours});
  BOOST_TEST(numbers(needing) == (texts{"ORCH-1"}), per_element);
  BOOST_TEST(needing.runs.at(0).stopped.value_or("") == "journal_damaged: a hole");
  BOOST_TEST(ask.find_run(ours, needing.runs.at(0).id)->stopped.value_or("") == "journal_damaged: a hole");
  BOOST_TEST(ask.runs_needing_attention({theirs}).runs.empty());
}

BOOST_FIXTURE_TEST_CASE(a_run_that_says_why_needs_attention_whatever_its_status, remembered) {
  add(ours, run_status::cancelled, noon);
  add(ours, run_status::failed, noon + hours(1));
  execute("update orchestration_runs set attention = 'undo failed'");
  BOOST_TEST(numbers(ask.runs_needing_attention({ours})) == (texts{"ORCH-2", "ORCH-1"}), per_element);
}

BOOST_FIXTURE_TEST_CASE(what_was_resolved_or_is_a_test_needs_no_attention, remembered) {
  for (int i = 0; i < 4; ++i)
    add(ours, run_status::failed, noon + hours(i));
  execute("update orchestration_runs set error_details = '{\"attention_resolved\": {\"by\": \"ann\"}}' "
          "where run_number = 'ORCH-1'");
  execute("update orchestration_runs set run_type = 'test' where run_number = 'ORCH-2'");
  execute("update orchestration_runs set run_type = 'test', attention = 'undo failed' where run_number = 'ORCH-3'");
  BOOST_TEST(numbers(ask.runs_needing_attention({ours})) == (texts{"ORCH-4"}), per_element);
}

BOOST_FIXTURE_TEST_CASE(another_tenants_run_is_not_there, remembered) {
  const auto row = add(theirs, run_status::running, noon);
  BOOST_TEST(!ask.find_run(ours, row.id).has_value());
  BOOST_TEST(!ask.find_run_by_number(ours, row.run_number).has_value());
  BOOST_TEST(ask.find_run(operator_scope{}, row.id).has_value());
  BOOST_TEST(ask.find_run_by_number(theirs, row.run_number).has_value());
}

BOOST_FIXTURE_TEST_CASE(pages_follow_each_other_without_gap_or_repetition, remembered) {
  // Three runs share each moment, so that only their ids tell them apart.
  for (int i = 0; i < 10; ++i)
    add(ours, run_status::completed, noon + hours(i / 3));
  add(theirs, run_status::completed, noon);
  run_filter filter{ours};
  filter.limit = 4;
  texts seen;
  int pages = 0;
  do {
    const auto page = ask.list_runs(filter);
    for (const auto& number : numbers(page))
      seen.push_back(number);
    filter.cursor = page.next;
    ++pages;
  } while (!filter.cursor.empty());
  BOOST_TEST(pages == 3);
  BOOST_TEST(
    seen ==
      (texts{"ORCH-10", "ORCH-9", "ORCH-8", "ORCH-7", "ORCH-6", "ORCH-5", "ORCH-4", "ORCH-3", "ORCH-2", "ORCH-1"}),
    per_element);
}

BOOST_FIXTURE_TEST_CASE(runs_that_begin_between_two_pages_are_not_lost, remembered) {
  for (int i = 0; i < 6; ++i)
    add(ours, run_status::pending, noon + hours(i));
  run_filter filter{ours};
  filter.limit = 2;
  texts seen;
  do {
    const auto page = ask.list_runs(filter);
    for (const auto& number : numbers(page))
      seen.push_back(number);
    filter.cursor = page.next;
    execute("update orchestration_runs set status = 'running', started_at = '2031-03-13'");
  } while (!filter.cursor.empty());
  BOOST_TEST(seen == (texts{"ORCH-6", "ORCH-5", "ORCH-4", "ORCH-3", "ORCH-2", "ORCH-1"}), per_element);
}

BOOST_FIXTURE_TEST_CASE(lists_leave_the_documents_unread, remembered) {
  auto row = full_row();
  row.status = run_status::failed;
  row.retry_count = 0;
  row.max_retries_reached = false;
  write(row);
  for (const auto& list :
       {run_list(ask.list_runs({ours})), ask.run_history(ours, row.started_at, row.started_at),
        run_list(ask.runs_needing_attention({ours}))}) {
    BOOST_TEST_REQUIRE(list.runs.size() == 1U);
    BOOST_TEST(!list.runs[0].forecast_data.has_value());
    BOOST_TEST(!list.runs[0].run_metadata.has_value());
    BOOST_TEST(list.runs[0].error_details.has_value());
  }
}

BOOST_FIXTURE_TEST_CASE(what_an_open_run_is_doing_comes_from_its_journal, remembered) {
  const auto doing = [&](const std::vector<std::string>& kinds) {
    const auto row = add(ours, run_status::running, noon);
    int seq = 0;
    for (const auto& kind : kinds)
      event(row.id, ++seq, kind);
    const auto activity = ask.list_runs({ours}).runs.at(0).activity;
    return activity ? std::string(to_string(*activity)) : std::string();
  };
  BOOST_TEST(doing({"run_accepted", "run_started"}).empty());
  BOOST_TEST(doing({"run_accepted", "run_paused"}) == "paused");
  BOOST_TEST(doing({"run_accepted", "run_paused", "run_resumed"}).empty());
  BOOST_TEST(doing({"run_accepted", "run_paused", "cancel_requested"}) == "cancelling");
  BOOST_TEST(doing({"run_accepted", "cancel_requested", "run_paused"}) == "cancelling");
  BOOST_TEST(doing({"run_accepted", "cancel_requested", "run_cancelled", "run_retried"}).empty());
  run_filter paused{ours};
  paused.activities = {run_activity::paused};
  BOOST_TEST(ask.list_runs(paused).runs.size() == 1U);
  paused.statuses = {run_status::running};
  BOOST_TEST(ask.list_runs(paused).runs.size() == 6U);
}

BOOST_FIXTURE_TEST_CASE(a_page_that_holds_everything_has_no_next, remembered) {
  add(ours, run_status::completed, noon);
  run_filter filter{ours};
  filter.limit = 1;
  BOOST_TEST(ask.list_runs(filter).next.empty());
}

BOOST_FIXTURE_TEST_CASE(lists_are_narrowed_by_every_filter, remembered) {
  add(ours, run_status::completed, noon);
  add(ours, run_status::failed, noon + hours(1));
  add(ours, run_status::running, noon + hours(2));
  add(theirs, run_status::running, noon + hours(3));
  execute("update orchestration_runs set run_type = 'test', workflow = 'w' where run_number = 'ORCH-2'");
  const auto listed = [&](auto narrow) {
    run_filter filter{ours};
    narrow(filter);
    return numbers(ask.list_runs(filter));
  };
  BOOST_TEST(
    listed([](auto& f) {
      f.statuses = {run_status::failed, run_status::completed};
    }) == (texts{"ORCH-2", "ORCH-1"}),
    per_element);
  BOOST_TEST(listed([](auto& f) { f.run_type = "test"; }) == (texts{"ORCH-2"}), per_element);
  BOOST_TEST(listed([](auto& f) { f.workflow = "w"; }) == (texts{"ORCH-2"}), per_element);
  BOOST_TEST(listed([](auto& f) { f.started_from = noon + hours(1); }) == (texts{"ORCH-3", "ORCH-2"}), per_element);
  BOOST_TEST(listed([](auto& f) { f.started_before = noon + hours(1); }) == (texts{"ORCH-1"}), per_element);
  BOOST_TEST(
    listed([](auto& f) { f.scope = operator_scope{}; }) == (texts{"ORCH-4", "ORCH-3", "ORCH-2", "ORCH-1"}),
    per_element);
}

BOOST_FIXTURE_TEST_CASE(wrong_arguments_are_named, remembered) {
  const auto naming = [](const std::string& name) {
    return [name](const std::invalid_argument& error) { return std::string(error.what()).starts_with(name); };
  };
  BOOST_CHECK_EXCEPTION(ask.active_runs(ours, 0), std::invalid_argument, naming("limit: 0; must be 1 to 1000"));
  BOOST_CHECK_EXCEPTION(ask.active_runs(ours, 1001), std::invalid_argument, naming("limit: 1001"));
  run_filter filter{ours};
  for (const char* cursor :
       {"x", "12", "12.", ".", "12.x", "x.00000000-0000-7000-8000-000000000001",
        "_00000000-0000-7000-8000-000000000001", "12_00000000-0000-7000-8000-000000000001",
        "2031-13-12_12:00:00_00000000-0000-7000-8000-000000000001", "now_00000000-0000-7000-8000-000000000001"}) {
    filter.cursor = cursor;
    BOOST_CHECK_EXCEPTION(ask.list_runs(filter), std::invalid_argument, naming("cursor: "));
  }
  BOOST_CHECK_EXCEPTION(
    ask.find_run_by_number(ours, std::string("a\0b", 3)), std::invalid_argument, naming("run_number: "));
  BOOST_CHECK_THROW(ask.find_run_by_number(ours, "\xff"), std::invalid_argument);
  BOOST_CHECK_NO_THROW(ask.ping());
}

BOOST_FIXTURE_TEST_CASE(events_are_read_in_order, remembered) {
  const auto row = add(ours, run_status::running, noon);
  event(row.id, 2, "run_started");
  event(row.id, 1, "run_accepted");
  const auto events = ask.read_events(row.id);
  BOOST_TEST_REQUIRE(events.size() == 2u);
  BOOST_TEST((events[0].kind == event_kind::run_accepted));
  BOOST_TEST((events[1].kind == event_kind::run_started));
  BOOST_TEST(ask.read_events(run_number(99)).empty());
}

BOOST_FIXTURE_TEST_CASE(verification_walks_all_runs_with_their_events, remembered) {
  for (int i = 0; i < 5; ++i) {
    const auto row = add(i == 4 ? theirs : ours, run_status::running, noon + hours(i));
    for (int seq = 1; seq <= i; ++seq)
      event(row.id, seq, "run_accepted");
  }
  const auto walk = [&](const verify_scope& scope) {
    std::vector<size_t> events;
    std::optional<run_id> after;
    for (;;) {
      const auto batch = ask.next_verify_batch(scope, after, 2);
      if (batch.empty())
        return events;
      for (const auto& run : batch)
        events.push_back(run.events.size());
      after = batch.back().row.id;
    }
  };
  using counts = std::vector<size_t>;
  BOOST_TEST(walk({operator_scope{}}) == (counts{0, 1, 2, 3, 4}), per_element);
  BOOST_TEST(walk({ours}) == (counts{0, 1, 2, 3}), per_element);
  BOOST_TEST(walk({operator_scope{}, run_number(3)}) == (counts{2}), per_element);
  BOOST_TEST(walk({operator_scope{}, {}, noon + hours(3)}) == (counts{3, 4}), per_element);
}

BOOST_FIXTURE_TEST_CASE(verification_takes_a_range_of_runs, remembered) {
  std::vector<run_id> added;
  for (int i = 0; i < 5; ++i)
    added.push_back(add(i == 2 ? theirs : ours, run_status::running, noon + hours(i)).id);
  BOOST_TEST((ask.verify_ids({operator_scope{}}, added[1], 2) == std::vector<run_id>{added[2], added[3]}));
  BOOST_TEST((ask.verify_ids({ours}, added[1], 2) == std::vector<run_id>{added[3], added[4]}));
  const auto batch = ask.verify_batch({operator_scope{}}, {added[0], added[3]});
  BOOST_TEST_REQUIRE(batch.size() == 3U);
  BOOST_TEST((batch.front().row.id == added[1] && batch.back().row.id == added[3]));
}

BOOST_FIXTURE_TEST_CASE(verification_reads_as_many_runs_as_have_room_together, remembered) {
  for (int i = 0; i < 4; ++i) {
    const auto row = add(ours, run_status::running, noon);
    event(row.id, 1, "run_accepted");
  }
  // 1,000 numbers of 309 digits each.
  execute(
    "update run_events set body = (select jsonb_agg(1e308::numeric) from generate_series(1, 1000)) "
    "where run_id = '" +
    to_string(run_number(2)) + "'");
  const auto sizes_of = [&](uint64_t bytes_max) {
    std::vector<size_t> sizes;
    run_range range;
    for (;;) {
      const auto part = ask.verify_batch({ours}, range, bytes_max);
      if (part.empty())
        return sizes;
      sizes.push_back(part.size());
      range.after = part.back().row.id;
    }
  };
  using counts = std::vector<size_t>;
  BOOST_TEST(sizes_of(verify_batch_bytes_max) == (counts{4}), per_element);
  BOOST_TEST(sizes_of(100'000) == (counts{2, 2}), per_element);
  BOOST_TEST(sizes_of(1) == (counts{1, 1, 1, 1}), per_element);
  // One that is too large by itself is named and hides no other.
  const auto first = ask.verify_batch({ours}, {}, 100'000, 50'000);
  BOOST_TEST_REQUIRE(first.size() == 1U);
  const auto large = ask.verify_batch({ours}, {first.back().row.id, {}}, 100'000, 50'000);
  BOOST_TEST_REQUIRE(large.size() == 1U);
  BOOST_TEST(large[0].row.run_number == "ORCH-2");
  BOOST_TEST_REQUIRE(large[0].unreadable.size() == 1U);
  BOOST_TEST(large[0].unreadable[0].message.find("at most 50000 are read") != std::string::npos);
  BOOST_TEST(ask.verify_batch({ours}, {large.back().row.id, {}}, 100'000, 50'000).size() == 2U);
}

BOOST_FIXTURE_TEST_CASE(what_cannot_be_read_is_said_in_its_run, remembered) {
  const auto strange = add(ours, run_status::running, noon);
  event(strange.id, 1, "run_accepted");
  event(strange.id, 2, "run_started");
  const auto timeless = add(ours, run_status::running, noon);
  const auto sound = add(ours, run_status::running, noon);
  event(sound.id, 1, "run_accepted");
  execute("alter type run_event_kind add value 'run_sang'");
  execute("update run_events set kind = 'run_sang' where seq = 2");
  execute("update orchestration_runs set completed_at = 'infinity' where id = '" + to_string(timeless.id) + "'");
  const auto batch = ask.next_verify_batch({operator_scope{}}, {});
  BOOST_TEST_REQUIRE(batch.size() == 3U);
  BOOST_TEST(batch[0].events.size() == 1U);
  BOOST_TEST_REQUIRE(batch[0].unreadable.size() == 1U);
  BOOST_TEST(batch[0].unreadable[0].place == "journal");
  BOOST_TEST(
    batch[0].unreadable[0].message == "event 2 cannot be read: column kind: 'run_sang' is unknown to this program");
  BOOST_TEST((batch[1].row.id == timeless.id));
  BOOST_TEST(batch[1].row.run_number == timeless.run_number);
  BOOST_TEST_REQUIRE(batch[1].unreadable.size() == 1U);
  BOOST_TEST(batch[1].unreadable[0].place == "row");
  BOOST_TEST(batch[2].unreadable.empty());
  BOOST_TEST(batch[2].events.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(events_without_a_row_are_found, remembered) {
  const auto row = add(ours, run_status::running, noon);
  event(row.id, 1, "run_accepted");
  event(run_number(77), 1, "run_accepted");
  event(run_number(77), 2, "run_started");
  const auto found = ask.events_without_row(operator_scope{}, {});
  BOOST_TEST_REQUIRE(found.size() == 1u);
  BOOST_TEST((found[0] == run_number(77)));
  BOOST_TEST(ask.events_without_row(operator_scope{}, {run_number(77), {}}).empty());
  BOOST_TEST(ask.events_without_row(operator_scope{}, {{}, run_number(76)}).empty());
  BOOST_TEST(ask.events_without_row(operator_scope{}, {{}, run_number(77)}).size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(whether_a_run_is_there_is_said_without_reading_it, remembered) {
  const auto row = add(ours, run_status::running, noon);
  // Not to be read, and there all the same.
  execute("update orchestration_runs set started_at = 'infinity'");
  BOOST_TEST(ask.has_run(operator_scope{}, row.id));
  auto other = row.id;
  other.value.bytes[9] ^= 0xff;
  BOOST_TEST(!ask.has_run(operator_scope{}, other));
}

BOOST_FIXTURE_TEST_CASE(a_lost_connection_is_made_anew_unseen, remembered) {
  ask.ping();
  execute(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'levain reads' and datname = "
    "current_database()");
  BOOST_CHECK_NO_THROW(ask.ping());
}

BOOST_AUTO_TEST_CASE(a_database_out_of_reach_is_unavailable) {
  queries ask{queries_options{"postgresql:///x?host=/nowhere/at/all"}};
  BOOST_CHECK_THROW(ask.ping(), journal_unavailable);
  BOOST_CHECK_THROW(ask.ping(), journal_unavailable);
}

BOOST_FIXTURE_TEST_CASE(a_closed_connection_refuses, remembered) {
  ask.close();
  BOOST_CHECK_THROW(ask.ping(), journal_unavailable);
}

BOOST_AUTO_TEST_SUITE_END()
