#include "apps/program/log_format.hpp"

#include <nlohmann/json.hpp>

#include "persistence/timestamp.hpp"

namespace levain {

void json_log_formatter::format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) {
  using nlohmann::ordered_json;
  const auto level = spdlog::level::to_string_view(message.level);
  const ordered_json line{
    {"at", to_rfc3339(std::chrono::floor<duration>(message.time))},
    {"level", std::string(level.data(), level.size())},
    {"message", std::string(message.payload.data(), message.payload.size())},
  };
  const auto text = line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + '\n';
  out.append(text.data(), text.data() + text.size());
}

std::unique_ptr<spdlog::formatter> json_log_formatter::clone() const {
  return std::make_unique<json_log_formatter>();
}

} // namespace levain
