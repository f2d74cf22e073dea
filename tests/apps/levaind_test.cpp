// What the daemon says to command lines, files and environments that are wrong, and how it ends.
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fstream>
#include <iterator>
#include <regex>

#include "test_paths.hpp"
#include "tests/support/deaf_listener.hpp"
#include "tests/support/processes.hpp"

using namespace levain::test;
using namespace std::chrono_literals;

namespace {

program_result run_daemon(std::vector<std::string> arguments, std::map<std::string, std::string> environment = {}) {
  return run_to_end({"levaind", std::move(arguments), std::move(environment)});
}

void check_refused(const program_result& result, const std::string& sentence) {
  BOOST_TEST(result.status == 2);
  BOOST_TEST(result.errors.find(sentence) != std::string::npos, "'" << result.errors << "' lacks '" << sentence << "'");
  BOOST_TEST(result.output.empty());
}

} // namespace

BOOST_AUTO_TEST_SUITE(levaind_test)

BOOST_AUTO_TEST_CASE(wrong_command_lines_end_with_2_and_name_what_was_wrong) {
  const std::pair<std::vector<std::string>, std::string> cases[] = {
    {{}, "give one of them: --embedded DIR or --database URL"},
    {{"--embedded", "d", "--database", "u"}, "give one of them, not both"},
    {{"--database", "u", "--listen", "7400"}, "--listen: must be ADDRESS:PORT such as 127.0.0.1:7400"},
    {{"--database", "u", "--listen", "127.0.0.1:99999"}, "not '127.0.0.1:99999'"},
    {{"--database", "u", "--var", "1x=y"}, "--var: must be NAME=VALUE"},
    {{"--database", "u", "--var", "a=1", "--var", "a=2"}, "--var: gives 'a' twice"},
    {{"--database", "u", "--writers", "0"}, "--writers: "},
    {{"--database", "u", "--runs-running-max", "-1"}, "--runs-running-max"},
    {{"--database", "u", "--ageing-interval", "soon"}, "--ageing-interval: must be a span such as 500ms"},
    {{"--database", "u", "--ageing-interval", "0s"}, "--ageing-interval: must be a span such as 500ms"},
    {{"--database", "u", "--heartbeat-interval", "4s"}, "--heartbeat-interval: must be at most half of"},
    {{"--database", "u", "--journal-retry-interval-initial", "1h"}, "must be at most --journal-retry-interval-max"},
    {{"--database", "u", "--log-level", "loud"}, "--log-level"},
    {{"--database", "u", "--name", ""}, "--name: must be 1 to 100 bytes long, not 0"},
    {{"--database", "u", "--colour", "red"}, "--colour"},
    {{"--database", "u", "--config", "/nonexistent.toml"}, "/nonexistent.toml"},
  };
  for (const auto& [arguments, sentence] : cases)
    check_refused(run_daemon(arguments), sentence);
}

BOOST_AUTO_TEST_CASE(a_gate_that_cannot_be_opened_ends_it_and_is_named) {
  const temporary_folder folder;
  const deaf_listener taken;
  for (const auto& address : {taken.address(), std::string("192.0.2.1:7500")}) {
    const auto ended =
      run_daemon({"--embedded", folder / "pg", "--listen", "127.0.0.1:0", "--cluster", address, "--cluster-insecure"});
    BOOST_TEST(ended.status == 1);
    BOOST_TEST(ended.errors.find("cannot listen on " + address) != std::string::npos, ended.errors);
    BOOST_TEST(ended.errors.find("core_actor_died") == std::string::npos, ended.errors);
    BOOST_TEST(ended.output.empty(), ended.output);
  }
}

BOOST_AUTO_TEST_CASE(the_environment_and_the_file_are_held_to_the_same_rules) {
  check_refused(run_daemon({}, {{"LEVAIN_DATABASE", "u"}, {"LEVAIN_WRITERS", "none"}}), "--writers");
  const temporary_folder folder;
  const auto file = folder / "levaind.toml";
  std::ofstream(file) << "database = \"u\"\nlease-duration = \"soon\"\n";
  check_refused(run_daemon({"--config", file}), "--lease-duration: must be a span");
  std::ofstream(file) << "database = \"u\"\nlease-lenght = \"5s\"\n";
  check_refused(run_daemon({"--config", file}), "lease-lenght");
}

BOOST_AUTO_TEST_CASE(the_command_line_wins_over_the_environment_and_the_environment_over_the_file) {
  const temporary_folder folder;
  const auto file = folder / "levaind.toml";
  std::ofstream(file) << "database = \"u\"\nlog-level = \"from-file\"\n";
  const std::map<std::string, std::string> environment{{"LEVAIN_LOG_LEVEL", "from-environment"}};
  check_refused(run_daemon({"--config", file, "--log-level", "from-line"}, environment), "from-line");
  check_refused(run_daemon({"--config", file}, environment), "from-environment");
  check_refused(run_daemon({"--config", file}), "from-file");
  check_refused(run_daemon({}, {{"LEVAIN_CONFIG", file}}), "from-file");
}

BOOST_AUTO_TEST_CASE(every_option_is_documented_with_its_default) {
  std::ifstream in(std::string(LEVAIN_SOURCE_DIR) + "/docs/configuration.md");
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  const auto help = run_daemon({"--help"}).output;
  const std::regex option(R"(\n  (?:-h,)?(--[a-z-]+)[^\n=]*(?:=(\S+) \(Env)?)");
  size_t count = 0;
  for (std::sregex_iterator at(help.begin(), help.end(), option), end; at != end; ++at, ++count) {
    const auto row = page.find("| `" + at->str(1) + "` |");
    BOOST_TEST(row != std::string::npos, at->str(1));
    if (row != std::string::npos && (*at)[2].matched)
      BOOST_TEST(
        page.substr(row, page.find('\n', row) - row).find("`" + at->str(2) + "`") != std::string::npos, at->str(1));
  }
  BOOST_TEST(count > 40U);
}

BOOST_AUTO_TEST_CASE(a_database_that_is_not_there_ends_it_with_3) {
  const auto result = run_daemon({"--database", "postgresql:///none?host=/nonexistent", "--listen", "127.0.0.1:0"});
  BOOST_TEST(result.status == 3);
  BOOST_TEST(result.errors.find("the database cannot be reached") != std::string::npos, result.errors);
}

BOOST_AUTO_TEST_CASE(another_address_than_loopback_is_refused_unless_a_flag_says_so) {
  const temporary_folder folder;
  check_refused(run_daemon({"--embedded", folder / "pg", "--listen", "0.0.0.0:0"}), "refusing to listen on 0.0.0.0");
  BOOST_TEST(!std::filesystem::exists(folder / "pg"));
}

BOOST_AUTO_TEST_CASE(it_reads_a_file_says_where_it_listens_and_stops_at_a_signal) {
  const temporary_folder folder;
  const auto file = folder / "levaind.toml";
  std::ofstream(file) << "embedded = \"" << (folder / "pg") << "\"\nlisten = \"127.0.0.1:0\"\nport-file = \""
                      << (folder / "port") << "\"\nvar = [\"a=1\", \"b=2\"]\nruns-running-max = 10\n";
  running_program daemon({"levaind", {"--config", file, "--json"}});
  BOOST_TEST_REQUIRE(
    eventually([&] { return daemon.output().ends_with('\n') || !daemon.running(); }, 60s), daemon.errors());
  std::string port;
  std::ifstream(folder / "port") >> port;
  BOOST_TEST(daemon.output() == "listening on http://127.0.0.1:" + port + "\n", daemon.errors());
  daemon.send_signal(SIGTERM);
  const auto end = daemon.wait(30s);
  BOOST_TEST_REQUIRE(end.has_value());
  BOOST_TEST(end->status.value_or(-1) == 0);
  BOOST_TEST(daemon.errors().find(R"("message":"stopped"})") != std::string::npos, daemon.errors());
}

BOOST_AUTO_TEST_CASE(no_schema_is_made_when_it_may_not_migrate) {
  const temporary_folder folder;
  running_program daemon({"levaind", {"--embedded", folder / "pg", "--listen", "127.0.0.1:0", "--no-migrate"}});
  BOOST_TEST(eventually(
    [&] {
      return daemon.errors().find("migrated") != std::string::npos || !daemon.running() ||
             daemon.output().ends_with('\n');
    },
    60s));
  BOOST_TEST(daemon.errors().find("migrated") == std::string::npos, daemon.errors());
  daemon.send_signal(SIGTERM);
  BOOST_TEST(daemon.wait(30s).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
