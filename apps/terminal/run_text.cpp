#include "apps/terminal/run_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <span>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/terminal/table.hpp"
#include "persistence/exact_json.hpp"

namespace levain::terminal {

namespace {

using nlohmann::ordered_json;

/// Room for an id.
constexpr size_t value_width = 36;

std::string text_of(const ordered_json& row, const char* column) {
  const auto found = row.find(column);
  return found == row.end() ? std::string() : value_text(*found);
}

/// From `started_at` to `completed_at`; empty while it goes on.
std::string lasted(const ordered_json& row) {
  const auto began = parse_timestamp(row.value("started_at", ""));
  const auto end = row.contains("completed_at") && row["completed_at"].is_string()
                     ? parse_timestamp(row["completed_at"].get<std::string>())
                     : std::nullopt;
  return began && end ? span_text(*end - *began) : std::string();
}

ink ink_of_value(const std::string& column, const std::string& text) {
  if (column == "status")
    return ink_of_status(text);
  if (column.ends_with("_status"))
    return text == "success" ? ink::good : text == "failed" ? ink::bad : ink::warning;
  if (column.ends_with("_error") || column == "error_message" || column == "attention" || column == "stopped")
    return ink::bad;
  return ink::plain;
}

bool filled(const ordered_json& row, const std::string& column) {
  const auto found = row.find(column);
  return found != row.end() && !found->is_null();
}

std::string one_audit_text(const ordered_json& row, const paint& look, size_t width) {
  size_t name_width = 0;
  for (const auto& [column, value] : row.items())
    name_width = std::max(name_width, column.size());
  const auto room = width > name_width + 24 ? width - name_width - 4 : 20;
  std::string text;
  for (const auto& [column, value] : row.items())
    if (!value.is_null()) {
      const auto shown = cut(harmless(value_text(value)), room, look);
      text += fmt::format(
        "  {}  {}\n", look(ink::quiet, padded(column, name_width)), look(ink_of_value(column, shown), shown));
    }
  return text;
}

/// A column of a table of runs.
struct run_column {
  std::string_view name;
  bool by_default;
  cell (*of)(const ordered_json& row, const paint& look);
};

cell status_of(const ordered_json& row, const paint& /*look*/) {
  const auto status = text_of(row, filled(row, "activity") ? "activity" : "status");
  return {status, ink_of_status(status)};
}

cell steps_of(const ordered_json& row, const paint& /*look*/) {
  return {
    fmt::format("{}/{}", text_of(row, "saga_steps_completed"), text_of(row, "saga_steps_total")), ink::plain, true};
}

cell why_of(const ordered_json& row, const paint& look) {
  constexpr size_t why_width_max = 60;
  auto why = text_of(row, "error_message");
  for (const auto* more_urgent : {"attention", "stopped"})
    if (filled(row, more_urgent))
      why = text_of(row, more_urgent);
  return {cut(why, why_width_max, look), ink::quiet};
}

template <const char* Column>
cell value_of(const ordered_json& row, const paint& /*look*/) {
  return {text_of(row, Column)};
}

// Names that a template can be given.
constexpr char id_column[] = "id";
constexpr char workflow_column[] = "workflow";
constexpr char type_column[] = "run_type";
constexpr char priority_column[] = "priority";
constexpr char started_column[] = "started_at";
constexpr char ended_column[] = "completed_at";
constexpr char tenant_column[] = "tenant_id";
constexpr char by_column[] = "triggered_by";

std::span<const run_column> columns() {
  static const std::array<run_column, 14> all{{
    {"run", true,
     [](const ordered_json& row, const paint&) {
       return cell{text_of(row, "run_number"), ink::strong};
     }},
    {"id", false, value_of<id_column>},
    {"status", true, status_of},
    {"workflow", true, value_of<workflow_column>},
    {"type", true, value_of<type_column>},
    {"priority", true, value_of<priority_column>},
    {"started", true, value_of<started_column>},
    {"ended", false, value_of<ended_column>},
    {"took", true,
     [](const ordered_json& row, const paint&) {
       return cell{lasted(row), ink::plain, true};
     }},
    {"steps", true, steps_of},
    {"retries", true,
     [](const ordered_json& row, const paint&) {
       return cell{text_of(row, "retry_count"), ink::plain, true};
     }},
    {"by", false, value_of<by_column>},
    {"tenant", false, value_of<tenant_column>},
    {"why", true, why_of},
  }};
  return all;
}

} // namespace

std::string moment_of(const ordered_json& value) {
  if (!value.is_string())
    return {};
  const auto text = value.get<std::string>();
  const auto at = parse_timestamp(text);
  return at ? moment_text(*at) : text;
}

std::string value_text(const ordered_json& value) {
  if (value.is_null())
    return {};
  if (!value.is_string())
    return write_exact_json(value);
  const auto text = value.get<std::string>();
  // Only what is written as a time is one: a text could be anything.
  const bool time = text.size() == 27 && text[10] == 'T' && text.back() == 'Z';
  return time ? moment_of(value) : text;
}

std::string run_headline(const ordered_json& row, const paint& look) {
  const auto status = text_of(row, filled(row, "activity") ? "activity" : "status");
  auto line = fmt::format("{}  {}", look(ink::strong, text_of(row, "run_number")), look(ink_of_status(status), status));
  if (filled(row, "workflow"))
    line += fmt::format("  {} v{}", harmless(text_of(row, "workflow")), text_of(row, "workflow_version"));
  line += fmt::format(
    "  {}, {} priority  started {}", text_of(row, "run_type"), text_of(row, "priority"), text_of(row, "started_at"));
  if (const auto span = lasted(row); !span.empty())
    line += fmt::format(", took {}", span);
  return line;
}

std::vector<std::string> run_columns() {
  std::vector<std::string> names;
  for (const auto& each : columns())
    names.emplace_back(each.name);
  return names;
}

runs_table runs_text(const ordered_json& rows, const paint& look, const runs_layout& layout) {
  std::vector<const run_column*> shown;
  for (const auto& name : layout.columns)
    for (const auto& each : columns())
      if (each.name == name)
        shown.push_back(&each);
  if (layout.columns.empty())
    for (const auto& each : columns())
      if (each.by_default || (layout.with_tenant && each.name == "tenant"))
        shown.push_back(&each);
  const auto heading = [](std::string_view name) {
    std::string text(name);
    for (auto& c : text)
      c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
  };
  std::vector<std::string> headings;
  for (const auto* each : shown)
    headings.push_back(heading(each->name));
  table all(std::move(headings));
  for (const auto& row : rows) {
    std::vector<cell> line;
    for (const auto* each : shown)
      line.push_back(each->of(row, look));
    all.add(std::move(line));
  }
  // What was chosen by name stays.
  const std::vector<std::string> droppable{"PRIORITY", "TYPE", "RETRIES", "TENANT", "TOOK", "STEPS", "WORKFLOW"};
  auto left_out = all.fit(layout.width, layout.columns.empty() ? droppable : std::vector<std::string>(), "WHY", look);
  return {all.text(look), std::move(left_out)};
}

std::string audit_text(
  const std::vector<ordered_json>& rows, const std::vector<std::string>& titles, const paint& look, size_t width) {
  constexpr size_t name_width = 28;
  std::string text;
  if (rows.size() == 1 || width < name_width + rows.size() * (value_width + 2)) {
    for (size_t i = 0; i < rows.size(); ++i)
      text +=
        (rows.size() == 1 ? std::string() : look(ink::strong, titles[i]) + '\n') + one_audit_text(rows[i], look, width);
    return text;
  }
  std::vector<std::string> headings{"COLUMN"};
  headings.insert(headings.end(), titles.begin(), titles.end());
  table all(std::move(headings));
  for (const auto& [column, value] : rows.front().items()) {
    const auto name = column;
    if (std::none_of(rows.begin(), rows.end(), [&](const ordered_json& row) { return filled(row, name); }))
      continue;
    std::vector<cell> line{{name, ink::quiet}};
    for (const auto& row : rows) {
      const auto shown = cut(harmless(text_of(row, name.c_str())), value_width, look);
      line.push_back({shown, ink_of_value(name, shown)});
    }
    all.add(std::move(line));
  }
  return all.text(look);
}

} // namespace levain::terminal
