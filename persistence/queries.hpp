#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "persistence/audit_row.hpp"
#include "persistence/cluster_view.hpp"
#include "persistence/database_health.hpp"
#include "persistence/definition_list.hpp"
#include "persistence/event_record.hpp"
#include "persistence/ids.hpp"

namespace levain {

/// A read across all tenants. Whoever wants one has to say so by this name.
struct operator_scope {};

/// Whose runs are read: one tenant's, or all. A run outside of the scope is not there.
using read_scope = std::variant<tenant_id, operator_scope>;

/// Rows in one answer.
inline constexpr size_t rows_per_answer_default = 100;
inline constexpr size_t rows_per_answer_max = 1000;

/// What a run that has not ended is doing beyond its status.
enum class run_activity : uint8_t {
  /// A person paused it and nobody resumed it.
  paused,
  /// Its cancellation was accepted and is under way.
  cancelling,
};

std::string_view to_string(run_activity activity);
std::optional<run_activity> parse_run_activity(std::string_view text);

/// Which runs `list_runs` answers. Whatever is empty asks for nothing.
struct run_filter {
  read_scope scope;
  /// Runs with one of these statuses, or busy with one of these activities.
  std::vector<run_status> statuses = {};
  std::vector<run_activity> activities = {};
  std::optional<std::string> run_type = {};
  std::optional<std::string> workflow = {};
  /// `started_at` at this moment or later, and before that one.
  std::optional<timestamp> started_from = {};
  std::optional<timestamp> started_before = {};
  /// 1 to `rows_per_answer_max`.
  size_t limit = rows_per_answer_default;
  /// `next` of the page before; empty for the first page.
  std::string cursor = {};
};

/// Which runs `runs_needing_attention` answers.
struct attention_filter {
  read_scope scope;
  /// Absent: all but `test`.
  std::optional<std::string> run_type = {};
  /// 1 to `rows_per_answer_max`.
  size_t limit = rows_per_answer_max;
  /// `next` of the page before; empty for the first page.
  std::string cursor = {};
};

/// A row of the audit table that this program cannot read, because of a value that others have written: a time beyond
/// the years 1 to 9999, a status that it does not know.
struct unreadable_row {
  run_id run;
  std::string run_number;
  /// The first such column, and one line that names it: `column completed_at: 'infinity' is not a time of the years 1
  /// to 9999`.
  std::string column;
  std::string message;
};

/// A run as lists show it: its row without `forecast_data` and `run_metadata`.
struct listed_run : audit_row {
  /// From the journal; absent for runs that go on by themselves or have ended.
  std::optional<run_activity> activity;
};

/// Runs in the order that was asked for. A row that cannot be read hides no other.
struct run_list {
  std::vector<listed_run> runs;
  std::vector<unreadable_row> unreadable;

  size_t size() const { return runs.size() + unreadable.size(); }
};

/// A part of a list, the newest run first.
struct run_page : run_list {
  /// The cursor for the page that follows; empty when there is none.
  std::string next;
};

/// The row of a single run cannot be read; what() is one line that names its run number and the first such column.
class row_unreadable : public std::runtime_error {
public:
  row_unreadable(audit_row readable, unreadable_row why);

  /// What could be read of the row; the id and the run number always can.
  const audit_row& row() const { return row_; }
  const unreadable_row& why() const { return why_; }

private:
  audit_row row_;
  unreadable_row why_;
};

/// The averages of the metrics of completed runs; absent where no run has the metric.
struct metrics_averages {
  /// How many runs they are taken from.
  int64_t runs = 0;
  std::optional<double> fulfillment_rate;
  std::optional<double> on_time_delivery_rate;
  std::optional<double> cost_accuracy;
  std::optional<double> quality_score;
  /// Seconds from `started_at` to `completed_at`, with their fraction; `duration_seconds` has whole ones.
  std::optional<double> duration_seconds;
};

/// Which runs are to be verified.
struct verify_scope {
  read_scope scope;
  std::optional<run_id> run = {};
  /// Runs that began at this moment or later.
  std::optional<timestamp> since = {};
};

/// Something in the database that this program cannot read: a kind it does not know, a time beyond the years it can
/// say.
struct unreadable_value {
  /// `row` or `journal`.
  std::string place;
  /// One line: what is there and what would be right.
  std::string message;
};

/// A run with everything that is remembered of it, both from one moment.
struct remembered_run {
  /// Only id and run number are filled when the row could not be read.
  audit_row row;
  /// In order; empty for rows that Levain did not write and for runs whose partition was dropped. Ends before the first
  /// that could not be read.
  std::vector<event_record> events;
  /// What could not be read, the first of the row and the first of the journal.
  std::vector<unreadable_value> unreadable = {};
};

/// Bytes of rows and events that `verify_batch` reads at a time, about; one larger run is read alone.
inline constexpr uint64_t verify_batch_bytes_max = 32 * 1024 * 1024;
/// A run with more bytes is not read: `unreadable` says so.
inline constexpr uint64_t verify_run_bytes_max = 512 * 1024 * 1024;

/// Runs whose ids are greater than `after` and at most `upto`; absent: from the first, to the last.
struct run_range {
  std::optional<run_id> after = {};
  std::optional<run_id> upto = {};
};

/// The node that acts for a shard's runs.
struct shard_owner {
  uuid node;
  std::string name;
  /// Where its HTTP interface is; empty when it has not said.
  std::string address;
  /// Whether its lease is good still, by the database's clock; otherwise another node is about to take over.
  bool alive = false;
};

struct queries_options {
  std::string url;
  std::string application_name = "levain reads";
  std::chrono::milliseconds statement_timeout{10'000};
  /// An answer that takes so much longer does not come: the connection is given up.
  std::chrono::milliseconds answer_margin{5'000};
  /// After a failed attempt to connect, reads are refused for so long before the next attempt.
  std::chrono::milliseconds reconnect_pause{250};
};

/// Every question that is asked of the remembered runs, over one connection that opens when it is needed and again
/// after it was lost. Every function throws `journal_unavailable` (see journal.hpp) when the database cannot be asked,
/// and `std::invalid_argument` naming the argument for values out of range. One thread at a time, except `close`.
class queries {
public:
  explicit queries(queries_options options);
  ~queries();
  queries(const queries&) = delete;
  queries& operator=(const queries&) = delete;

  // ---- the four documented queries ------------------------------------------

  /// The tenant's pending and running runs, the youngest first. `limit`: 1 to `rows_per_answer_max`, here and below.
  run_list active_runs(const tenant_id& tenant, size_t limit = rows_per_answer_max);

  /// The tenant's runs that started from `from` to `to`, both included, the youngest first.
  run_list run_history(const tenant_id& tenant, timestamp from, timestamp to, size_t limit = rows_per_answer_max);

  /// The metrics of the tenant's completed runs that started after `since`.
  metrics_averages metrics_summary(const tenant_id& tenant, timestamp since);

  /// Failed runs that were retried less than three times and may be retried still, and beyond the documented query the
  /// runs that say why a person has to look at them (`attention`) and those that nobody acts for (`stopped`). Without
  /// those that a person has resolved, and without runs of the type `test` unless they are asked for. By
  /// `(started_at, id)`, the youngest first. Throws `std::invalid_argument` for a cursor that is none.
  run_page runs_needing_attention(const attention_filter& filter);

  // ---- single runs and lists ------------------------------------------------

  /// Both throw `row_unreadable` when the row is there but cannot be read.
  std::optional<audit_row> find_run(const read_scope& scope, const run_id& run);
  std::optional<audit_row> find_run_by_number(const read_scope& scope, const std::string& run_number);
  /// Whether there is such a row, whoever's. Reads nothing of it, so that the time it takes tells nothing of it.
  bool has_run(const operator_scope& scope, const run_id& run);

  /// Runs by `(created_at, id)`, which never change, the newest first. A run that is accepted or begins meanwhile moves
  /// no run to another page. Throws `std::invalid_argument` for a cursor that is none.
  run_page list_runs(const run_filter& filter);

  /// All events of one run in order; empty when there is none. Ask for the run's row first: events know no tenant.
  std::vector<event_record> read_events(const run_id& run);

  // ---- proof ----------------------------------------------------------------

  /// How many runs `scope` has, as the planner estimates it from its statistics; nothing is read.
  uint64_t estimated_runs(const verify_scope& scope);

  /// The ids of the runs of `scope` after `after` in their order, at most `limit`: where a page of them ends.
  std::vector<run_id>
  verify_ids(const verify_scope& scope, const std::optional<run_id>& after, size_t limit = rows_per_answer_max);

  /// The first runs of `scope` in `range` in the order of their ids, as many as have about `bytes_max` bytes together
  /// and at least one; empty when there is none. What cannot be read is said in its run, not thrown.
  std::vector<remembered_run> verify_batch(
    const verify_scope& scope, const run_range& range, uint64_t bytes_max = verify_batch_bytes_max,
    uint64_t run_bytes_max = verify_run_bytes_max);

  /// As `verify_batch`, of the runs of `scope` after `after`, at most `limit`; empty when there is none left.
  std::vector<remembered_run>
  next_verify_batch(const verify_scope& scope, const std::optional<run_id>& after, size_t limit = rows_per_answer_max);

  /// Runs in `range` that have events but no row, in the order of their ids, at most `limit`. There should be none.
  std::vector<run_id>
  events_without_row(operator_scope scope, const run_range& range, size_t limit = rows_per_answer_max);

  // ---- health ---------------------------------------------------------------

  /// The health of the same database, over a connection that lasts as long as the question: this one needs a schema.
  database_health health() const;

  // ---- definitions ----------------------------------------------------------

  /// Registered versions after `after` by name (in the order of its bytes) and version, at most `limit`.
  std::vector<listed_definition> list_definitions(const std::optional<definition_place>& after, size_t limit);

  // ---- nodes ----------------------------------------------------------------

  /// Who owns the shard; nothing while nobody does.
  std::optional<shard_owner> find_owner(shard_number shard);

  /// All nodes that are not forgotten, and their shards, at one moment.
  cluster_view view_cluster();

  // ---- the connection -------------------------------------------------------

  /// Answers when the database does.
  void ping();

  /// Every later question is refused with `journal_unavailable`; one that is being asked ends as it would. Any thread.
  void close();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace levain
