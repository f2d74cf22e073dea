#pragma once

#include <optional>
#include <string>
#include <vector>

#include <pqxx/pqxx>

#include "persistence/event_record.hpp"

namespace levain {

/// The columns `read_event` wants, in its order.
inline constexpr const char* event_columns = "seq, at, kind, step, attempt, body";

/// The kinds of event that settle a run: one whose newest event is of these has ended, and no node acts for it. What
/// resolves a run's attention comes after its end. For `kind in ...`.
inline constexpr const char* settled_kinds =
  "('run_completed', 'run_partially_succeeded', 'run_failed', 'run_cancelled', 'attention_resolved')";

/// Reads an event from `row`, whose columns are `event_columns` from column `first` on. Throws `unreadable_column` for
/// what this program does not know.
event_record read_event(const pqxx::row& row, int first);

/// Reads an event from `row`, whose first column is the run's id, and adds it to `events`. Answers why it cannot be
/// read, one line, if it cannot.
std::optional<std::string> read_event_into(std::vector<event_record>& events, const pqxx::row& row);

/// Reads an id from a field of type `uuid`. Throws `unreadable_column`.
uuid read_uuid(const pqxx::field& field);

/// Reads a moment from a field of type `timestamp` or `timestamptz` of a session in UTC. Throws
/// `unreadable_column` for what is no time of the years 1 to 9999.
timestamp read_timestamp(const pqxx::field& field);

/// The statement that inserts many events, and its parameters.
extern const char* const insert_events_statement;
std::vector<std::string> event_parameters(const std::vector<std::pair<run_id, const event_record*>>& events);

} // namespace levain
