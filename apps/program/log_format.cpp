#include "apps/program/log_format.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/pattern_formatter.h>

#include "persistence/timestamp.hpp"
#include "persistence/visible_text.hpp"

namespace levain {

namespace {

constexpr uint32_t replacement_character = 0xfffd;

/// The text with hidden characters escaped.
std::string visible(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const auto [bytes, code_point] = first_character(text);
    if (code_point && !is_hidden(*code_point))
      shown += bytes;
    else
      shown += json_escape(code_point.value_or(replacement_character));
    text.remove_prefix(bytes.size());
  }
  return shown;
}

} // namespace

plain_log_formatter::plain_log_formatter()
  : pattern_(
      std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc)) {}

void plain_log_formatter::format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) {
  const auto shown = visible({message.payload.data(), message.payload.size()});
  auto clean = message;
  clean.payload = shown;
  pattern_->format(clean, out);
  // Where colours begin and end.
  message.color_range_start = clean.color_range_start;
  message.color_range_end = clean.color_range_end;
}

std::unique_ptr<spdlog::formatter> plain_log_formatter::clone() const {
  return std::make_unique<plain_log_formatter>();
}

void json_log_formatter::format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) {
  using nlohmann::ordered_json;
  const auto level = spdlog::level::to_string_view(message.level);
  const ordered_json line{
    {"at", to_rfc3339(std::chrono::floor<duration>(message.time))},
    {"level", std::string(level.data(), level.size())},
    {"message", std::string(message.payload.data(), message.payload.size())},
  };
  const auto text = visible(line.dump(-1, ' ', false, ordered_json::error_handler_t::replace)) + '\n';
  out.append(text.data(), text.data() + text.size());
}

std::unique_ptr<spdlog::formatter> json_log_formatter::clone() const {
  return std::make_unique<json_log_formatter>();
}

} // namespace levain
