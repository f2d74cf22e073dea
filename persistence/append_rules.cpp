#include "persistence/append_rules.hpp"

#include <array>
#include <unordered_set>

#include <nlohmann/json.hpp>

#include "persistence/utf8.hpp"

namespace levain {

namespace {

using finding = std::optional<std::string>;

/// Calls `visit(name, text)` for every text of the row and `visit_json` for its JSON, until one finds something.
template <class Text, class Json>
finding visit_texts(const audit_row& row, const Text& text, const Json& json) {
  finding found;
  const auto optional = [&](std::string_view name, const std::optional<std::string>& value, const auto& visit) {
    if (!found && value)
      found = visit(name, *value);
  };
  const auto always = [&](std::string_view name, const std::string& value, size_t characters_max) {
    if (!found)
      found = text(name, value, characters_max);
  };
  const auto unlimited = [&](std::string_view name, const std::string& value) { return text(name, value, size_t{0}); };
  always("run_number", row.run_number, run_number_characters_max);
  always("run_type", row.run_type, run_type_characters_max);
  always("priority", row.priority, priority_characters_max);
  always("workflow", row.workflow, 0);
  for (int i = 0; i < audit_group_count; ++i) {
    const auto group = static_cast<audit_group>(i);
    const audit_step& step = row.step(group);
    if (!step.status && !step.error)
      continue;
    const std::string prefix(to_string(group));
    optional(prefix + "_status", step.status, [&](std::string_view name, const std::string& value) {
      return text(name, value, step_status_characters_max);
    });
    optional(prefix + "_error", step.error, unlimited);
  }
  optional("error_message", row.error_message, unlimited);
  optional("attention", row.attention, unlimited);
  optional("triggered_by", row.triggered_by, [&](std::string_view name, const std::string& value) {
    return text(name, value, triggered_by_characters_max);
  });
  optional("forecast_data", row.forecast_data, json);
  optional("run_metadata", row.run_metadata, json);
  optional("error_details", row.error_details, json);
  return found;
}

finding find_nul(std::string_view name, std::string_view text) {
  const size_t place = text.find('\0');
  if (place == std::string_view::npos)
    return std::nullopt;
  return std::string(name) + ": has a NUL byte at offset " + std::to_string(place) +
         ", which no text in the database can hold";
}

finding find_out_of_range(std::string_view name, const std::optional<timestamp>& at) {
  if (!at || is_in_calendar(*at))
    return std::nullopt;
  return std::string(name) + ": " + std::to_string(at->time_since_epoch().count()) +
         " microseconds since 1970 is out of range, the years 1 to 9999 can be stored";
}

finding find_unsendable_row(const audit_row& row) {
  const auto nul = [](std::string_view name, const std::string& value, size_t) { return find_nul(name, value); };
  const auto nul_in_json = [](std::string_view name, const std::string& value) { return find_nul(name, value); };
  if (auto found = visit_texts(row, nul, nul_in_json))
    return found;
  for (int i = 0; i < audit_group_count; ++i) {
    const auto group = static_cast<audit_group>(i);
    const audit_step& step = row.step(group);
    if (!step.started_at && !step.completed_at)
      continue;
    const std::string prefix(to_string(group));
    if (auto found = find_out_of_range(prefix + "_started_at", step.started_at))
      return found;
    if (auto found = find_out_of_range(prefix + "_completed_at", step.completed_at))
      return found;
  }
  const std::array<std::pair<const char*, std::optional<timestamp>>, 4> times = {{
    {"started_at", row.started_at},
    {"completed_at", row.completed_at},
    {"created_at", row.created_at},
    {"updated_at", row.updated_at},
  }};
  for (const auto& [name, at] : times)
    if (auto found = find_out_of_range(name, at))
      return found;
  return std::nullopt;
}

finding find_misfit(const run_append& append) {
  if (append.events.empty() && !append.update)
    return "the append holds neither an event nor an update";
  if (append.insert.has_value() != (!append.events.empty() && append.events.front().seq == 1))
    return "a row is inserted beside event 1 and only there";
  if (append.insert && append.update)
    return "a row is inserted or updated, not both";
  if (append.key && !append.insert)
    return "a start's key comes only with the row's insert";
  if ((append.insert && append.insert->id != append.run) || (append.update && append.update->id != append.run))
    return "the row belongs to another run than " + to_string(append.run);
  if (append.key && (append.key->key.empty() || append.key->key.size() > start_key_bytes_max))
    return "idempotency_key: has " + std::to_string(append.key->key.size()) + " bytes, 1 to " +
           std::to_string(start_key_bytes_max) + " can be stored";
  return std::nullopt;
}

std::string event_place(const event_record& event) {
  return "event " + std::to_string(event.seq);
}

/// The bytes of the first so many characters of well-formed UTF-8.
size_t bytes_of(std::string_view text, size_t characters) {
  size_t end = 0;
  while (end < text.size() && characters > 0) {
    --characters;
    do
      ++end;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80);
  }
  return end;
}

finding find_refused_text(std::string_view name, std::string_view text, size_t characters_max) {
  if (!is_utf8(text))
    return std::string(name) + ": is not valid UTF-8";
  if (characters_max == 0 || text.size() <= characters_max)
    return std::nullopt;
  // Blanks at the end that are beyond the column are cut, as SQL wants it.
  if (text.find_first_not_of(' ', bytes_of(text, characters_max)) == std::string_view::npos)
    return std::nullopt;
  return std::string(name) + ": has " + std::to_string(count_characters(text)) + " characters, at most " +
         std::to_string(characters_max) + " can be stored";
}

/// True when the JSON text escapes the character NUL, which `jsonb` cannot hold.
bool escapes_nul(std::string_view json) {
  for (size_t i = 0; i + 1 < json.size(); ++i) {
    if (json[i] != '\\')
      continue;
    if (json.substr(i + 1, 5) == "u0000")
      return true;
    ++i;
  }
  return false;
}

finding find_refused_json(std::string_view name, std::string_view text) {
  if (!is_utf8(text))
    return std::string(name) + ": is not valid UTF-8";
  if (escapes_nul(text))
    return std::string(name) + ": \\u0000 cannot be stored";
  // The library passes over a byte order mark, which `jsonb` does not.
  if (text.starts_with("\xef\xbb\xbf") || !nlohmann::json::accept(text))
    return std::string(name) + ": is not JSON that can be stored";
  return std::nullopt;
}

} // namespace

std::optional<std::string> find_unsendable(const run_append& append) {
  if (auto found = find_misfit(append))
    return found;
  int32_t seq = append.events.empty() ? 1 : append.events.front().seq;
  for (const event_record& event : append.events) {
    if (event.seq != seq++ || event.seq < 1)
      return event_place(event) + ": numbers begin at 1 and have no holes";
    if (event.attempt < 0)
      return event_place(event) + ": attempt " + std::to_string(event.attempt) + " is below 0";
    if (auto found = find_out_of_range(" at", event.at))
      return event_place(event) + *found;
    if (auto found = find_nul(" step", event.step))
      return event_place(event) + *found;
    if (auto found = find_nul(" body", event.body))
      return event_place(event) + *found;
  }
  if (append.key) {
    if (auto found = find_nul("idempotency_key", append.key->key))
      return found;
    if (auto found = find_nul("fingerprint", append.key->fingerprint))
      return found;
  }
  if (append.insert)
    return find_unsendable_row(*append.insert);
  if (append.update)
    return find_unsendable_row(*append.update);
  return std::nullopt;
}

std::vector<std::optional<std::string>> find_unsendable(const std::vector<run_append>& batch) {
  std::vector<std::optional<std::string>> faults;
  faults.reserve(batch.size());
  std::unordered_set<run_id> runs;
  for (const run_append& append : batch) {
    if (runs.insert(append.run).second)
      faults.push_back(find_unsendable(append));
    else
      faults.emplace_back("the run " + to_string(append.run) + " stands in the batch twice");
  }
  return faults;
}

std::optional<std::string> find_refused(const run_append& append) {
  for (const event_record& event : append.events) {
    if (auto found = find_refused_text(event_place(event) + " step", event.step, 0))
      return found;
    if (!event.body.empty())
      if (auto found = find_refused_json(event_place(event) + " body", event.body))
        return found;
  }
  if (append.key)
    if (auto found = find_refused_text("idempotency_key", append.key->key, 0))
      return found;
  if (append.insert)
    return visit_texts(*append.insert, find_refused_text, find_refused_json);
  if (append.update)
    return visit_texts(*append.update, find_refused_text, find_refused_json);
  return std::nullopt;
}

audit_row as_stored(audit_row row) {
  const auto cut = [](std::string& text, size_t characters_max) { text.resize(bytes_of(text, characters_max)); };
  cut(row.run_number, run_number_characters_max);
  cut(row.run_type, run_type_characters_max);
  cut(row.priority, priority_characters_max);
  if (row.triggered_by)
    cut(*row.triggered_by, triggered_by_characters_max);
  for (auto& step : row.steps)
    if (step.status)
      cut(*step.status, step_status_characters_max);
  if (row.workflow.empty())
    row.workflow_version = 0;
  return row;
}

} // namespace levain
