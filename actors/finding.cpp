#include "actors/finding.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "persistence/named_values.hpp"

namespace levain {

namespace {

constexpr std::array<std::string_view, 4> level_names = {"ok", "notice", "warning", "critical"};
constexpr std::array<std::string_view, 2> subject_names = {"node", "database"};

nlohmann::ordered_json text_or_null(const std::string& text) {
  return text.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(text);
}

std::string text_of(const nlohmann::ordered_json& json, const char* member, bool needed) {
  const auto found = json.find(member);
  if (found != json.end() && found->is_string())
    return found->get<std::string>();
  if (needed || (found != json.end() && !found->is_null()))
    throw std::invalid_argument(std::string("a finding's ") + member + " is no text");
  return {};
}

template <class Enum, size_t Count>
Enum named(const std::array<std::string_view, Count>& names, const nlohmann::ordered_json& json, const char* member) {
  const auto text = text_of(json, member, true);
  if (const auto value = parse_named<Enum>(names, text))
    return *value;
  throw std::invalid_argument(std::string("a finding's ") + member + " is '" + text + "', which is unknown");
}

} // namespace

std::string_view to_string(finding_level level) {
  return level_names.at(static_cast<size_t>(level));
}

std::string_view to_string(finding_subject subject) {
  return subject_names.at(static_cast<size_t>(subject));
}

finding_level worst_of(const std::vector<finding>& findings) {
  auto worst = finding_level::ok;
  for (const auto& each : findings)
    worst = std::max(worst, each.level);
  return worst;
}

finding unreachable_finding(finding_subject subject, const std::string& reason) {
  const bool node = subject == finding_subject::node;
  return {
    finding_level::critical,
    subject,
    std::string(unreachable_name),
    reason,
    node ? "a daemon that answers" : "a database that answers",
    node ? "start levaind, or look into its log for why it ended"
         : "start the server, or look into its log; then check address, rights and network",
  };
}

nlohmann::ordered_json finding_json(const finding& one) {
  return {
    {"level", to_string(one.level)},    {"about", to_string(one.subject)},    {"name", one.name}, {"value", one.value},
    {"right", text_or_null(one.right)}, {"advice", text_or_null(one.advice)},
  };
}

finding parse_finding(const nlohmann::ordered_json& json) {
  if (!json.is_object())
    throw std::invalid_argument("a finding is no object");
  return {
    named<finding_level>(level_names, json, "level"),
    named<finding_subject>(subject_names, json, "about"),
    text_of(json, "name", true),
    text_of(json, "value", true),
    text_of(json, "right", false),
    text_of(json, "advice", false),
  };
}

} // namespace levain
