#include "apps/worker/child_command.hpp"

#include <csignal>
#include <cstring>
#include <sstream>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actors/run_machine/output.hpp"
#include "apps/worker/child_process.hpp"
#include "apps/worker/command_environment.hpp"
#include "apps/worker/command_status.hpp"
#include "persistence/exact_json.hpp"
#include "persistence/plain_line.hpp"

namespace levain {

namespace {

/// Between two looks whether anybody still waits.
constexpr int look_interval_ms = 100;
/// Reads of one stream between two such looks, 64 KiB each: a command that prints without end is ended like any other.
constexpr int reads_max = 4;
/// When nothing of it runs any more: more than its pipes hold (/proc/sys/fs/pipe-max-size is 1 MiB).
constexpr int last_reads_max = 20;

/// A command that has gone away is an error of that one write, not the end of this program.
class no_broken_pipe_signal {
public:
  no_broken_pipe_signal() {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  }
};

/// A command on its way to its end.
class running_command {
public:
  running_command(const command_words& command, worker_step& step, const std::vector<std::string>& passed)
    : step_(step)
    , child_(command, command_environment(step, passed))
    , input_(command_input(step))
    , errors_(step) {}

  worker_result run() {
    // What it has begun and left behind counts: the same step may be given out again when this returns.
    while (!child_.gone()) {
      feed();
      read_some(reads_max);
      end_if_unwanted();
      child_.wait(unwritten_ < input_.size(), look_interval_ms);
    }
    read_some(last_reads_max);
    if (child_.left() > 0)
      spdlog::error(
        "command_left key={} processes={} hint=\"SIGKILL did not end them: they belong to another account, or wait for "
        "a device\"",
        step_.key(), child_.left());
    return judge();
  }

private:
  void feed() {
    if (!child_.wants_input())
      return;
    if (child_.status()) {
      child_.close_input();
      return;
    }
    const auto written = child_.write(std::string_view(input_).substr(unwritten_));
    unwritten_ += written;
    if (unwritten_ == input_.size())
      child_.close_input();
    else if (written > 0)
      step_.heartbeat(); // It reads: what is on its way to it is no silence.
  }

  void read_some(int reads) {
    for (int count = 0; count < reads && !is_too_much(); ++count) {
      const auto text = child_.read_output();
      if (!text)
        break;
      output_ += *text;
    }
    for (int count = 0; count < reads; ++count) {
      const auto text = child_.read_errors();
      if (!text)
        break;
      errors_.take(*text);
    }
  }

  bool is_too_much() const { return output_.size() > command_output_bytes_max; }

  void end_if_unwanted() {
    if (is_too_much() && !killed_) {
      killed_ = true;
      child_.close_output();
      child_.kill();
    }
    if (!asked_to_end_ && !child_.status() && step_.cancelled()) {
      asked_to_end_ = true;
      child_.terminate();
    }
  }

  worker_result judge() {
    const auto said = errors_.message();
    const auto reason = [&said](const std::string& otherwise) { return said.empty() ? otherwise : said; };
    if (is_too_much())
      return worker_failure{
        .message = fmt::format("the command printed more than {} bytes on stdout", command_output_bytes_max),
        .retry = false};
    const auto status = child_.status();
    if (status && WIFEXITED(*status) && WEXITSTATUS(*status) == 0) {
      auto result = read_output();
      // One that was cancelled and has done its work all the same has done it.
      if (!asked_to_end_ || std::holds_alternative<nlohmann::json>(result.value()))
        return result;
    }
    if (asked_to_end_)
      return worker_failure{.message = reason("the command was ended because nobody waits for the step any more")};
    if (!status)
      return worker_failure{.message = reason("the command was killed with the process that watched over it")};
    if (WIFSIGNALED(*status))
      return worker_failure{
        .message =
          reason(fmt::format("signal {} ended the command ({})", WTERMSIG(*status), strsignal(WTERMSIG(*status))))};
    const int code = WEXITSTATUS(*status);
    return worker_failure{
      .message = reason(fmt::format("the command ended with status {}", code)), .retry = may_be_mended(code)};
  }

  worker_result read_output() const {
    const auto refuse = [](std::string message) {
      return worker_failure{.message = std::move(message), .retry = false};
    };
    if (output_.find_first_not_of(" \t\r\n") == std::string::npos)
      return refuse("the command printed nothing on stdout; it must print JSON");
    if (is_deeper_than(output_, output_depth_max))
      return refuse(fmt::format("the command's JSON is nested deeper than {} levels", output_depth_max));
    std::string number_fault;
    auto value = read_exact_json(output_, &number_fault);
    if (!number_fault.empty())
      return refuse("the command's JSON cannot be used: " + number_fault);
    if (!value.is_discarded())
      return value;
    try {
      return nlohmann::json::parse(output_);
    } catch (const nlohmann::json::exception& wrong) {
      return refuse("the command printed what is not JSON: " + plain_line(wrong.what(), command_line_bytes_max));
    }
  }

  [[no_unique_address]] no_broken_pipe_signal quiet_;
  worker_step& step_;
  child_process child_;
  std::string input_;
  size_t unwritten_ = 0;
  std::string output_;
  command_errors errors_;
  bool asked_to_end_ = false;
  bool killed_ = false;
};

} // namespace

std::optional<command_words> parse_command(const std::string& text) {
  auto words = CLI::detail::split_up(text);
  if (words.empty() || words.front().empty())
    return std::nullopt;
  return words;
}

std::optional<std::string> why_not_runnable(const command_words& command) {
  const auto& program = command.front();
  if (program.find('/') != std::string::npos) {
    if (access(program.c_str(), X_OK) == 0)
      return std::nullopt;
    return fmt::format("'{}' cannot be executed: {}", program, std::strerror(errno));
  }
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (access((folder + '/' + program).c_str(), X_OK) == 0)
      return std::nullopt;
  return fmt::format("there is no program '{}' in PATH", program);
}

std::string command_input(const worker_step& step) {
  if (const auto* body = step.body()) {
    // As it came: large bodies are not written anew, and numbers keep their digits.
    const nlohmann::json more{
      {"step", step.step()},
      {"kind", step.kind()},
      {"attempt", step.attempt()},
      {"key", step.key()},
      {"undo", step.undo()}};
    const auto end = body->rfind('}');
    return body->substr(0, end) + ',' + more.dump().substr(1);
  }
  const nlohmann::json all{{"run", step.run_facts()}, {"input", step.input()}, {"results", step.results()},
                           {"step", step.step()},     {"kind", step.kind()},   {"attempt", step.attempt()},
                           {"key", step.key()},       {"undo", step.undo()}};
  return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

worker_result
run_command(const command_words& command, worker_step& step, const std::vector<std::string>& passed_variables) {
  try {
    return running_command(command, step, passed_variables).run();
  } catch (const std::system_error& wrong) {
    return worker_failure{.message = wrong.what()};
  }
}

} // namespace levain
