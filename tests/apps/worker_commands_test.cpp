// Steps done by commands, without a wire.
#include "apps/worker/child_command.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

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
  check(failure("echo no such flour >&2; exit 1"), "no such flour", false);
  check(failure("exit 2"), "the command ended with status 2", false);
}

BOOST_AUTO_TEST_CASE(a_signal_may_be_mended) {
  check(failure("kill -9 $$"), "signal 9 ended the command (Killed)", true);
}

BOOST_AUTO_TEST_CASE(the_last_line_on_stderr_is_the_message_also_without_an_end) {
  check(failure("printf 'one\\ntwo\\n\\n' >&2; exit 1"), "two", false);
  check(failure("printf 'one\\ntwo' >&2; exit 1"), "two", false);
}

BOOST_AUTO_TEST_CASE(an_endless_line_on_stderr_is_cut) {
  const auto cut = failure("head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1");
  BOOST_TEST(cut.message.size() == command_line_bytes_max);
}

BOOST_AUTO_TEST_CASE(progress_lines_are_heartbeats_and_no_message) {
  check(failure("echo wrong >&2; echo 'progress: 1 of 2' >&2; echo 'progress: 2 of 2' >&2; exit 1"), "wrong", false);
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

BOOST_AUTO_TEST_CASE(a_grandchild_that_keeps_the_pipes_does_not_hold_the_step) {
  const auto begin = std::chrono::steady_clock::now();
  BOOST_TEST(output("sleep 30 & echo \"{\\\"sleeper\\\": $!}\"").contains("sleeper"));
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 20s));
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
