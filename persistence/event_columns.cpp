#include "persistence/event_columns.hpp"

#include <new>
#include <stdexcept>

#include "persistence/array_literal.hpp"
#include "persistence/plain_line.hpp"
#include "persistence/sql_errors.hpp"

namespace levain {

// Unnested in the select list, where the arrays are walked side by side; in the from clause each would fill a table
// first.
const char* const insert_events_statement = R"(
  insert into run_events (run_id, seq, at, kind, step, attempt, body)
  select
    unnest($1::uuid[]),
    unnest($2::integer[]),
    unnest($3::timestamptz[]),
    unnest($4::run_event_kind[]),
    unnest($5::text[]),
    unnest($6::integer[]),
    unnest($7::jsonb[]))";

uuid read_uuid(const pqxx::field& field) {
  const auto id = uuid::parse({field.c_str(), field.size()});
  if (!id)
    throw unreadable_column(std::string("column ") + field.name() + ": '" + field.c_str() + "' is not a UUID");
  return *id;
}

timestamp read_timestamp(const pqxx::field& field) {
  const auto at = parse_timestamp({field.c_str(), field.size()});
  if (!at)
    throw unreadable_column(
      std::string("column ") + field.name() + ": '" + field.c_str() + "' is not a time of the years 1 to 9999");
  return *at;
}

event_record read_event(const pqxx::row& row, int first) {
  event_record event;
  event.seq = row[first].as<int32_t>();
  event.at = read_timestamp(row[first + 1]);
  const auto kind = parse_event_kind(row[first + 2].c_str());
  if (!kind)
    throw unreadable_column(std::string("column kind: '") + row[first + 2].c_str() + "' is unknown to this program");
  event.kind = *kind;
  if (!row[first + 3].is_null())
    event.step = row[first + 3].c_str();
  if (!row[first + 4].is_null())
    event.attempt = row[first + 4].as<int32_t>();
  if (!row[first + 5].is_null())
    event.body = row[first + 5].c_str();
  return event;
}

std::optional<std::string> read_event_into(std::vector<event_record>& events, const pqxx::row& row) {
  try {
    events.push_back(read_event(row, 1));
    return std::nullopt;
  } catch (const std::bad_alloc&) {
    throw; // This machine's fault, not the event's.
  } catch (const std::exception& unreadable) {
    return std::string("event ") + row[1].c_str() + ": " + plain_line(unreadable.what(), reason_bytes_max);
  }
}

std::vector<std::string> event_parameters(const std::vector<std::pair<run_id, const event_record*>>& events) {
  array_literal run;
  array_literal seq;
  array_literal at;
  array_literal kind;
  array_literal step;
  array_literal attempt;
  array_literal body;
  for (const auto& [id, event] : events) {
    run.id(id.value);
    seq.number(event->seq);
    at.time(event->at);
    kind.plain(to_string(event->kind));
    if (event->step.empty())
      step.null();
    else
      step.quoted(event->step);
    if (event->attempt == 0)
      attempt.null();
    else
      attempt.number(event->attempt);
    if (event->body.empty())
      body.null();
    else
      body.quoted(event->body);
  }
  return {run.take(), seq.take(), at.take(), kind.take(), step.take(), attempt.take(), body.take()};
}

} // namespace levain
