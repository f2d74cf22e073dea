#pragma once

#include <memory>
#include <spdlog/formatter.h>

namespace levain {

/// A line for people: the time in UTC, the level, the message. What a terminal obeys or what hides other text is
/// escaped as in JSON, whatever a message quotes.
class plain_log_formatter : public spdlog::formatter {
public:
  plain_log_formatter();
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override;
  std::unique_ptr<spdlog::formatter> clone() const override;

private:
  std::unique_ptr<spdlog::formatter> pattern_;
};

/// One JSON object a line: `at`, `level`, `message`. For programs that read logs.
class json_log_formatter : public spdlog::formatter {
public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override;
  std::unique_ptr<spdlog::formatter> clone() const override;
};

} // namespace levain
