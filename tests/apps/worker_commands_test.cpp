// Steps done by commands, without a wire.
#include "apps/worker/child_command.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "apps/worker/command_status.hpp"
#include "apps/worker/fork_server.hpp"
#include "tests/support/processes.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

/// A step that the test holds in its hand.
class held_step : public worker_step {
public:
  const std::string& run() const override { return run_; }
  const std::string& run_number() const override { return number_; }
  const std::string& tenant() const override { return tenant_; }
  const std::string& step() const override { return step_; }
  const std::string& kind() const override { return kind_; }
  const std::string& key() const override { return key_; }
  uint32_t attempt() const override { return 3; }
  bool undo() const override { return false; }
  std::chrono::system_clock::time_point deadline() const override {
    return std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + 4h;
  }
  const nlohmann::json& input() const override { return given; }
  const nlohmann::json& results() const override { return results_; }
  const nlohmann::json& run_facts() const override { return facts_; }
  void heartbeat(const std::string& words) override {
    beats += words + ";";
    if (cancel_at_beat)
      is_cancelled = true;
  }
  bool cancelled() const override { return is_cancelled; }

  nlohmann::json given = {{"loaves", 2}};
  std::string beats;
  bool cancel_at_beat = false;
  std::atomic<bool> is_cancelled{false};

private:
  std::string run_ = "0197";
  std::string number_ = "ORCH-20261123-00000001";
  std::string tenant_ = "6f1c2a90-5b7e-4d0a-8c31-0a4e5d2b7c01";
  std::string step_ = "bake";
  std::string kind_ = "oven";
  std::string key_ = "0197/bake";
  nlohmann::json results_ = {{"knead", {{"dough", true}}}};
  nlohmann::json facts_ = {{"id", "0197"}};
};

struct command_world {
  worker_result run(const std::string& script) { return run_command({"sh", "-c", script}, step); }

  nlohmann::json output(const std::string& script) {
    const auto result = run(script);
    const auto* failure = std::get_if<worker_failure>(&result.value());
    BOOST_TEST_REQUIRE(!failure, (failure ? failure->message : ""));
    return std::get<nlohmann::json>(result.value());
  }

  worker_failure failure(const std::string& script) {
    const auto result = run(script);
    BOOST_TEST_REQUIRE(std::holds_alternative<worker_failure>(result.value()));
    return std::get<worker_failure>(result.value());
  }

  /// The words of a process that heeds no signal; it leaves its number in the file `pid`.
  std::string deaf(const std::string& way) {
    const auto file = folder / "deaf.sh";
    std::ofstream(file) << "trap '' TERM HUP INT\necho $$ > " << (folder / "pid.new") << "\nmv " << (folder / "pid.new")
                        << " " << (folder / "pid") << "\nwhile true; do sleep 1; done\n";
    return way + "sh " + file;
  }

  pid_t deaf_pid() {
    pid_t pid = 0;
    std::ifstream(folder / "pid") >> pid;
    BOOST_TEST_REQUIRE(pid > 0);
    return pid;
  }

  static bool lives(pid_t pid) { return kill(pid, 0) == 0; }

  temporary_folder folder;
  held_step step;
};

void check(const worker_failure& failure, const std::string& message, bool retry) {
  BOOST_TEST(failure.message == message);
  BOOST_TEST(failure.retry == retry);
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(worker_commands_test, command_world)

BOOST_AUTO_TEST_CASE(a_command_gets_the_step_on_stdin_and_answers_on_stdout) {
  const auto seen = output("cat");
  const nlohmann::json expected{
    {"run", {{"id", "0197"}}},
    {"input", {{"loaves", 2}}},
    {"results", {{"knead", {{"dough", true}}}}},
    {"step", "bake"},
    {"kind", "oven"},
    {"attempt", 3},
    {"key", "0197/bake"},
    {"undo", false}};
  BOOST_TEST(seen == expected);
}

BOOST_AUTO_TEST_CASE(a_command_finds_who_calls_it_in_its_environment) {
  const auto seen = output(
    R"(printf '["%s","%s","%s","%s","%s"]' "$LEVAIN_KEY" "$LEVAIN_ATTEMPT" "$LEVAIN_DEADLINE" "$LEVAIN_KIND" "$LEVAIN_UNDO")");
  BOOST_TEST(seen == nlohmann::json::parse(R"(["0197/bake","3","2026-11-24T04:00:00.000000Z","oven","0"])"));
}

BOOST_AUTO_TEST_CASE(a_command_need_not_read_its_input) {
  step.given = std::string(1'000'000, 'x');
  BOOST_TEST(output("echo '{}'") == nlohmann::json::object());
}

BOOST_AUTO_TEST_CASE(large_input_and_output_at_once_do_not_block_each_other) {
  step.given = std::string(3'000'000, 'x');
  BOOST_TEST(output("tee /dev/stderr").at("input").get_ref<const std::string&>().size() == 3'000'000U);
}

BOOST_AUTO_TEST_CASE(the_exit_status_says_whether_a_later_attempt_may_mend_it) {
  check(failure("echo the oven is cold >&2; exit 75"), "the oven is cold", true);
  check(failure("echo no such flour >&2; exit 65"), "no such flour", false);
  check(failure("exit 64"), "the command ended with status 64", false);
}

BOOST_AUTO_TEST_CASE(a_status_that_says_nothing_may_be_mended) {
  // As an interpreter ends after an uncaught exception.
  check(failure("echo 'Traceback:' >&2; echo '  KeyError: flour' >&2; exit 1"), "Traceback: | KeyError: flour", true);
  check(failure("exit 2"), "the command ended with status 2", true);
  check(failure("no-such-program 2>/dev/null"), "the command ended with status 127", true);
}

BOOST_AUTO_TEST_CASE(of_sysexits_those_that_find_fault_with_what_was_asked_are_final) {
  const std::set<int> final{64, 65, 66, 67, 68, 73, 77, 78};
  for (int status = 1; status < 256; ++status)
    BOOST_TEST(may_be_mended(status) == !final.contains(status), status);
}

BOOST_AUTO_TEST_CASE(a_signal_may_be_mended) {
  check(failure("kill -9 $$"), "signal 9 ended the command (Killed)", true);
}

BOOST_AUTO_TEST_CASE(the_last_lines_on_stderr_are_the_message_also_without_an_end) {
  check(failure("printf 'one\\ntwo\\n\\n' >&2; exit 1"), "one | two", true);
  check(failure("printf 'one\\ntwo' >&2; exit 1"), "one | two", true);
}

BOOST_AUTO_TEST_CASE(of_many_lines_the_last_that_fit_are_the_message) {
  const auto last = failure("for line in $(seq 1000); do echo \"line $line\" >&2; done; exit 1").message;
  BOOST_TEST(last.size() <= command_message_bytes_max);
  BOOST_TEST(last.size() > command_message_bytes_max - 20);
  BOOST_TEST(last.ends_with("line 999 | line 1000"), last);
  BOOST_TEST(last.starts_with("line "), last);
}

BOOST_AUTO_TEST_CASE(an_endless_line_on_stderr_is_cut) {
  const auto cut = failure("head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1");
  BOOST_TEST(cut.message.size() == command_line_bytes_max);
}

BOOST_AUTO_TEST_CASE(progress_lines_are_heartbeats_and_no_message) {
  check(failure("echo wrong >&2; echo 'progress: 1 of 2' >&2; echo 'progress: 2 of 2' >&2; exit 1"), "wrong", true);
  BOOST_TEST(step.beats == " 1 of 2; 2 of 2;");
}

BOOST_AUTO_TEST_CASE(what_is_printed_must_be_json) {
  check(failure("true"), "the command printed nothing on stdout; it must print JSON", false);
  BOOST_TEST(failure("echo bread").message.find("the command printed what is not JSON: ") == 0U);
  BOOST_TEST(!failure("echo bread").retry);
  const auto deep = failure("head -c 1000000 /dev/zero | tr '\\0' '['");
  BOOST_TEST(deep.message == "the command's JSON is nested deeper than 64 levels");
}

BOOST_AUTO_TEST_CASE(a_command_that_prints_too_much_is_ended) {
  check(failure("yes"), "the command printed more than 16777216 bytes on stdout", false);
}

BOOST_AUTO_TEST_CASE(what_a_command_leaves_behind_is_ended) {
  const auto left = output("sleep 300 & echo \"{\\\"left\\\": $!}\"").at("left").get<pid_t>();
  BOOST_TEST(!lives(left));
}

BOOST_AUTO_TEST_CASE(what_a_command_leaves_behind_and_does_not_heed_sigterm_is_killed) {
  const auto begin = std::chrono::steady_clock::now();
  output(deaf("") + " & while [ ! -e " + (folder / "pid") + " ]; do sleep 0.05; done; echo '{}'");
  BOOST_TEST(!lives(deaf_pid()));
  BOOST_TEST((std::chrono::steady_clock::now() - begin < command_end_grace + 10s));
}

BOOST_AUTO_TEST_CASE(a_session_of_its_own_is_no_way_out) {
  // It forks twice, as daemons do, so that nobody knows its parent.
  output("(" + deaf("setsid ") + " &) & while [ ! -e " + (folder / "pid") + " ]; do sleep 0.05; done; echo '{}'");
  BOOST_TEST(!lives(deaf_pid()));
}

BOOST_AUTO_TEST_CASE(nothing_of_a_cancelled_command_outlives_the_grace) {
  step.cancel_at_beat = true;
  for (const std::string way : {"", "setsid "}) {
    std::filesystem::remove(folder / "pid");
    const auto begin = std::chrono::steady_clock::now();
    failure(
      deaf(way) + " & while [ ! -e " + (folder / "pid") + " ]; do sleep 0.05; done; echo progress: >&2; wait; sleep 9");
    BOOST_TEST(!lives(deaf_pid()));
    BOOST_TEST((std::chrono::steady_clock::now() - begin < command_end_grace + 10s));
    step.is_cancelled = false;
  }
}

BOOST_AUTO_TEST_CASE(a_command_that_prints_without_end_is_ended_all_the_same) {
  step.cancel_at_beat = true;
  for (const std::string flood : {"exec yes >&2", "exec yes progress: x >&2", "yes >&2 & echo '{}'; exit 1"}) {
    const auto begin = std::chrono::steady_clock::now();
    failure("echo progress: >&2; sleep 0.3; " + flood);
    BOOST_TEST((std::chrono::steady_clock::now() - begin < command_end_grace + 10s), flood);
    step.is_cancelled = false;
  }
}

BOOST_AUTO_TEST_CASE(what_a_cancelled_command_has_done_all_the_same_counts) {
  step.cancel_at_beat = true;
  const auto done = output("trap 'echo [7]; exit 0' TERM; echo progress: >&2; while true; do sleep 0.1; done");
  BOOST_TEST(done == nlohmann::json::array({7}));
}

BOOST_AUTO_TEST_CASE(a_command_whose_supervisor_is_killed_does_not_live_on) {
  const auto said = failure("sleep 0.3; kill -9 $PPID; sleep 300");
  BOOST_TEST(said.retry);
  check(said, "the command was killed with the process that watched over it", true);
}

BOOST_AUTO_TEST_CASE(a_fork_server_that_was_killed_is_made_anew) {
  kill(fork_server::of_this_process().pid(), SIGKILL);
  BOOST_TEST(output("echo '{}'") == nlohmann::json::object());
}

BOOST_AUTO_TEST_CASE(what_is_meant_for_levain_is_kept_from_commands) {
  const std::map<std::string, std::string> variables{
    {"LEVAIN_WORKER_KEY", "a"}, {"LEVAIN_TOKEN", "b"}, {"PGPASSWORD", "c"}, {"LEVAIN_URL", "d"}, {"OVEN_TOKEN", "e"}};
  for (const auto& [name, value] : variables)
    setenv(name.c_str(), value.c_str(), 1);
  const command_words script{
    "sh", "-c", R"(echo "[\"$LEVAIN_WORKER_KEY$LEVAIN_TOKEN$PGPASSWORD\", \"$LEVAIN_URL$OVEN_TOKEN\"]")"};
  const auto without = run_command(script, step);
  const auto with = run_command(script, step, {"PGPASSWORD"});
  for (const auto& [name, value] : variables)
    unsetenv(name.c_str());
  BOOST_TEST(std::get<nlohmann::json>(without.value()) == nlohmann::json({"", "de"}));
  BOOST_TEST(std::get<nlohmann::json>(with.value()) == nlohmann::json({"c", "de"}));
}

BOOST_AUTO_TEST_CASE(a_cancelled_command_gets_sigterm_and_its_group_too) {
  step.cancel_at_beat = true;
  const auto mark = folder / "mark";
  failure("trap 'echo ended > " + mark + "; exit 0' TERM; echo progress: >&2; while true; do sleep 0.1; done");
  std::ifstream in(mark);
  std::string word;
  in >> word;
  BOOST_TEST(word == "ended");
}

BOOST_AUTO_TEST_CASE(a_cancelled_command_that_does_not_heed_sigterm_is_killed) {
  step.cancel_at_beat = true;
  const auto begin = std::chrono::steady_clock::now();
  const auto said = failure("trap '' TERM; echo progress: >&2; while true; do sleep 0.1 2>&-; done");
  BOOST_TEST(said.retry);
  const auto took = std::chrono::steady_clock::now() - begin;
  BOOST_TEST((took >= command_end_grace));
  BOOST_TEST((took < command_end_grace + 10s));
}

BOOST_AUTO_TEST_CASE(a_program_that_is_not_there_is_a_failure_with_its_name) {
  const auto result = run_command({"./none"}, step);
  check(std::get<worker_failure>(result.value()), "'./none' cannot be started: No such file or directory", true);
  BOOST_TEST(why_not_runnable({"./none"}).value() == "'./none' cannot be executed: No such file or directory");
  BOOST_TEST(why_not_runnable({"no-such-program"}).value() == "there is no program 'no-such-program' in PATH");
  BOOST_TEST(!why_not_runnable({"sh"}).has_value());
}

BOOST_AUTO_TEST_CASE(commands_are_cut_at_blanks_and_quotes_keep_together) {
  BOOST_TEST(
    parse_command("./bake --loaves 'a b' \"c d\"").value() == (command_words{"./bake", "--loaves", "a b", "c d"}),
    boost::test_tools::per_element());
  BOOST_TEST(!parse_command("  ").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
