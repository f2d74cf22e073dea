#include "persistence/session_settings.hpp"

#include <array>
#include <utility>

#include "persistence/array_literal.hpp"

namespace levain {

const char* const pin_settings_statement = R"(
  select set_config(name, value, false)
  from unnest($1::text[], $2::text[]) as wanted (name, value)
  where current_setting(name, true) is not null
  union all
  select set_config('search_path', current_setting('search_path'), false)
  union all
  select set_config(
    'synchronous_commit',
    case when current_setting('synchronous_commit') = 'remote_apply' then 'remote_apply' else 'on' end,
    false))";

namespace {

constexpr std::array<std::pair<const char*, const char*>, 21> fixed_settings = {{
  // How values look on the wire, in both directions.
  {"client_encoding", "UTF8"},
  {"TimeZone", "UTC"},
  {"DateStyle", "ISO, YMD"},
  {"IntervalStyle", "postgres"},
  {"extra_float_digits", "1"},
  {"bytea_output", "hex"},
  {"array_nulls", "on"},
  {"standard_conforming_strings", "on"},
  {"escape_string_warning", "on"},
  {"transform_null_equals", "off"},
  {"quote_all_identifiers", "off"},
  {"xmloption", "content"},
  // What a transaction sees and may do. A commit in doubt is resolved by reading after waiting for a lock, which only
  // a snapshot for each statement can do.
  {"default_transaction_isolation", "read committed"},
  {"default_transaction_read_only", "off"},
  {"default_transaction_deferrable", "off"},
  {"row_security", "on"},
  {"check_function_bodies", "on"},
  // How long a session lives, and what ends it.
  {"idle_session_timeout", "0"},
  {"transaction_timeout", "0"},
  {"exit_on_error", "off"},
  // Notices reach nobody.
  {"client_min_messages", "warning"},
}};

} // namespace

session_settings session_settings_of(const connection_options& options) {
  array_literal names;
  array_literal values;
  const auto add = [&](const char* name, const std::string& value) {
    names.quoted(name);
    values.quoted(value);
  };
  for (const auto& [name, value] : fixed_settings)
    add(name, value);
  add("application_name", options.application_name);
  add("statement_timeout", std::to_string(options.statement_timeout.count()));
  add("lock_timeout", std::to_string(options.lock_timeout.count()));
  add("idle_in_transaction_session_timeout", std::to_string(options.idle_in_transaction_timeout.count()));
  return {names.take(), values.take()};
}

} // namespace levain
