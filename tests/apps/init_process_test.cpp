// Programs as process 1 of a container. Needs the right to make a namespace of processes, as root has it.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "apps/worker/process_tree.hpp"
#include "tests/support/has.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/stand_in_gate.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

using heard = heard_of_worker;

boost::test_tools::assertion_result may_make_namespaces(boost::unit_test::test_unit_id /*unit*/) {
  boost::test_tools::assertion_result may(std::system("unshare --pid --fork --mount-proc true 2>/dev/null") == 0);
  may.message() << "there is no right to make a namespace of processes";
  return may;
}

/// A worker as process 1, with a command of this text for the kind `bake`.
struct contained_world {
  void start(const std::string& text, const std::vector<std::string>& more = {}) {
    const auto file = folder / "bake.sh";
    std::ofstream(file) << "#!/bin/sh\n" << text << '\n';
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    const auto program = (program_folder() / "levain-worker").string();
    std::vector<std::string> words{"-c",        "exec unshare --pid --fork --kill-child --mount-proc \"$@\"",
                                   "sh",        program,
                                   "--node",    gate.address(),
                                   "--exec",    "bake=" + file,
                                   "--at-once", "4"};
    words.insert(words.end(), more.begin(), more.end());
    shell.emplace(program_options{.program = "/bin/sh", .arguments = words});
    BOOST_TEST_REQUIRE(gate.heard([](const heard& x) { return !x.rooms.empty(); }), shell->errors());
  }

  /// Process 1 of the namespace, as it is called outside.
  pid_t init() const {
    for (const auto& each : processes_below(shell->pid()))
      if (each.parent == shell->pid())
        return each.pid;
    return -1;
  }

  /// Starts a daemon as process 1 with a private PostgreSQL; answers when it serves.
  void start_daemon(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"-c",         "exec unshare --pid --fork --kill-child --mount-proc \"$@\"",
                                   "sh",         (program_folder() / "levaind").string(),
                                   "--embedded", folder / "pg",
                                   "--listen",   "127.0.0.1:0"};
    words.insert(words.end(), more.begin(), more.end());
    shell.emplace(program_options{.program = "/bin/sh", .arguments = words});
    BOOST_TEST_REQUIRE(eventually([&] { return shell->output().ends_with('\n'); }, 60s), shell->errors());
  }

  /// Stops the processes of PostgreSQL, so that whoever waits for them waits. They end with their namespace.
  size_t freeze_database() const {
    size_t frozen = 0;
    for (const auto& each : processes_below(shell->pid())) {
      std::ifstream file("/proc/" + std::to_string(each.pid) + "/comm");
      std::string name;
      std::getline(file, name);
      frozen += name == "postgres" && kill(each.pid, SIGSTOP) == 0 ? 1 : 0;
    }
    return frozen;
  }

  /// Processes below it that have ended and nobody has taken in.
  size_t zombies() const {
    size_t count = 0;
    for (const auto& each : std::filesystem::directory_iterator("/proc")) {
      std::ifstream file(each.path() / "stat");
      std::stringstream text;
      text << file.rdbuf();
      const auto stat = text.str();
      const auto end = stat.rfind(')');
      if (end == std::string::npos || stat.size() < end + 5 || stat[end + 2] != 'Z')
        continue;
      const auto parent = static_cast<pid_t>(std::stol(stat.substr(end + 4)));
      const auto all = processes_below(shell->pid());
      count += std::any_of(all.begin(), all.end(), [parent](const auto& below) { return below.pid == parent; }) ? 1 : 0;
    }
    return count;
  }

  temporary_folder folder;
  stand_in_gate gate;
  std::optional<running_program> shell;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(init_process_test, contained_world, *boost::unit_test::precondition(may_make_namespaces))

BOOST_AUTO_TEST_CASE(as_process_1_a_worker_takes_in_the_children_of_others) {
  start("(setsid sleep 0.05 &); sleep 0.05 & echo '{}'");
  for (uint64_t number = 1; number <= 40; ++number) {
    gate.say(some_call(number, "bake"));
    BOOST_TEST_REQUIRE(gate.end_of(number).succeeded);
  }
  BOOST_TEST(eventually([&] { return zombies() == 0; }, 10s));
  kill(init(), SIGTERM);
  const auto end = shell->wait(20s);
  BOOST_TEST_REQUIRE(end.has_value());
  BOOST_TEST(end->status.value_or(-1) == 0, shell->errors());
}

BOOST_AUTO_TEST_CASE(as_process_1_a_worker_ends_at_once_by_a_second_signal) {
  start("sleep 60", {"--stop-grace", "1m"});
  gate.say(some_call(1, "bake"));
  BOOST_TEST_REQUIRE(gate.heard([](const heard& x) { return !x.begun.empty(); }));
  kill(init(), SIGTERM);
  BOOST_TEST_REQUIRE(gate.heard([](const heard& x) { return x.leaving == 1; }));
  kill(init(), SIGTERM);
  const auto end = shell->wait(5s);
  BOOST_TEST_REQUIRE(end.has_value());
  BOOST_TEST(end->status.value_or(-1) == 128 + SIGTERM, shell->errors());
}

BOOST_AUTO_TEST_CASE(as_process_1_a_daemon_stops_its_database_and_ends_with_status_0) {
  start_daemon();
  BOOST_TEST(zombies() == 0U);
  kill(init(), SIGTERM);
  const auto end = shell->wait(30s);
  BOOST_TEST_REQUIRE(end.has_value());
  BOOST_TEST(end->status.value_or(-1) == 0, shell->errors());
  BOOST_TEST(!std::filesystem::exists(folder / "pg/data/postmaster.pid"));
}

BOOST_AUTO_TEST_CASE(as_process_1_a_daemon_ends_at_once_by_a_second_signal) {
  for (const int number : {SIGTERM, SIGHUP}) {
    start_daemon({"--stop-grace", "1m"});
    BOOST_TEST_REQUIRE(freeze_database() > 0U);
    kill(init(), number);
    BOOST_TEST_REQUIRE(eventually([&] { return has(shell->errors(), "stop_asked"); }, 20s), shell->errors());
    BOOST_TEST(!shell->wait(100ms).has_value());
    kill(init(), number);
    const auto end = shell->wait(5s);
    BOOST_TEST_REQUIRE(end.has_value());
    BOOST_TEST(end->status.value_or(-1) == 128 + number, shell->errors());
  }
}

BOOST_AUTO_TEST_SUITE_END()
