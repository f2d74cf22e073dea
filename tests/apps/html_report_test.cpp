#include "apps/load/html_report.hpp"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "apps/load/html_text.hpp"
#include "apps/load/latency_histogram.hpp"
#include "apps/load/svg_plot.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace levain::load;
using namespace levain::test;

namespace {

constexpr const char* hostile = "<script>alert(1)</script>\"'&";

named_result some_result(const std::string& name, double rate) {
  load_result x;
  latency_histogram latency;
  for (int i = 1; i <= 1000; ++i)
    latency.record(std::chrono::microseconds(i * 37));
  x.began_at = "2026-11-24T03:00:00Z";
  x.runs = 1000;
  x.runs_per_s = rate;
  x.seconds = 3;
  x.latency_ms = latency.figures();
  x.wal_bytes_per_run = 4600;
  x.lost = x.duplicates = x.audit_differences = 0;
  for (int i = 1; i <= 3; ++i)
    x.over_time.push_back(
      {.at_s = 1.0 * i, .started = 300, .ended = 300, .in_flight = 10, .p50_ms = 5.0 * i, .p99_ms = 9.0 * i});
  return {name, x};
}

size_t occurrences(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// What is open and was not closed, or closed and was not open; empty for a page that is well formed.
std::string imbalance(const std::string& html) {
  const std::regex tag("<(/?)([a-z][a-z0-9]*)([^>]*)>");
  std::vector<std::string> open;
  for (std::sregex_iterator at(html.begin(), html.end(), tag), end; at != end; ++at) {
    const std::string name = (*at)[2];
    const std::string rest = (*at)[3];
    if (name == "meta" || rest.ends_with('/'))
      continue;
    if ((*at)[1].length() == 0)
      open.push_back(name);
    else if (open.empty() || open.back() != name)
      return "</" + name + "> where " + (open.empty() ? "nothing" : open.back()) + " is open";
    else
      open.pop_back();
  }
  return open.empty() ? "" : open.back() + " is not closed";
}

} // namespace

BOOST_AUTO_TEST_SUITE(html_report_test)

BOOST_AUTO_TEST_CASE(a_page_needs_nothing_but_itself) {
  const auto page = html_report({some_result("load", 1000)});
  BOOST_TEST(!holds(page, "<script"));
  BOOST_TEST(!holds(page, "http"));
  BOOST_TEST(!holds(page, "url("));
  BOOST_TEST(!holds(page, "@import"));
  BOOST_TEST(!holds(page, " src="));
  BOOST_TEST(holds(page, "name=\"viewport\""));
  BOOST_TEST(holds(page, "prefers-color-scheme: dark"));
}

BOOST_AUTO_TEST_CASE(every_tag_is_closed) {
  BOOST_TEST(imbalance("<p><b></p>") == "</p> where b is open");
  BOOST_TEST(imbalance(html_report({some_result("load", 1000)})) == "");
  BOOST_TEST(imbalance(html_report({some_result("a", 1000), some_result("b", 900)})) == "");
  BOOST_TEST(imbalance(html_report({{"nothing", load_result{}}})) == "");
}

BOOST_AUTO_TEST_CASE(a_page_shows_figures_plots_and_proof) {
  const auto page = html_report({some_result("load", 1234)});
  BOOST_TEST(holds(page, "1.23k <small>runs/s</small>"));
  BOOST_TEST(occurrences(page, "<svg") == 6U);
  BOOST_TEST(holds(page, "proven: every accepted run"));
  auto broken = some_result("load", 1);
  broken.result.lost = 3;
  BOOST_TEST(holds(html_report({broken}), "not proven"));
  BOOST_TEST(holds(html_report({{"x", load_result{}}}), "no proof was asked for"));
}

BOOST_AUTO_TEST_CASE(several_results_are_compared_with_the_first) {
  const auto page = html_report({some_result("before", 1000), some_result("after", 500)});
  BOOST_TEST(holds(page, "<span class=\"bad\">× 0.50</span>"));
  BOOST_TEST(holds(page, "after p99"));
}

BOOST_AUTO_TEST_CASE(texts_from_elsewhere_are_made_safe) {
  auto each = some_result(hostile, 1);
  each.result.began_at = hostile;
  each.result.settings = {{hostile, hostile}};
  each.result.machine = {{hostile, hostile}};
  each.result.errors = {{hostile, 1}};
  each.result.refused = {{hostile, 1}};
  each.result.endings = {{hostile, 1}};
  each.result.tenants[hostile] = {};
  each.result.priorities[hostile] = {};
  for (const auto& page : {html_report({each}), html_report({each, each})}) {
    BOOST_TEST(!holds(page, "<script"));
    BOOST_TEST(holds(page, "&lt;script&gt;"));
    BOOST_TEST(imbalance(page) == "");
  }
  BOOST_TEST(html_text(hostile) == "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;");
  BOOST_TEST(html_text(std::string("a\0b\x1b[2J", 7)) == "ab[2J");
}

BOOST_AUTO_TEST_CASE(there_is_room_for_four) {
  const std::vector<named_result> five(5, some_result("x", 1));
  BOOST_CHECK_THROW(html_report(five), std::invalid_argument);
  BOOST_CHECK_THROW(html_report({}), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(an_axis_has_three_marks_at_least_and_says_that_it_is_logarithmic) {
  for (const auto& [low, high] :
       std::vector<std::pair<double, double>>{{1, 1000}, {0.8, 30}, {2, 190}, {11, 17}, {950, 1020}, {0.0011, 0.5}}) {
    const auto svg = svg_plot({"", {"ms", axis_scale::logarithmic}, {"share"}, {{.points = {{low, 1}, {high, 2}}}}});
    BOOST_TEST(occurrences(svg, "text-anchor=\"middle\"") >= 3U, low << " to " << high << ": " << svg);
    BOOST_TEST(holds(svg, ">ms, logarithmic<"));
    BOOST_TEST(!holds(svg, ">share, logarithmic<"));
  }
}

BOOST_AUTO_TEST_CASE(names_and_figures_are_written_for_people) {
  auto each = some_result("load", 1000);
  each.result.settings = {{"fail_final_rate", "0"}};
  each.result.latency_ms.p50 = 12.34567;
  const auto page = html_report({each});
  BOOST_TEST(holds(page, "<th>fail final rate</th>"));
  BOOST_TEST(holds(page, "p50 12 ms"));
  BOOST_TEST(!holds(page, "12.346"));
  BOOST_TEST(holds(page, "overflow-wrap: normal"));
}

BOOST_AUTO_TEST_CASE(marks_are_round_numbers) {
  const std::vector<double> tens = {0, 20, 40, 60, 80, 100};
  BOOST_TEST(axis_marks(0, 100, 6) == tens, boost::test_tools::per_element());
  const std::vector<double> halves = {0, 0.5, 1, 1.5};
  const auto marks = axis_marks(0, 1.9, 4);
  BOOST_TEST(marks == halves, boost::test_tools::per_element());
  BOOST_TEST(!std::signbit(marks.front()));
  BOOST_TEST(short_number(999.4) == "999");
  BOOST_TEST(short_number(1500) == "1.5k");
  BOOST_TEST(short_number(12e6) == "12M");
  BOOST_TEST(short_number(0.25) == "0.25");
}

BOOST_AUTO_TEST_CASE(a_plot_stays_inside_of_its_frame) {
  plot drawn{"odd", {"x", axis_scale::quantile}, {"y", axis_scale::logarithmic}, {}};
  drawn.series.push_back({.name = "a", .points = {{0, 0}, {0.5, 1e-9}, {1, 1e9}}, .filled = true, .steps = true});
  const auto svg = svg_plot(drawn);
  BOOST_TEST(!holds(svg, "nan"));
  BOOST_TEST(!holds(svg, "inf"));
  const std::regex place("[ML](-?[0-9.]+) (-?[0-9.]+)");
  size_t places = 0;
  for (std::sregex_iterator at(svg.begin(), svg.end(), place), end; at != end; ++at, ++places) {
    BOOST_TEST(std::stod((*at)[1]) >= 0);
    BOOST_TEST(std::stod((*at)[1]) <= 460);
    BOOST_TEST(std::stod((*at)[2]) >= 0);
    BOOST_TEST(std::stod((*at)[2]) <= 250);
  }
  BOOST_TEST(places > 3U);
  BOOST_TEST(holds(svg_plot({"none", {}, {}, {}}), "nothing was measured"));
}

BOOST_AUTO_TEST_CASE(compare_writes_a_page) {
  const temporary_folder folder;
  for (const char* name : {"before", "after"})
    std::ofstream(folder.path() / (std::string(name) + ".json")) << to_json(some_result(name, 10).result);
  const auto compared = run_to_end(
    {.program = "levain-load",
     .arguments = {"compare", folder / "before.json", folder / "after.json", "--report", folder / "both.html"}});
  BOOST_TEST(compared.status == 0, compared.errors);
  std::ifstream in(folder.path() / "both.html");
  std::ostringstream page;
  page << in.rdbuf();
  BOOST_TEST(holds(page.str(), "results compared"));
  const auto nowhere = run_to_end(
    {.program = "levain-load",
     .arguments = {"compare", folder / "before.json", folder / "after.json", "--report", "/nowhere/x.html"}});
  BOOST_TEST(nowhere.status == 1);
  BOOST_TEST(holds(nowhere.errors, "/nowhere/x.html"), nowhere.errors);
}

BOOST_AUTO_TEST_SUITE_END()
