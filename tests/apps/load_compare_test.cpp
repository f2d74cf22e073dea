#include "apps/load/comparison.hpp"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/support/processes.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace levain::load;
using namespace levain::test;

namespace {

load_result result_with(double runs_per_s) {
  load_result x;
  x.runs = 100;
  x.runs_per_s = runs_per_s;
  x.settings = {{"writers", "1"}};
  return x;
}

const compared_figure& figure_named(const std::vector<compared_figure>& all, const std::string& name) {
  for (const auto& each : all)
    if (each.name == name)
      return each;
  throw std::runtime_error("no figure " + name);
}

/// A folder with two results, of 1000 and of 900 runs/s.
class two_results {
public:
  two_results() {
    write("first.json", to_json(result_with(1000)).dump());
    write("second.json", to_json(result_with(900)).dump());
  }

  void write(const std::string& name, const std::string& text) const { std::ofstream(folder_.path() / name) << text; }
  std::string file(const std::string& name) const { return folder_.path() / name; }

  program_result compared(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"compare", file("first.json"), file("second.json")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_to_end({.program = "levain-load", .arguments = arguments});
  }

private:
  temporary_folder folder_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(load_compare_test)

BOOST_AUTO_TEST_CASE(a_ratio_is_the_second_by_the_first) {
  const auto figures = compare(result_with(1000), result_with(900));
  BOOST_TEST(figure_named(figures, "runs_per_s").ratio().value() == 0.9);
}

BOOST_AUTO_TEST_CASE(what_was_not_measured_has_no_ratio) {
  auto first = result_with(1);
  auto second = result_with(1);
  first.wal_bytes_per_run = 4000;
  const auto figures = compare(first, second);
  BOOST_TEST(figure_named(figures, "wal_bytes_per_run").first.value() == 4000);
  BOOST_TEST(!figure_named(figures, "wal_bytes_per_run").ratio().has_value());
  BOOST_TEST(!figure_named(figures, "latency_p50_ms").first.has_value());
  BOOST_TEST(!compared_figure({"x", 0.0, 1.0, true}).ratio().has_value());
}

BOOST_AUTO_TEST_CASE(settings_that_differ_are_told) {
  auto first = result_with(1);
  auto second = result_with(1);
  second.settings["writers"] = "2";
  second.machine["cores"] = "8";
  second.kind = "floor";
  const std::vector<std::string> expected = {"kind: load -> floor", "writers: 1 -> 2", "cores:  -> 8"};
  BOOST_TEST(setting_differences(first, second) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_program_fails_when_the_second_is_too_slow) {
  const two_results both;
  const auto fast_enough = both.compared({"--fail-below", "0.9"});
  BOOST_TEST(fast_enough.status == 0, fast_enough.errors);
  BOOST_TEST(fast_enough.output.find("0.900") != std::string::npos, fast_enough.output);
  const auto too_slow = both.compared({"--fail-below", "0.95"});
  BOOST_TEST(too_slow.status == 1);
  BOOST_TEST(too_slow.errors.find("less than --fail-below 0.95") != std::string::npos, too_slow.errors);
}

BOOST_AUTO_TEST_CASE(the_program_prints_json) {
  const two_results both;
  const auto answer = nlohmann::json::parse(both.compared({"--json"}).output);
  BOOST_TEST(answer.at("figures").at(1).at("figure") == "runs_per_s");
  BOOST_TEST(answer.at("figures").at(1).at("ratio") == 0.9);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_result_is_named) {
  const two_results both;
  both.write("second.json", "{\"kind\": \"load\"}");
  const auto unfit = both.compared();
  BOOST_TEST(unfit.status == 2);
  BOOST_TEST(unfit.errors.find("second.json: began_at: is missing") != std::string::npos, unfit.errors);
  both.write("second.json", "{");
  BOOST_TEST(both.compared().errors.find("second.json: is no JSON") != std::string::npos);
  const auto missing = run_to_end({.program = "levain-load", .arguments = {"compare", "/nowhere", "/nowhere"}});
  BOOST_TEST(missing.status == 2);
  BOOST_TEST(missing.errors.find("/nowhere: cannot be read") != std::string::npos, missing.errors);
}

BOOST_AUTO_TEST_SUITE_END()
