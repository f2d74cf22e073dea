#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "actors/run_machine/explain.hpp"
#include "actors/run_machine/state.hpp"
#include "persistence/audit_row.hpp"
#include "persistence/event_record.hpp"

// Runs in JSON, as the daemon serves them and the command line prints them with `--json`. Times are RFC 3339 in UTC;
// what is absent is null.

namespace levain {

/// Which columns of a row are shown.
enum class row_columns : uint8_t {
  all,
  /// Without `forecast_data` and `run_metadata`, which can be a megabyte each: for lists.
  without_documents,
};

/// Every documented column by its name and in its place, then `workflow`, `workflow_version`, `attention` and
/// `stopped`.
nlohmann::ordered_json audit_row_json(const audit_row& row, row_columns columns = row_columns::all);

/// `{"seq", "at", "kind", "step", "attempt", "body"}`; the last three only where the event has them.
nlohmann::ordered_json event_json(const event_record& event);

/// The run's steps in the order of its workflow: `name`, `phase`, `attempt`, the times, `duration_ms`, `failure`,
/// `output`, and `compensation` where the step has (or had) one to do.
nlohmann::ordered_json steps_json(const run_state& state);

/// Where the run is beyond its row: `phase`, `paused`, who asked for what, `retry_at`.
nlohmann::ordered_json progress_json(const run_state& state);

nlohmann::ordered_json explanation_json(const explanation& why);

/// The state that a journal's events fold to. Throws `broken_journal`.
run_state fold_events(const workflow_ptr& workflow, const std::vector<event_record>& events);

} // namespace levain
