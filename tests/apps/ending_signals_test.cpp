// Programs that are asked to end by a signal, whichever it is.
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>
#include <unistd.h>

#include "actors/worker/include/levain/worker.hpp"
#include "tests/support/processes.hpp"

using namespace levain::test;
using namespace std::chrono_literals;

namespace {

/// Starts a program that prints one line when it is ready, sends it the signal, and expects status 0.
void check_ends_in_order(const program_options& options, int number) {
  running_program program(options);
  BOOST_TEST_REQUIRE(
    eventually([&] { return program.output().ends_with('\n') || !program.running(); }, 60s), program.errors());
  program.send_signal(number);
  const auto end = program.wait(30s);
  BOOST_TEST_REQUIRE(end.has_value());
  BOOST_TEST(end->status.value_or(-1) == 0, options.program << " by signal " << number << ": " << program.errors());
}

/// The signals that a thread of this process blocks, as proc(5) shows them.
uint64_t blocked_by(pid_t thread) {
  std::ifstream status("/proc/self/task/" + std::to_string(thread) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("SigBlk:"))
      return std::stoull(line.substr(7), nullptr, 16);
  return 0;
}

auto handler_of(int number) {
  struct sigaction now {};
  sigaction(number, nullptr, &now);
  return now.sa_handler;
}

} // namespace

BOOST_AUTO_TEST_SUITE(ending_signals_test)

BOOST_AUTO_TEST_CASE(a_daemon_ends_in_order_by_every_one_of_them) {
  const temporary_folder folder;
  for (const int number : {SIGHUP, SIGQUIT, SIGINT}) {
    check_ends_in_order({"levaind", {"--embedded", folder / "pg", "--listen", "127.0.0.1:0"}}, number);
    BOOST_TEST(!std::filesystem::exists(folder / "pg/data/postmaster.pid"));
  }
}

BOOST_AUTO_TEST_CASE(the_bakery_ends_in_order_by_every_one_of_them) {
  const temporary_folder folder;
  for (const int number : {SIGTERM, SIGHUP, SIGQUIT, SIGINT})
    check_ends_in_order({"levain-bakery", {"--state", folder / "state"}}, number);
}

BOOST_AUTO_TEST_CASE(a_daemon_begun_by_nohup_lives_on_when_its_terminal_goes_away) {
  const temporary_folder folder;
  running_program daemon(
    {"/bin/sh",
     {"-c", "trap '' HUP; exec \"$@\"", "sh", program_folder() / "levaind", "--embedded", folder / "pg", "--listen",
      "127.0.0.1:0"}});
  BOOST_TEST_REQUIRE(eventually([&] { return daemon.output().ends_with('\n'); }, 60s), daemon.errors());
  daemon.send_signal(SIGHUP);
  daemon.send_signal(SIGTERM);
  // The second signal would have ended it by force.
  const auto end = daemon.wait(30s);
  BOOST_TEST_REQUIRE(end.has_value());
  BOOST_TEST(end->status.value_or(-1) == 0, daemon.errors());
}

BOOST_AUTO_TEST_CASE(a_worker_that_has_run_leaves_signals_as_it_found_them) {
  const pid_t thread = gettid();
  const auto blocked = blocked_by(thread);
  const auto on_broken_pipe = handler_of(SIGPIPE);
  const auto on_end = handler_of(SIGTERM);
  for (const bool by_signal : {false, true}) {
    levain::worker works({.nodes = {"127.0.0.1:1"}});
    works.offer("bake", 1, [](levain::worker_step& /*step*/) { return nlohmann::json(1); });
    std::atomic<bool> has_returned{false};
    std::jthread stopper([&, self = pthread_self()] {
      eventually([&] { return (blocked_by(thread) >> (SIGTERM - 1) & 1) == 1; }, 20s);
      if (by_signal)
        pthread_kill(self, SIGTERM);
      // One that has not started yet does not hear it.
      while (!by_signal && !has_returned) {
        works.stop();
        std::this_thread::yield();
      }
    });
    works.run();
    has_returned = true;
    stopper.join();
    BOOST_TEST(blocked_by(thread) == blocked);
    BOOST_TEST((handler_of(SIGPIPE) == on_broken_pipe));
    BOOST_TEST((handler_of(SIGTERM) == on_end));
  }
  levain::worker idle({.nodes = {"127.0.0.1:1"}});
  BOOST_CHECK_THROW(idle.run(), std::logic_error);
  BOOST_TEST(blocked_by(thread) == blocked);
}

BOOST_AUTO_TEST_SUITE_END()
