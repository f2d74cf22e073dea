#include "apps/levain/moment_text.hpp"

#include <map>
#include <regex>

#include "actors/workflow/parse_definition.hpp"

namespace levain {

namespace {

/// `2026-11-23 04:00`, `2026-11-23T04:00:30`, with a zone or without.
std::optional<timestamp> time_of(const std::string& text) {
  static const std::regex form(R"((\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2}(?:\.\d{1,6})?)? ?(Z|[+-]\d{2}:\d{2})?)");
  std::smatch parts;
  if (!std::regex_match(text, parts, form))
    return std::nullopt;
  const auto seconds = parts[3].matched ? parts[3].str() : ":00";
  const auto zone = parts[4].matched ? parts[4].str() : "Z";
  return parse_timestamp(parts[1].str() + 'T' + parts[2].str() + seconds + zone);
}

std::optional<timestamp> before(timestamp now, const std::optional<duration>& ago) {
  if (!ago || *ago > now - calendar_begin)
    return std::nullopt;
  return now - *ago;
}

/// `1 hour ago`, `90 minutes ago`, `2h ago`.
std::optional<duration> time_ago(const std::string& text) {
  static const std::map<std::string, std::string> units{{"second", "s"}, {"sec", "s"},  {"minute", "m"},
                                                        {"min", "m"},    {"hour", "h"}, {"day", "d"}};
  static const std::regex form(R"((\d{1,9}) ([a-z]+?)s? ago)");
  static const std::regex short_form(R"((\d{1,9}[a-z]{1,2}) ago)");
  std::smatch parts;
  if (std::regex_match(text, parts, short_form))
    return parse_duration(parts[1].str());
  if (!std::regex_match(text, parts, form))
    return std::nullopt;
  if (parts[2] == "week")
    return std::chrono::days(7) * std::stol(parts[1].str());
  const auto unit = units.find(parts[2].str());
  return unit == units.end() ? std::nullopt : parse_duration(parts[1].str() + unit->second);
}

} // namespace

std::optional<timestamp> moment_of(const std::string& text, timestamp now) {
  const auto today = std::chrono::floor<std::chrono::days>(now);
  if (text == "now")
    return now;
  if (text == "today")
    return timestamp(today);
  if (text == "yesterday")
    return timestamp(today - std::chrono::days(1));
  if (const auto at = parse_timestamp(text))
    return at;
  if (text.size() == 10)
    if (const auto day = parse_timestamp(text + "T00:00:00Z"))
      return day;
  if (const auto at = time_of(text))
    return at;
  if (const auto ago = parse_duration(text))
    return before(now, ago);
  return before(now, time_ago(text));
}

} // namespace levain
