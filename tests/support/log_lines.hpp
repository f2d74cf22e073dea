#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

namespace levain::test {

/// Keeps what is logged while it lives, from this level on. One at a time.
class log_lines {
public:
  explicit log_lines(spdlog::level::level_enum level)
    : before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>("test", sink_);
    logger->set_level(level);
    spdlog::set_default_logger(std::move(logger));
  }
  ~log_lines() { spdlog::set_default_logger(before_); }
  log_lines(const log_lines&) = delete;
  log_lines& operator=(const log_lines&) = delete;

  /// The lines that begin with this word, as `warning text`.
  std::vector<std::string> of(std::string_view word) const {
    const std::lock_guard guard(sink_->lock);
    std::vector<std::string> found;
    for (const auto& [level, text] : sink_->lines)
      if (text.starts_with(std::string(word) + ' '))
        found.push_back(level + ' ' + text);
    return found;
  }

private:
  struct keeping_sink : spdlog::sinks::base_sink<std::mutex> {
    std::mutex lock;
    std::vector<std::pair<std::string, std::string>> lines;

  protected:
    void sink_it_(const spdlog::details::log_msg& said) override {
      const std::lock_guard guard(lock);
      const auto level = spdlog::level::to_string_view(said.level);
      lines.emplace_back(
        std::string(level.data(), level.size()), std::string(said.payload.data(), said.payload.size()));
    }
    void flush_() override {}
  };

  std::shared_ptr<keeping_sink> sink_ = std::make_shared<keeping_sink>();
  std::shared_ptr<spdlog::logger> before_;
};

} // namespace levain::test
