#include "persistence/bare_writing.hpp"

#include <cassert>
#include <cstdlib>
#include <stdexcept>

#include <libpq-fe.h>

#include "persistence/array_literal.hpp"
#include "persistence/audit_writing.hpp"
#include "persistence/batch_writing.hpp"
#include "persistence/connection.hpp"
#include "persistence/event_columns.hpp"
#include "persistence/journal.hpp"
#include "persistence/plain_line.hpp"
#include "persistence/session_settings.hpp"
#include "persistence/sql_errors.hpp"

namespace levain {

namespace {

constexpr const char* copy_events = "copy run_events (run_id, seq, at, kind, step, attempt, body) from stdin";

/// The statements of a batch that a bare one needs as well.
constexpr std::array statements_needed = {"lock_epochs", "insert_events", "insert_audit_rows", "update_audit_rows"};

const std::string& copy_audit_rows() {
  static const std::string statement = "copy orchestration_runs (" + audit_column_names() + ") from stdin";
  return statement;
}

/// Adds the one value of an array literal to a line for `copy`.
void add_copy_field(std::string& line, std::string_view literal) {
  assert(literal.size() >= 2);
  std::string_view value = literal.substr(1, literal.size() - 2);
  if (value == "NULL") {
    line += "\\N";
    return;
  }
  const bool quoted = value.starts_with('"');
  if (quoted)
    value = value.substr(1, value.size() - 2);
  for (size_t i = 0; i < value.size(); ++i) {
    if (quoted && value[i] == '\\')
      ++i;
    switch (value[i]) {
    case '\\':
      line += "\\\\";
      break;
    case '\n':
      line += "\\n";
      break;
    case '\r':
      line += "\\r";
      break;
    case '\t':
      line += "\\t";
      break;
    default:
      line += value[i];
    }
  }
}

/// Adds a row, given as the parameters of the statement that would insert it alone.
void add_copy_line(std::string& lines, const std::vector<std::string>& parameters) {
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (i > 0)
      lines += '\t';
    add_copy_field(lines, parameters[i]);
  }
  lines += '\n';
}

using result = std::unique_ptr<PGresult, decltype(&PQclear)>;

} // namespace

std::string_view to_string(bare_method method) {
  return method == bare_method::copy ? "copy" : "insert";
}

bare_batch::bare_batch(const std::vector<run_append>& appends, bare_method method)
  : runs_(appends.size()) {
  std::vector<std::pair<run_id, const event_record*>> events;
  std::vector<const audit_row*> inserts;
  std::vector<const audit_row*> updates;
  std::array<bool, shard_count> wanted{};
  for (const auto& append : appends) {
    wanted[shard_of(append.run)] = true;
    epochs_[shard_of(append.run)] = append.epoch;
    for (const auto& event : append.events)
      events.emplace_back(append.run, &event);
    if (append.insert)
      inserts.push_back(&*append.insert);
    if (append.update)
      updates.push_back(&*append.update);
  }
  event_count_ = events.size();
  array_literal shards;
  for (size_t shard = 0; shard < wanted.size(); ++shard)
    if (wanted[shard])
      shards.number(static_cast<int64_t>(shard));
  shards_ = shards.take();
  if (!updates.empty())
    updates_.parameters = audit_rows_parameters(updates);
  if (method == bare_method::insert) {
    if (!events.empty())
      events_.parameters = event_parameters(events);
    if (!inserts.empty())
      inserts_.parameters = audit_rows_parameters(inserts);
    return;
  }
  for (const auto& each : events)
    add_copy_line(events_.lines, event_parameters({each}));
  for (const auto* each : inserts)
    add_copy_line(inserts_.lines, audit_rows_parameters({each}));
}

struct bare_writer::impl {
  explicit impl(const connection_options& options)
    : connection(PQconnectdb(with_connect_settings(options).c_str()), &PQfinish) {
    if (PQstatus(connection.get()) != CONNECTION_OK)
      throw journal_unavailable(plain_line(PQerrorMessage(connection.get()), reason_bytes_max));
  }

  [[noreturn]] void refuse(const PGresult* answer) const {
    const std::string said = answer ? PQresultErrorMessage(answer) : "";
    throw std::runtime_error(
      plain_line(said.empty() ? PQerrorMessage(connection.get()) : said.c_str(), reason_bytes_max));
  }

  result checked(PGresult* answer, ExecStatusType expected) const {
    result owned(answer, &PQclear);
    if (PQresultStatus(answer) != expected)
      refuse(answer);
    return owned;
  }

  void command(const char* sql) const { checked(PQexec(connection.get(), sql), PGRES_COMMAND_OK); }

  void pin(const session_settings& settings) const {
    const std::array values = {settings.names.c_str(), settings.values.c_str()};
    checked(
      PQexecParams(
        connection.get(), pin_settings_statement, static_cast<int>(values.size()), nullptr, values.data(), nullptr,
        nullptr, 0),
      PGRES_TUPLES_OK);
  }

  result prepared(const char* name, const std::vector<std::string>& parameters, ExecStatusType expected) const {
    std::vector<const char*> values;
    values.reserve(parameters.size());
    for (const auto& each : parameters)
      values.push_back(each.c_str());
    return checked(
      PQexecPrepared(connection.get(), name, static_cast<int>(values.size()), values.data(), nullptr, nullptr, 0),
      expected);
  }

  void copy(const char* sql, const std::string& lines) const {
    checked(PQexec(connection.get(), sql), PGRES_COPY_IN);
    // In pieces, because libpq counts by `int` and doubles its buffer for what it is given at once.
    constexpr size_t piece_bytes = 64 * 1024;
    for (size_t at = 0; at < lines.size(); at += piece_bytes) {
      const auto size = std::min(piece_bytes, lines.size() - at);
      if (PQputCopyData(connection.get(), lines.data() + at, static_cast<int>(size)) != 1)
        refuse(nullptr);
    }
    if (PQputCopyEnd(connection.get(), nullptr) != 1)
      refuse(nullptr);
    checked(PQgetResult(connection.get()), PGRES_COMMAND_OK);
    while (auto* left = PQgetResult(connection.get()))
      PQclear(left);
  }

  void add(const bare_batch::table_text& table, const char* copy_statement, const char* insert_statement) const {
    if (!table.lines.empty())
      copy(copy_statement, table.lines);
    else if (!table.parameters.empty())
      prepared(insert_statement, table.parameters, PGRES_COMMAND_OK);
  }

  void fence(const bare_batch& batch) const {
    const auto rows = prepared("lock_epochs", {batch.shards_}, PGRES_TUPLES_OK);
    for (int i = 0; i < PQntuples(rows.get()); ++i) {
      const auto shard = std::strtoul(PQgetvalue(rows.get(), i, 0), nullptr, 10);
      const epoch_number epoch = std::strtoll(PQgetvalue(rows.get(), i, 1), nullptr, 10);
      if (epoch != batch.epochs_.at(shard))
        throw std::runtime_error(
          "shard " + std::to_string(shard) + " has the epoch " + std::to_string(epoch) + " now, not " +
          std::to_string(batch.epochs_.at(shard)) + ": a node has taken it");
    }
  }

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection;
};

bare_writer::bare_writer(const std::string& url) {
  connection_options options;
  options.url = url;
  options.application_name = "levain floor";
  impl_ = std::make_unique<impl>(options);
  try {
    // As `open_connection` has it: what an engine may not leave out, its floor may not either.
    impl_->pin(session_settings_of(options));
    for (const auto& setting : batch_settings())
      impl_->command(setting.c_str());
    for (const auto& [name, sql] : batch_statements())
      for (const std::string_view needed : statements_needed)
        if (needed == name)
          impl_->checked(PQprepare(impl_->connection.get(), name, sql, 0, nullptr), PGRES_COMMAND_OK);
  } catch (const std::runtime_error& failed) {
    throw journal_unavailable(failed.what());
  }
}

bare_writer::~bare_writer() = default;
bare_writer::bare_writer(bare_writer&&) noexcept = default;

std::array<epoch_number, shard_count> bare_writer::epochs() {
  std::array<epoch_number, shard_count> epochs{};
  const result rows =
    impl_->checked(PQexec(impl_->connection.get(), "select shard, epoch from shards"), PGRES_TUPLES_OK);
  for (int i = 0; i < PQntuples(rows.get()); ++i)
    epochs.at(std::strtoul(PQgetvalue(rows.get(), i, 0), nullptr, 10)) =
      std::strtoll(PQgetvalue(rows.get(), i, 1), nullptr, 10);
  return epochs;
}

void bare_writer::write(const bare_batch& batch) {
  impl_->command("begin");
  impl_->fence(batch);
  impl_->add(batch.events_, copy_events, "insert_events");
  impl_->add(batch.inserts_, copy_audit_rows().c_str(), "insert_audit_rows");
  if (!batch.updates_.empty())
    impl_->prepared("update_audit_rows", batch.updates_.parameters, PGRES_COMMAND_OK);
  impl_->command("commit");
}

} // namespace levain
