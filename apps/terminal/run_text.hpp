#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "apps/terminal/paint.hpp"

namespace levain::terminal {

/// A time as people read it, from RFC 3339; empty for null, unchanged when it is no time.
std::string moment_of(const nlohmann::ordered_json& value);

/// The value of an audit column as people read it; empty for null.
std::string value_text(const nlohmann::ordered_json& value);

/// What a run is in one line: number, status, workflow, type, priority, when it began and how long it took. `row` is an
/// audit row in JSON (see run_view.hpp), here and below.
std::string run_headline(const nlohmann::ordered_json& row, const paint& look);

/// How a table of runs is laid out.
struct runs_layout {
  /// Some of `run_columns()`, in the order of the table; where there are none, those that are shown by default.
  std::vector<std::string> columns;
  /// Whether the tenant is among the columns by default.
  bool with_tenant = false;
  /// Of the terminal; without chosen columns some are left out where it is narrow. 0 where there is none.
  size_t width = 0;
};

/// The columns that a table of runs can have.
std::vector<std::string> run_columns();

/// A table of runs, one a line, and what was left out of it for want of room.
struct runs_table {
  std::string text;
  std::vector<std::string> left_out;
};
runs_table runs_text(const nlohmann::ordered_json& rows, const paint& look, const runs_layout& layout);

/// The columns that are filled, by name: the rows side by side under their `titles` where `width` has room, one after
/// another where it has not.
std::string audit_text(
  const std::vector<nlohmann::ordered_json>& rows, const std::vector<std::string>& titles, const paint& look,
  size_t width);

} // namespace levain::terminal
