#include "persistence/spawn.hpp"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <map>
#include <string>
#include <sys/wait.h>

using namespace levain;

namespace {

/// Sets variables of this program's environment until its end.
class set_variables {
public:
  explicit set_variables(std::map<std::string, std::string> variables)
    : variables_(std::move(variables)) {
    for (const auto& [name, value] : variables_)
      setenv(name.c_str(), value.c_str(), 1);
  }
  ~set_variables() {
    for (const auto& each : variables_)
      unsetenv(each.first.c_str());
  }
  set_variables(const set_variables&) = delete;
  set_variables& operator=(const set_variables&) = delete;

private:
  std::map<std::string, std::string> variables_;
};

/// A program's environment, a line a variable, as a program that is spawned finds it.
std::string environment_of_a_child() {
  const auto printed = run_program({"/usr/bin/env"});
  BOOST_TEST_REQUIRE(printed.status == 0);
  return '\n' + printed.output;
}

bool names(const std::string& environment, const std::string& variable) {
  return environment.find('\n' + variable + '=') != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(spawn_test)

BOOST_AUTO_TEST_CASE(a_child_gets_no_variable_of_ours_and_none_that_steers_it) {
  const set_variables set(
    {{"LEVAIN_VAR_token", "s3cr3t"},
     {"LEVAIN_DATABASE", "postgresql://levain:s3cr3t@db/levain"},
     {"PGOPTIONS", "-c fsync=off"},
     {"PGHOST", "elsewhere"},
     {"LC_NUMERIC", "de_DE.UTF-8"},
     {"LANGUAGE", "de"}});
  const auto found = environment_of_a_child();
  for (const auto* each : {"LEVAIN_VAR_token", "LEVAIN_DATABASE", "PGOPTIONS", "PGHOST", "LC_NUMERIC", "LANGUAGE"})
    BOOST_TEST(!names(found, each), each);
  BOOST_TEST(found.find("s3cr3t") == std::string::npos);
  BOOST_TEST(found.find("\nLC_ALL=C\n") != std::string::npos, found);
}

BOOST_AUTO_TEST_CASE(a_child_gets_what_is_left_of_the_environment) {
  const set_variables set({{"LEVAINLIKE", "yes"}, {"BAKERY", "north"}, {"TZ", "UTC"}});
  const auto found = environment_of_a_child();
  for (const auto* each : {"LEVAINLIKE", "BAKERY", "TZ"})
    BOOST_TEST(names(found, each), each);
}

BOOST_AUTO_TEST_CASE(a_program_that_cannot_be_executed_ends_with_127) {
  const auto ended = run_program({"/nowhere/at/all"});
  BOOST_TEST(WIFEXITED(ended.status));
  BOOST_TEST(WEXITSTATUS(ended.status) == 127);
}

BOOST_AUTO_TEST_CASE(a_child_has_a_session_of_its_own_and_no_open_file_of_ours) {
  const auto listed = run_program({"/bin/sh", "-c", "ls /proc/self/fd; cut -d' ' -f6 /proc/$$/stat; echo $$"});
  BOOST_TEST_REQUIRE(listed.status == 0);
  // Its three, and the one that reads the folder.
  BOOST_TEST(listed.output.starts_with("0\n1\n2\n3\n"), listed.output);
  const auto rest = listed.output.substr(std::string("0\n1\n2\n3\n").size());
  const auto session = rest.substr(0, rest.find('\n'));
  BOOST_TEST(rest == session + '\n' + session + '\n', rest);
}

BOOST_AUTO_TEST_CASE(a_child_that_runs_on_is_waited_for_no_longer_than_asked) {
  const auto child = spawn({{"/bin/sleep", "600"}, std::nullopt});
  BOOST_TEST(!wait_for_end(child, std::chrono::milliseconds(20)));
  kill(child, SIGKILL);
  const auto status = wait_for_end(child, std::chrono::seconds(10));
  BOOST_TEST_REQUIRE(status.has_value());
  BOOST_TEST(WIFSIGNALED(*status));
}

BOOST_AUTO_TEST_SUITE_END()
