// How the command line draws: spans, tables, timelines, and what strangers' texts may not do to a terminal.
#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>

#include "actors/workflow/parse_definition.hpp"
#include "apps/client/api_client.hpp"
#include "apps/program/log_format.hpp"
#include "apps/terminal/json_text.hpp"
#include "apps/terminal/progress_line.hpp"
#include "apps/terminal/run_text.hpp"
#include "apps/terminal/table.hpp"
#include "apps/terminal/timeline.hpp"
#include "apps/terminal/worker_text.hpp"
#include "persistence/exact_json.hpp"
#include "tests/support/fed_run.hpp"
#include "tests/support/has.hpp"

using namespace levain;
using namespace levain::terminal;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

const paint plain{false, true};
const screen wide{plain, 144, false};

workflow_ptr two_steps() {
  return parse_definition(R"({ "workflow": "night", "version": 1, "steps": [
    { "name": "bake", "call": { "simulate": {} }, "compensate": { "simulate": {} },
      "retry": { "max_attempts": 2, "initial_interval": "1s", "jitter": 0 } },
    { "name": "sell", "needs": ["bake"], "call": { "simulate": {} } } ] })")
    .workflow;
}

timeline times_of(const fed_run& run) {
  std::vector<event_record> records;
  for (const auto& each : run.events)
    records.push_back(encode_event(each, *run.state.workflow));
  return timeline_of(run.state.plan.run, run.state.workflow, records, run.now);
}

} // namespace

BOOST_AUTO_TEST_SUITE(cli_terminal_test)

BOOST_AUTO_TEST_CASE(spans_have_the_unit_that_suits_them) {
  BOOST_TEST(span_text(0us) == "0 us");
  BOOST_TEST(span_text(999us) == "999 us");
  BOOST_TEST(span_text(1000us) == "1 ms");
  BOOST_TEST(span_text(999'499us) == "999 ms");
  BOOST_TEST(span_text(999'500us) == "1.0 s");
  BOOST_TEST(span_text(59'949'999us) == "59.9 s");
  BOOST_TEST(span_text(59'950'000us) == "1 min 0 s");
  BOOST_TEST(span_text(3'599s) == "59 min 59 s");
  BOOST_TEST(span_text(1h) == "1 h 0 min");
  BOOST_TEST(span_text(25h) == "1 d 1 h");
}

BOOST_AUTO_TEST_CASE(progress_says_the_rate_and_what_is_left) {
  BOOST_TEST(progress_text(0, 0, 0us, "runs") == "0 runs");
  BOOST_TEST(progress_text(10, 1000, 100ms, "runs") == "10 of about 1000 runs");
  BOOST_TEST(progress_text(500, 2000, 2s, "runs") == "500 of about 2000 runs, 250 a second, about 6.0 s left");
  BOOST_TEST(progress_text(2500, 2000, 2s, "runs") == "2500 runs, 1250 a second");
}

BOOST_AUTO_TEST_CASE(texts_from_elsewhere_cannot_move_the_cursor) {
  BOOST_TEST(harmless("a\033[2Jb\nc\x7f") == "a [2Jb c ");
  BOOST_TEST(
    harmless("a\xC2\x9B"
             "2J") == "a 2J");
  BOOST_TEST(harmless("Panadería №1") == "Panadería №1");
}

BOOST_AUTO_TEST_CASE(texts_from_elsewhere_cannot_look_like_others) {
  // A change of direction, a line separator, and a byte that is a control on old terminals.
  BOOST_TEST(harmless("paid\u202Etxt\u2066x\u200F") == "paid txt x ");
  BOOST_TEST(harmless("a\u2028b\u2029c") == "a b c");
  BOOST_TEST(
    harmless("a\x9B"
             "2J") == "a\uFFFD2J");
}

BOOST_AUTO_TEST_CASE(json_shows_what_would_hide_and_is_ascii_on_a_terminal) {
  const nlohmann::ordered_json document{{"note", "caf\u00E9 \u202E \u009B \x7F"}};
  BOOST_TEST(json_text(document, false) == "{\n  \"note\": \"caf\u00E9 \\u202e \\u009b \\u007f\"\n}\n");
  BOOST_TEST(json_text(document, true) == "{\n  \"note\": \"caf\\u00e9 \\u202e \\u009b \\u007f\"\n}\n");
  BOOST_TEST((nlohmann::ordered_json::parse(json_text(document, true)) == document));
}

BOOST_AUTO_TEST_CASE(numbers_are_shown_digit_by_digit) {
  const auto document =
    read_exact_json<nlohmann::ordered_json>(R"({"id":123456789012345678901,"share":0.1234567890123456789})");
  BOOST_TEST(
    json_text(document, false) == "{\n  \"id\": 123456789012345678901,\n  \"share\": 0.1234567890123456789\n}\n");
  BOOST_TEST(value_text(document["id"]) == "123456789012345678901");
}

BOOST_AUTO_TEST_CASE(a_line_of_the_log_stays_one_line) {
  const spdlog::details::log_msg message("levaind", spdlog::level::warn, "a\nb \x1B[31m\u202E \u009B caf\u00E9");
  for (const bool json : {false, true}) {
    spdlog::memory_buf_t buffer;
    if (json)
      json_log_formatter().format(message, buffer);
    else
      plain_log_formatter().format(message, buffer);
    const std::string line(buffer.data(), buffer.size());
    BOOST_TEST(line.find('\n') == line.size() - 1, line);
    BOOST_TEST(line.find("\\u001b[31m\\u202e \\u009b caf\u00E9") != std::string::npos, line);
  }
}

BOOST_AUTO_TEST_CASE(texts_are_cut_between_characters) {
  BOOST_TEST(width_of("Panadería") == 9U);
  BOOST_TEST(cut("Panadería", 9, plain) == "Panadería");
  BOOST_TEST(cut("Panadería", 8, plain) == "Panader…");
  BOOST_TEST(cut("äöüäöü", 4, plain) == "äöü…");
  BOOST_TEST(cut("abcdef", 4, paint(false, false)) == "a...");
}

BOOST_AUTO_TEST_CASE(colours_are_only_where_they_are_wanted) {
  BOOST_TEST(plain(ink::bad, "no") == "no");
  BOOST_TEST(paint(true)(ink::bad, "no") == "\033[31mno\033[0m");
}

BOOST_AUTO_TEST_CASE(columns_are_as_wide_as_their_widest_field) {
  table rows({"NAME", "N"});
  BOOST_TEST(rows.text(plain) == "");
  rows.add({{"é"}, {"1", ink::plain, true}});
  rows.add({{"longer\n"}, {"100", ink::plain, true}});
  BOOST_TEST(rows.text(plain) == "NAME       N\né          1\nlonger   100\n");
}

BOOST_AUTO_TEST_CASE(a_timeline_has_every_attempt_and_every_compensation) {
  fed_run run(two_steps());
  run.now += 10ms;
  run.fail("bake", retryable());
  run.wait(1s);
  run.now += 20ms;
  run.succeed("bake");
  run.now += 5ms;
  run.fail("sell");
  run.now += 5ms;
  run.undo("bake");
  const auto times = times_of(run);
  BOOST_TEST(times.ended);
  BOOST_TEST_REQUIRE(times.lines.size() == 3U);
  const auto& bake = times.lines[0];
  BOOST_TEST_REQUIRE(bake.attempts.size() == 2U);
  BOOST_TEST(bake.attempts[0].failure == "HTTP 503");
  BOOST_CHECK(*bake.attempts[0].ended - bake.attempts[0].began == 10ms);
  BOOST_CHECK(bake.attempts[1].began - *bake.attempts[0].ended == 1s);
  BOOST_CHECK(bake.span(times.until) == 1030ms);
  BOOST_TEST(times.lines[1].attempts.at(0).failure == "HTTP 400");
  BOOST_TEST(times.lines[2].undo);
  BOOST_TEST(times.lines[2].phase == "compensated");
  const auto text = timeline_text(times, wide);
  for (const auto* part : {"succeeded after 2 attempts", "attempt 1: HTTP 503", "undo bake", "1.0 s", "▒"})
    BOOST_TEST(has(text, part), text);
}

BOOST_AUTO_TEST_CASE(an_undoing_that_failed_stays_failed_when_the_run_is_retried) {
  fed_run run(two_steps());
  run.succeed("bake");
  run.fail("sell");
  run.fail_undo("bake", final_failure("the dough is gone"));
  const auto undo = [&] { return times_of(run).lines.at(2); };
  BOOST_TEST(undo().phase == "failed");
  run.now += 1min;
  run.feed(retry_asked{"ann"});
  BOOST_TEST(undo().undo);
  BOOST_TEST(undo().phase == "failed");
  const auto text = timeline_text(times_of(run), wide);
  BOOST_TEST(!has(text, "compensated"), text);
  BOOST_TEST(has(text, "attempt 1: the dough is gone"), text);
  // What is undone in the end is compensated, whatever failed before.
  run.fail("sell");
  run.undo("bake");
  BOOST_TEST(undo().phase == "compensated");
}

BOOST_AUTO_TEST_CASE(a_run_that_goes_on_has_an_attempt_without_an_end) {
  fed_run run(two_steps());
  run.now += 3s;
  const auto times = times_of(run);
  BOOST_TEST(!times.ended);
  BOOST_TEST(!times.lines[0].attempts.at(0).ended.has_value());
  BOOST_CHECK(times.lines[0].span(times.until) == 3s);
  const auto text = timeline_text(times, wide);
  BOOST_TEST(has(text, "calling"));
  BOOST_TEST(has(text, "waiting"));
}

BOOST_AUTO_TEST_CASE(the_wait_for_a_worker_is_no_work) {
  fed_run run(two_steps());
  run.now += 10s;
  run.feed(call_answered{0, 1, false, std::string("{}"), "oven-1", 8s});
  const auto times = times_of(run);
  const auto& bake = times.lines[0].attempts.at(0);
  BOOST_TEST(bake.worker == "oven-1");
  BOOST_CHECK(bake.queued == 8s);
  BOOST_CHECK(times.lines[0].queued() == 8s);
  const auto text = timeline_text(times, wide);
  BOOST_TEST(has(text, "10.0 s  succeeded, worker oven-1, waited 8.0 s\n"), text);
  // Of the ten seconds eight are drawn as a wait.
  const auto line = text.substr(0, text.find('\n'));
  const auto count = [&](const std::string& sign) {
    size_t found = 0;
    for (auto at = line.find(sign); at != std::string::npos; at = line.find(sign, at + sign.size()))
      ++found;
    return found;
  };
  BOOST_TEST(count("·") == 38U, line);
  BOOST_TEST(count("█") == 10U, line);
  const auto attempt = timeline_json(times)[0].at("attempts").at(0);
  BOOST_TEST(attempt.at("worker") == "oven-1");
  BOOST_TEST(attempt.at("queued_ms") == 8000.0);
  BOOST_TEST(timeline_json(times)[1].at("attempts").at(0).at("worker").is_null());
}

BOOST_AUTO_TEST_CASE(a_call_that_is_out_and_waits_is_drawn_as_a_wait) {
  fed_run run(two_steps());
  run.now += 3s;
  auto times = times_of(run);
  times.lines[0].waits_for = "a worker";
  const auto text = timeline_text(times, wide);
  BOOST_TEST(has(text, "calling: waits for a worker\n"), text);
  BOOST_TEST(!has(text, "█"), text);
  BOOST_TEST(timeline_json(times)[0].at("waits_for") == "a worker");
  BOOST_TEST(!timeline_json(times)[1].contains("waits_for"));
}

BOOST_AUTO_TEST_CASE(what_a_worker_said_last_stands_beside_its_step) {
  fed_run run(two_steps());
  auto times = times_of(run);
  times.lines[0].progress = "42 of 100\nloaves";
  BOOST_TEST(has(timeline_text(times, wide), "calling: 42 of 100 loaves\n"), timeline_text(times, wide));
  BOOST_TEST(timeline_json(times)[0].at("progress") == "42 of 100\nloaves");
  BOOST_TEST(!timeline_json(times)[1].contains("progress"));
  times.lines[0].progress.assign(1000, 'x');
  const auto text = timeline_text(times, {plain, 80, true});
  BOOST_TEST(width_of(text.substr(0, text.find('\n'))) == 80U);
}

BOOST_AUTO_TEST_CASE(one_is_singular) {
  BOOST_TEST(counted(1, "run") == "1 run");
  BOOST_TEST(counted(0, "run") == "0 runs");
  BOOST_TEST(counted(2, "start key") == "2 start keys");
}

BOOST_AUTO_TEST_CASE(a_shown_time_names_its_zone) {
  const auto at = *parse_timestamp("2026-11-23T05:00:00.123456+01:00");
  BOOST_TEST(moment_text(at) == "2026-11-23 04:00:00.123Z");
  BOOST_TEST(parse_timestamp(moment_text(at)).has_value());
}

BOOST_AUTO_TEST_CASE(a_list_of_runs_is_no_wider_than_the_terminal) {
  const auto rows = nlohmann::ordered_json::parse(R"([
    {"id": "01a2089c-174a-75a9-9b14-6b3991f50700", "run_number": "ORCH-20261123-00000001", "status": "failed",
     "workflow": "morning_bread", "run_type": "manual", "priority": "normal", "triggered_by": "anna",
     "started_at": "2026-11-23T04:00:00.000000Z", "completed_at": "2026-11-23T04:00:02.000000Z",
     "saga_steps_completed": 1, "saga_steps_total": 3, "retry_count": 0,
     "tenant_id": "6f1c2a90-5b7e-4d0a-8c31-0a4e5d2b7c01",
     "error_message": "step bake failed: POST http://127.0.0.1:8001/loaves answered 503 Service Unavailable"}])");
  const auto widest = [](const std::string& text) {
    size_t widest = 0;
    for (size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
      widest = std::max(widest, width_of(std::string_view(text).substr(begin, end - begin)));
    return widest;
  };
  BOOST_TEST(widest(runs_text(rows, plain, {{}, true, 0}).text) > 200U);
  for (const size_t width : {100U, 132U, 160U}) {
    const auto table = runs_text(rows, plain, {{}, true, width});
    BOOST_TEST(widest(table.text) <= width, table.text);
    BOOST_TEST(!table.left_out.empty());
    for (const auto* part : {"ORCH-20261123-00000001", "failed", "2026-11-23 04:00:00.000Z", "step bake failed"})
      BOOST_TEST(has(table.text, part), part);
  }
  BOOST_TEST(runs_text(rows, plain, {{}, false, 240}).left_out.empty());
}

BOOST_AUTO_TEST_CASE(the_columns_of_a_list_are_those_that_were_asked_for) {
  const auto rows = nlohmann::ordered_json::parse(R"([
    {"id": "01a2089c-174a-75a9-9b14-6b3991f50700", "run_number": "ORCH-1", "triggered_by": "anna"}])");
  const auto table = runs_text(rows, plain, {{"by", "run", "id"}, true, 10});
  BOOST_TEST(table.text == "BY    RUN     ID\nanna  ORCH-1  01a2089c-174a-75a9-9b14-6b3991f50700\n");
  BOOST_TEST(table.left_out.empty());
}

BOOST_AUTO_TEST_CASE(workers_are_listed_with_what_they_have_room_for) {
  const auto workers = nlohmann::ordered_json::parse(R"([
    {"name": "oven-1", "host": "bakehouse", "connected_since": "2026-11-23T04:00:00Z", "leaving": false, "calls_out": 1,
     "kinds": [{"kind": "bake", "at_once": 4, "free": 3}, {"kind": "mix", "at_once": 1, "free": 1}]},
    {"name": "oven-2", "host": "cellar", "connected_since": "2026-11-23T04:00:00Z", "leaving": true, "calls_out": 0,
     "kinds": [{"kind": "bake", "at_once": 4, "free": 0}]}])");
  const auto text = workers_text(workers, plain);
  BOOST_TEST(has(text, "oven-1  bakehouse"), text);
  BOOST_TEST(has(text, "bake 3/4, mix 1/1\n"), text);
  BOOST_TEST(has(text, "oven-2  cellar"), text);
  BOOST_TEST(has(text, "leaving\n"), text);
  BOOST_TEST(workers_text(nlohmann::ordered_json::array(), plain).empty());
}

BOOST_AUTO_TEST_CASE(no_line_of_a_timeline_is_wider_than_a_terminal_that_has_room) {
  fed_run run(two_steps());
  run.fail("bake", final_failure(std::string(500, 'x')));
  for (const size_t width : {80U, 100U, 200U}) {
    const auto text = timeline_text(times_of(run), {plain, width, true});
    for (size_t begin = 0; begin < text.size();) {
      const auto end = text.find('\n', begin);
      BOOST_TEST(width_of(text.substr(begin, end - begin)) <= width);
      begin = end + 1;
    }
  }
}

BOOST_AUTO_TEST_CASE(ascii_terminals_get_ascii) {
  fed_run run(two_steps());
  run.succeed("bake");
  for (const char byte : timeline_text(times_of(run), {paint(false, false), 100, false}))
    BOOST_TEST(static_cast<unsigned char>(byte) < 128);
}

BOOST_AUTO_TEST_CASE(rows_stand_side_by_side_where_there_is_room) {
  const nlohmann::ordered_json row{{"id", "1"}, {"status", "failed"}, {"forecast_id", nullptr}};
  const auto side = audit_text({row, row}, {"A", "B"}, plain, 120);
  BOOST_TEST(has(side, "COLUMN  A       B\n"), side);
  BOOST_TEST(has(side, "status  failed  failed\n"), side);
  BOOST_TEST(!has(side, "forecast_id"));
  BOOST_TEST(has(audit_text({row, row}, {"A", "B"}, plain, 80), "A\n  id"));
}

BOOST_AUTO_TEST_CASE(problems_become_sentences) {
  BOOST_TEST(problem_sentence(R"({"detail": "no such run", "field": "run"})", "?") == "no such run");
  BOOST_TEST(
    problem_sentence(
      R"({"detail": "d", "errors": [{"field": "a", "message": "b"}, {"field": "", "message": "c"}]})", "?") ==
    "a: b\n  c");
  for (const auto* other : {"", "<html>", "[]", R"({"detail": 3})", R"({"title": "t"})"})
    BOOST_TEST(problem_sentence(other, "answered 500") == "answered 500");
}

BOOST_AUTO_TEST_CASE(names_go_into_paths_encoded) {
  BOOST_TEST(percent_encoded("daily_bakery-1.0~") == "daily_bakery-1.0~");
  BOOST_TEST(percent_encoded("a/b?c&d é") == "a%2Fb%3Fc%26d%20%C3%A9");
}

BOOST_AUTO_TEST_SUITE_END()
