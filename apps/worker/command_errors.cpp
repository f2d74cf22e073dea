#include "apps/worker/command_errors.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "persistence/plain_line.hpp"

namespace levain {

namespace {

using std::chrono::steady_clock;

constexpr std::string_view progress_mark = "progress:";
constexpr std::string_view between_lines = " | ";

} // namespace

command_errors::command_errors(worker_step& step)
  : step_(step)
  , second_began_(steady_clock::now()) {}

void command_errors::take(std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto part = text.substr(0, end);
    line_.append(part.substr(0, command_line_bytes_max - line_.size()));
    if (end == std::string_view::npos)
      return;
    end_line();
    text.remove_prefix(end + 1);
  }
}

std::string command_errors::message() {
  end_line();
  log_left_out();
  return fmt::format("{}", fmt::join(last_lines_, between_lines));
}

void command_errors::end_line() {
  if (std::string_view(line_).starts_with(progress_mark)) {
    step_.heartbeat(line_.substr(progress_mark.size()));
  } else if (auto line = plain_line(line_, command_line_bytes_max); !line.empty()) {
    log(line);
    keep(std::move(line));
  }
  line_.clear();
}

void command_errors::keep(std::string line) {
  last_bytes_ += line.size() + between_lines.size();
  last_lines_.push_back(std::move(line));
  while (last_lines_.size() > 1 && last_bytes_ > command_message_bytes_max + between_lines.size()) {
    last_bytes_ -= last_lines_.front().size() + between_lines.size();
    last_lines_.pop_front();
  }
}

void command_errors::log(const std::string& line) {
  const auto now = steady_clock::now();
  if (now >= second_began_ + std::chrono::seconds(1)) {
    log_left_out();
    second_began_ = now;
    logged_ = 0;
  }
  if (++logged_ > command_log_lines_max) {
    ++left_out_;
    return;
  }
  spdlog::info("command_stderr key={} line=\"{}\"", step_.key(), line);
}

void command_errors::log_left_out() {
  if (left_out_ > 0)
    spdlog::warn("command_stderr_left_out key={} lines={}", step_.key(), left_out_);
  left_out_ = 0;
}

} // namespace levain
