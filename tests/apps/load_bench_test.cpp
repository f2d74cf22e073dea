// The bench: its rows, what is judged of them, what is printed; and one cheap row measured in earnest.
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "apps/load/bench/bench_report.hpp"
#include "apps/load/bench/bench_row.hpp"
#include "apps/load/bench/bench_stage.hpp"
#include "tests/support/has.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace levain;
using namespace levain::load;
using namespace levain::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const bench_row rate_row{"rate", "runs, engine / floor", "", true, 0.45, 0.65};
const bench_row wait_row{"wait", "a wait", "ms", false, 60, 25};
const bench_row bound_row{"bound", "a wait / its bound", "", false, 1, std::nullopt};

bench_verdict verdict_of(const bench_row& row, double reached) {
  return judge(row, {reached, {}, {}});
}

/// A bench of two rows, one of which could not be measured.
bench_report small_report() {
  bench_report report;
  report.began_at = "2026-11-23T04:00:00.000000Z";
  report.seconds = 12;
  report.quick = true;
  report.machine = {{"cores", "2"}};
  report.lines.push_back({&rate_row, {0.5, {{"engine", 5000, "runs/s"}, {"floor", 10'000, "runs/s"}}, {}}, "", 3});
  report.lines.push_back({&wait_row, {}, "the disk is full", 1});
  report.proof.loads = 2;
  report.proof.runs = 300;
  return report;
}

program_result bench_program(std::vector<std::string> words) {
  words.insert(words.begin(), "bench");
  return run_to_end({.program = "levain-load", .arguments = std::move(words)}, 180s);
}

} // namespace

BOOST_AUTO_TEST_SUITE(load_bench_test)

BOOST_AUTO_TEST_CASE(a_row_where_more_is_better_is_judged_by_its_least) {
  BOOST_TEST((verdict_of(rate_row, 0.449) == bench_verdict::short_of_it));
  BOOST_TEST((verdict_of(rate_row, 0.45) == bench_verdict::met));
  BOOST_TEST((verdict_of(rate_row, 0.649) == bench_verdict::met));
  BOOST_TEST((verdict_of(rate_row, 0.65) == bench_verdict::aim_met));
}

BOOST_AUTO_TEST_CASE(a_row_where_less_is_better_is_judged_by_its_most) {
  BOOST_TEST((verdict_of(wait_row, 60.1) == bench_verdict::short_of_it));
  BOOST_TEST((verdict_of(wait_row, 60) == bench_verdict::met));
  BOOST_TEST((verdict_of(wait_row, 25) == bench_verdict::aim_met));
}

BOOST_AUTO_TEST_CASE(a_row_without_an_aim_can_only_be_met) {
  BOOST_TEST((verdict_of(bound_row, 0) == bench_verdict::met));
  BOOST_TEST((verdict_of(bound_row, 1.01) == bench_verdict::short_of_it));
}

BOOST_AUTO_TEST_CASE(a_row_with_a_shortcoming_is_short_whatever_it_reached) {
  BOOST_TEST((judge(rate_row, {9, {}, {"nothing was refused"}}) == bench_verdict::short_of_it));
}

BOOST_AUTO_TEST_CASE(the_rows_have_names_of_their_own_and_aims_beyond_what_is_good_enough) {
  std::set<std::string_view> names;
  for (const auto& row : bench_rows()) {
    BOOST_TEST_CONTEXT(row.name) {
      BOOST_TEST(names.insert(row.name).second);
      BOOST_TEST((find_bench_row(row.name) == &row));
      BOOST_TEST((row.measure != nullptr));
      BOOST_TEST(!row.title.empty());
      if (row.aim)
        BOOST_TEST((row.more_is_better ? *row.aim > row.at_least : *row.aim < row.at_least));
    }
  }
  BOOST_TEST((find_bench_row("bread") == nullptr));
}

BOOST_AUTO_TEST_CASE(the_median_is_the_middle_value) {
  BOOST_TEST(median({3}) == 3);
  BOOST_TEST(median({9, 1, 5}) == 5);
  BOOST_TEST(median({4, 1, 100, 2}) == 3);
}

BOOST_AUTO_TEST_CASE(a_rate_counts_whole_moments_of_its_span_only) {
  load_result result;
  for (int second = 1; second <= 4; ++second)
    result.over_time.push_back({.at_s = static_cast<double>(second), .ended = static_cast<uint64_t>(second * 10)});
  BOOST_TEST(rate_between(result, 1, 3) == (20 + 30) / 2.0);
  BOOST_TEST(rate_between(result, 0, 4) == 25);
  BOOST_TEST(rate_between(result, 3.5, 4) == 0);
}

BOOST_AUTO_TEST_CASE(a_closed_loop_is_measured_while_it_is_full) {
  load_result result;
  result.runs_per_s = 7;
  BOOST_TEST(steady_rate(result) == 7);
  // Half a second to fill, a second full, and the rest of the runs when nothing is started any more.
  for (const auto& [started, ended] : {std::pair{100, 0}, {50, 50}, {60, 60}, {0, 100}}) {
    load_moment moment;
    moment.at_s = 0.5 * static_cast<double>(result.over_time.size() + 1);
    moment.started = started;
    moment.ended = ended;
    result.over_time.push_back(moment);
  }
  BOOST_TEST(steady_rate(result) == 110);
}

BOOST_AUTO_TEST_CASE(the_p99_of_several_groups_is_that_of_all_their_runs) {
  latency_figures quick;
  quick.histogram = {{1, 0}, {2, 98}};
  latency_figures slow;
  slow.histogram = {{10, 0}, {20, 2}};
  // One of the two slow ones: half way between the bounds of their row.
  BOOST_TEST(p99_of({quick, slow}) == 15);
  BOOST_TEST(p99_of({}) == 0);
}

BOOST_AUTO_TEST_CASE(a_proof_holds_when_nothing_is_wrong) {
  bench_proof proof;
  BOOST_TEST(proof.holds());
  for (auto* each : {&proof.lost, &proof.duplicates, &proof.audit_differences}) {
    *each = 1;
    BOOST_TEST(!proof.holds());
    *each = 0;
  }
  proof.complaints = {"a request failed"};
  BOOST_TEST(!proof.holds());
}

BOOST_AUTO_TEST_CASE(a_row_that_was_not_measured_makes_the_bench_incomplete) {
  auto report = small_report();
  BOOST_TEST(!report.complete());
  BOOST_TEST(report.rows_short() == 1U);
  report.lines.pop_back();
  BOOST_TEST(report.complete());
  BOOST_TEST(report.rows_short() == 0U);
  report.proof.lost = 1;
  BOOST_TEST(!report.complete());
}

BOOST_AUTO_TEST_CASE(the_table_says_what_was_reached_and_what_is_behind_it) {
  const auto text = bench_text(small_report(), std::nullopt, terminal::paint(false));
  for (const char* part :
       {"0.50", "≥ 0.45", "≥ 0.65", "met", "engine 5000 runs/s, floor 10000 runs/s", "≤ 60 ms", "not measured",
        "the disk is full", "300 runs in 2 loads", "holds", "1 of 2 rows short"})
    BOOST_TEST(has(text, part), part << " is missing in\n" << text);
  BOOST_TEST(!has(text, "BEFORE"));
  BOOST_TEST(!has(text, "had other work"));
  auto busy = small_report();
  busy.load_average_before = 3;
  BOOST_TEST(has(bench_text(busy, std::nullopt, terminal::paint(false)), "had other work: load average 3.0"));
}

BOOST_AUTO_TEST_CASE(what_was_written_is_read_for_comparison) {
  auto report = small_report();
  const auto earlier = read_earlier_bench(json::parse(to_json(report).dump()));
  BOOST_TEST(earlier.began_at == report.began_at);
  BOOST_TEST(earlier.quick);
  BOOST_TEST(earlier.reached.size() == 1U);
  BOOST_TEST(earlier.reached.at("rate") == 0.5);
  report.lines.front().measure.reached = 0.6;
  report.machine = {{"cores", "64"}};
  report.quick = false;
  const auto text = bench_text(report, earlier, terminal::paint(false));
  for (const char* part : {"BEFORE", "0.50 (x1.20)", "cores: 2 then, 64 now", "which was a quick one"})
    BOOST_TEST(has(text, part), part << " is missing in\n" << text);
}

BOOST_AUTO_TEST_CASE(a_document_that_is_no_bench_is_refused_by_its_place) {
  const auto complaint = [](const json& document) {
    try {
      read_earlier_bench(document);
    } catch (const std::invalid_argument& wrong) {
      return std::string(wrong.what());
    }
    return std::string("nothing was wrong");
  };
  const auto sound = json::parse(to_json(small_report()).dump());
  BOOST_TEST(complaint(sound) == "nothing was wrong");
  BOOST_TEST(has(complaint(json::array()), "kind: must be \"bench\""));
  for (const char* name : {"began_at", "quick", "machine", "rows"}) {
    auto torn = sound;
    torn.erase(name);
    BOOST_TEST(has(complaint(torn), std::string(name) + ": must be"));
  }
  auto worded = sound;
  worded["rows"][0]["reached"] = "fast";
  BOOST_TEST(complaint(worded) == "reached: must be a number, or null");
}

BOOST_AUTO_TEST_CASE(the_program_measures_a_row_and_compares_it) {
  const temporary_folder folder;
  const auto file = (folder.path() / "bench.json").string();
  const auto first = bench_program({"--quick", "--only", "startup", "--json", "--out", file});
  BOOST_TEST_REQUIRE(first.status == 0, first.errors);
  const auto document = json::parse(first.output);
  std::ifstream in(file);
  BOOST_TEST((json::parse(in) == document));
  const auto& row = document.at("rows").at(0);
  BOOST_TEST(row.at("row") == "startup");
  BOOST_TEST(row.at("reached").get<double>() > 0);
  BOOST_TEST(row.at("figures").size() == 3U);
  BOOST_TEST(document.at("machine").at("postgresql.fsync") == "on");
  BOOST_TEST(document.at("machine").at("postgresql.synchronous_commit") == "on");

  const auto second = bench_program({"--quick", "--only", "startup", "--compare", file});
  BOOST_TEST_REQUIRE(second.status == 0, second.errors);
  BOOST_TEST(has(second.output, "BEFORE"), second.output);
  BOOST_TEST(has(second.output, "compared with the bench of"), second.output);
}

BOOST_AUTO_TEST_CASE(bad_command_lines_name_what_is_wrong) {
  const temporary_folder folder;
  const auto complaint = [](const std::vector<std::string>& words) {
    const auto refused = bench_program(words);
    BOOST_TEST(refused.status == 2, refused.errors);
    return refused.errors;
  };
  const auto wrong = complaint({"--only", "strict,bread"});
  BOOST_TEST(has(wrong, "--only: there is no row 'bread'; there are strict, none, wal"), wrong);
  BOOST_TEST(has(complaint({"--compare", "/nowhere/bench.json"}), "--compare: /nowhere/bench.json has no JSON"));
  const auto file = (folder.path() / "other.json").string();
  std::ofstream(file) << R"({"kind":"load"})";
  BOOST_TEST(has(complaint({"--compare", file}), file + ": kind: must be \"bench\""));
  BOOST_TEST(has(complaint({"--duration", "5s"}), "--duration"));
}

BOOST_AUTO_TEST_SUITE_END()
