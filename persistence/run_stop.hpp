#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/audit_row.hpp"
#include "persistence/ids.hpp"

namespace levain {

/// Why nobody acts for a run; the column `stopped_runs.kind`.
enum class stop_kind : uint8_t {
  /// Its journal cannot be followed: a hole, an unknown kind, a broken body, a definition that is missing.
  journal_damaged,
  /// The database refuses whatever would be written for it.
  events_refused,
  /// It came to a halt again and again, whatever was done about it.
  stuck,
};

std::string_view to_string(stop_kind kind);
std::optional<stop_kind> parse_stop_kind(std::string_view text);

/// A run that nobody acts for until it is read back: a row of `stopped_runs`.
struct run_stop {
  stop_kind kind = stop_kind::journal_damaged;
  /// One line, for people.
  std::string reason;
  /// By the database's clock. Not looked at when it is written: the first one of a kind stays.
  timestamp since{};

  bool operator==(const run_stop&) const = default;
};

/// What is to stand in `stopped_runs` for a run, as its owner says.
struct stop_change {
  run_id run;
  /// Under which the run's shard is owned; under another one nothing is changed.
  epoch_number epoch = 0;
  /// Nothing: the run is taken up again.
  std::optional<run_stop> stop;
};

/// What is known of a run without its journal.
struct row_outline {
  tenant_id tenant;
  run_status status = run_status::pending;
  /// False for rows that Levain did not write.
  bool has_workflow = true;
  std::optional<run_stop> stop;

  bool operator==(const row_outline&) const = default;
};

} // namespace levain
