#include "persistence/audit_row.hpp"

#include "persistence/named_values.hpp"

namespace levain {

namespace {

// In the order of `run_status` and of the database type `orchestrationstatus`.
constexpr std::array<std::string_view, 6> status_names = {"pending",         "running", "completed",
                                                          "partial_success", "failed",  "cancelled"};

// In the order of `audit_group`; each is the prefix of its columns.
constexpr std::array<std::string_view, audit_group_count> group_names = {
  "forecasting", "production", "procurement", "notification", "ai_insights"};

} // namespace

std::string_view to_string(run_status status) {
  return status_names.at(static_cast<size_t>(status));
}

std::optional<run_status> parse_run_status(std::string_view text) {
  return parse_named<run_status>(status_names, text);
}

bool is_ended(run_status status) {
  return status != run_status::pending && status != run_status::running;
}

std::string_view to_string(audit_group group) {
  return group_names.at(static_cast<size_t>(group));
}

std::optional<audit_group> parse_audit_group(std::string_view text) {
  return parse_named<audit_group>(group_names, text);
}

} // namespace levain
