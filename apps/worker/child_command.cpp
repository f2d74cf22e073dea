#include "apps/worker/child_command.hpp"

#include <csignal>
#include <cstring>
#include <sstream>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "actors/run_machine/output.hpp"
#include "apps/worker/child_process.hpp"
#include "persistence/exact_json.hpp"
#include "persistence/plain_line.hpp"
#include "persistence/timestamp.hpp"

namespace levain {

namespace {

using std::chrono::steady_clock;

/// Between two looks whether anybody still waits.
constexpr int look_interval_ms = 100;
constexpr std::string_view progress_mark = "progress:";

std::map<std::string, std::string> command_environment(const worker_step& step) {
  return {
    {"LEVAIN_KEY", step.key()},
    {"LEVAIN_ATTEMPT", std::to_string(step.attempt())},
    {"LEVAIN_DEADLINE", to_rfc3339(std::chrono::floor<duration>(step.deadline()))},
    {"LEVAIN_RUN", step.run()},
    {"LEVAIN_RUN_NUMBER", step.run_number()},
    {"LEVAIN_TENANT", step.tenant()},
    {"LEVAIN_STEP", step.step()},
    {"LEVAIN_KIND", step.kind()},
    {"LEVAIN_UNDO", step.undo() ? "1" : "0"}};
}

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

/// Reads stderr line by line: heartbeats go to the step, the last other line is the message.
class error_lines {
public:
  explicit error_lines(worker_step& step)
    : step_(step) {}

  void take(std::string_view text) {
    for (const char c : text) {
      if (c == '\n')
        end_line();
      else if (line_.size() < command_line_bytes_max)
        line_ += c;
    }
  }
  /// What a line without an end says counts too.
  std::string message() {
    end_line();
    return message_;
  }

private:
  void end_line() {
    if (std::string_view(line_).starts_with(progress_mark))
      step_.heartbeat(line_.substr(progress_mark.size()));
    else if (auto line = plain_line(line_, command_line_bytes_max); !line.empty())
      message_ = std::move(line);
    line_.clear();
  }

  worker_step& step_;
  std::string line_;
  std::string message_;
};

/// A command on its way to its end.
class running_command {
public:
  running_command(const command_words& command, worker_step& step)
    : step_(step)
    , child_(command, command_environment(step))
    , input_(command_input(step))
    , lines_(step) {}

  worker_result run() {
    while (!child_.status()) {
      feed();
      read_all();
      end_if_unwanted();
      child_.wait(unwritten_ < input_.size(), look_interval_ms);
    }
    // What it printed last. A grandchild may keep the pipes open, so their end is not waited for.
    read_all();
    return judge();
  }

private:
  void feed() {
    if (!child_.wants_input())
      return;
    unwritten_ += child_.write(std::string_view(input_).substr(unwritten_));
    if (unwritten_ == input_.size())
      child_.close_input();
  }

  void read_all() {
    while (output_.size() <= command_output_bytes_max) {
      const auto text = child_.read_output();
      if (!text)
        break;
      output_ += *text;
    }
    while (const auto text = child_.read_errors())
      lines_.take(*text);
  }

  bool is_too_much() const { return output_.size() > command_output_bytes_max; }

  void end_if_unwanted() {
    const auto now = steady_clock::now();
    const bool too_long = asked_to_end_ && now >= *asked_to_end_ + command_end_grace;
    if (is_too_much() || too_long) {
      child_.send_signal(SIGKILL);
    } else if (!asked_to_end_ && step_.cancelled()) {
      asked_to_end_ = now;
      child_.send_signal(SIGTERM);
    }
  }

  worker_result judge() {
    if (is_too_much())
      return worker_failure{
        .message = fmt::format("the command printed more than {} bytes on stdout", command_output_bytes_max),
        .retry = false};
    const int status = child_.status().value_or(0);
    const auto said = lines_.message();
    const auto reason = [&said](const std::string& otherwise) { return said.empty() ? otherwise : said; };
    if (asked_to_end_)
      return worker_failure{.message = reason("the command was ended because nobody waits for the step any more")};
    if (WIFSIGNALED(status))
      return worker_failure{
        .message =
          reason(fmt::format("signal {} ended the command ({})", WTERMSIG(status), strsignal(WTERMSIG(status))))};
    if (const int code = WEXITSTATUS(status); code != 0)
      return worker_failure{
        .message = reason(fmt::format("the command ended with status {}", code)),
        .retry = code == command_status_retry};
    return read_output();
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
  error_lines lines_;
  std::optional<steady_clock::time_point> asked_to_end_;
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
  const nlohmann::json all{{"run", step.run_facts()}, {"input", step.input()}, {"results", step.results()},
                           {"step", step.step()},     {"kind", step.kind()},   {"attempt", step.attempt()},
                           {"key", step.key()},       {"undo", step.undo()}};
  return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

worker_result run_command(const command_words& command, worker_step& step) {
  try {
    return running_command(command, step).run();
  } catch (const std::system_error& wrong) {
    return worker_failure{.message = wrong.what()};
  }
}

} // namespace levain
