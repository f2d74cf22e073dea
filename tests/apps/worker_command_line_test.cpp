#include "apps/worker/worker_command_line.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <iterator>
#include <regex>

#include "apps/worker/bakery_work.hpp"
#include "test_paths.hpp"
#include "tests/support/processes.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

worker_command_line read(std::vector<std::string> arguments) {
  std::vector<const char*> words{"levain-worker", "--node", "127.0.0.1:7500"};
  for (const auto& each : arguments)
    words.push_back(each.c_str());
  auto line = read_worker_command_line(static_cast<int>(words.size()), words.data());
  BOOST_TEST_REQUIRE(std::holds_alternative<worker_command_line>(line));
  return std::get<worker_command_line>(std::move(line));
}

std::string kinds_of(const worker_command_line& line) {
  std::string text;
  for (const auto& each : line.kinds)
    text += each.kind + "=" + std::to_string(each.at_once) + " ";
  return text;
}

} // namespace

BOOST_AUTO_TEST_SUITE(worker_command_line_test)

BOOST_AUTO_TEST_CASE(all_of_the_bakery_is_five_kinds) {
  BOOST_TEST(
    kinds_of(read({"--bakery", "all", "--at-once", "3"})) ==
    "bakery.forecasting=3 bakery.production=3 bakery.procurement=3 bakery.notifications=3 bakery.insights=3 ");
}

BOOST_AUTO_TEST_CASE(services_may_be_named_one_by_one_or_together) {
  BOOST_TEST(
    kinds_of(read({"--bakery", "forecasting,insights", "--bakery", "production", "--at-once", "1"})) ==
    "bakery.forecasting=1 bakery.insights=1 bakery.production=1 ");
}

BOOST_AUTO_TEST_CASE(a_number_for_one_kind_goes_before_the_number_for_all) {
  const std::vector<std::string> work{"--bakery", "forecasting,insights", "--exec", "bake=true"};
  auto words = work;
  words.insert(words.end(), {"--at-once", "2,forecasting=4", "--at-once", "bake=7", "--at-once", "bakery.insights=5"});
  BOOST_TEST(kinds_of(read(words)) == "bakery.forecasting=4 bakery.insights=5 bake=7 ");
  words = work;
  words.insert(words.end(), {"--at-once", "2"});
  BOOST_TEST(kinds_of(read(words)) == "bakery.forecasting=2 bakery.insights=2 bake=2 ");
}

BOOST_AUTO_TEST_CASE(a_command_keeps_its_words_and_its_equals_signs) {
  const auto line = read({"--exec", "bake=sh -c 'x=1, y=2'"});
  BOOST_TEST(line.kinds.at(0).command == (command_words{"sh", "-c", "x=1, y=2"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(nodes_and_spans_reach_the_worker) {
  const auto line = read(
    {"--node", "[::1]:7501", "--bakery", "all", "--name", "oven 7", "--stop-grace", "3s", "--result-kept-max", "1h",
     "--reconnect-interval-initial", "20ms", "--reconnect-interval-max", "2s", "--state", "here"});
  BOOST_TEST(
    line.worker.nodes == (std::vector<std::string>{"127.0.0.1:7500", "[::1]:7501"}), boost::test_tools::per_element());
  BOOST_TEST(line.worker.name == "oven 7");
  BOOST_TEST((line.worker.stop_grace == 3s));
  BOOST_TEST((line.worker.result_kept_max == 1h));
  BOOST_TEST((line.worker.reconnect_interval_initial == 20ms));
  BOOST_TEST((line.worker.reconnect_interval_max == 2s));
  BOOST_TEST(line.state_dir == "here");
}

BOOST_AUTO_TEST_CASE(every_option_is_on_the_page_with_its_variable) {
  std::ifstream in(LEVAIN_SOURCE_DIR "/docs/workers.md");
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  const auto help = run_to_end({"levain-worker", {"--help"}}).output;
  const std::regex option(R"(\n  (--[a-z-]+)[^\n]*\(Env:(\w+)\))");
  size_t count = 0;
  for (std::sregex_iterator at(help.begin(), help.end(), option), end; at != end; ++at, ++count) {
    BOOST_TEST(page.find("| `" + at->str(1)) != std::string::npos, at->str(1));
    BOOST_TEST(at->str(2).starts_with("LEVAIN_WORKER_"));
  }
  BOOST_TEST(count > 14U);
}

BOOST_AUTO_TEST_CASE(the_kind_of_a_service_has_the_bakerys_name_before_it) {
  BOOST_TEST(bakery_kind("insights") == "bakery.insights");
}

BOOST_AUTO_TEST_SUITE_END()
