#pragma once

#include <memory>
#include <spdlog/formatter.h>

namespace levain {

/// One JSON object a line: `at`, `level`, `message`. For programs that read logs.
class json_log_formatter : public spdlog::formatter {
public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override;
  std::unique_ptr<spdlog::formatter> clone() const override;
};

} // namespace levain
