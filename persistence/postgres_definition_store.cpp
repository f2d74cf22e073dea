#include "persistence/postgres_definition_store.hpp"

#include <stdexcept>

#include "persistence/event_columns.hpp"
#include "persistence/plain_line.hpp"
#include "persistence/session.hpp"

namespace levain {

namespace {

constexpr const char* insert_definition = R"(
  insert into workflow_definitions (name, version, content_hash, body, registered_at)
  values ($1, $2, $3, $4, $5)
  on conflict (name, version) do nothing)";

constexpr const char* find_definition = R"(
  select name, version, content_hash, body, registered_at
  from workflow_definitions
  where name = $1
    and version = $2)";

constexpr const char* find_newest_definition = R"(
  select name, version, content_hash, body, registered_at
  from workflow_definitions
  where name = $1
  order by version desc
  limit 1)";

// By bytes, as the model orders names, whatever the database's collation.
constexpr const char* list_definitions = R"(
  select name, version, content_hash, body, registered_at
  from workflow_definitions
  order by name collate "C", version)";

definition_record read_definition(const pqxx::row& row) {
  definition_record definition{row[0].c_str(), row[1].as<int32_t>(), row[2].c_str(), row[3].c_str()};
  try {
    definition.registered_at = read_timestamp(row[4]);
  } catch (const unreadable_column& damage) {
    definition.damage = plain_line(damage.what(), reason_bytes_max);
  }
  return definition;
}

std::optional<definition_record> read_first(const pqxx::result& rows) {
  if (rows.empty())
    return std::nullopt;
  return read_definition(rows.front());
}

void refuse_nul(const char* name, const std::string& text) {
  if (text.find('\0') != std::string::npos)
    throw std::invalid_argument(std::string(name) + ": has a NUL byte, which no text in the database can hold");
}

connection_options connection_options_of(const postgres_definition_store_options& options) {
  connection_options connection;
  connection.url = options.url;
  connection.application_name = options.application_name;
  connection.connect_timeout = options.connect_timeout;
  connection.statement_timeout = options.statement_timeout;
  return connection;
}

} // namespace

struct postgres_definition_store::impl {
  explicit impl(const postgres_definition_store_options& options)
    : session(
        connection_options_of(options), {
                                          {"insert_definition", insert_definition},
                                          {"find_definition", find_definition},
                                          {"find_newest_definition", find_newest_definition},
                                          {"list_definitions", list_definitions},
                                        }) {}

  levain::session session;
};

postgres_definition_store::postgres_definition_store(postgres_definition_store_options options)
  : impl_(std::make_unique<impl>(options)) {}

postgres_definition_store::~postgres_definition_store() = default;

definition_store::put_result postgres_definition_store::put(const definition_record& definition) {
  refuse_nul("name", definition.name);
  refuse_nul("body", definition.body);
  return impl_->session.put([&](pqxx::work& transaction) {
    const auto inserted = transaction.exec_prepared(
      "insert_definition", definition.name, definition.version, definition.content_hash, definition.body,
      to_rfc3339(definition.registered_at));
    if (inserted.affected_rows() == 1)
      return put_result::registered;
    const auto existing = read_first(transaction.exec_prepared("find_definition", definition.name, definition.version));
    return existing && existing->content_hash == definition.content_hash ? put_result::unchanged : put_result::conflict;
  });
}

std::optional<definition_record> postgres_definition_store::find(const std::string& name, int32_t version) {
  return impl_->session.ask(
    [&](pqxx::work& transaction) { return read_first(transaction.exec_prepared("find_definition", name, version)); });
}

std::optional<definition_record> postgres_definition_store::find_newest(const std::string& name) {
  return impl_->session.ask(
    [&](pqxx::work& transaction) { return read_first(transaction.exec_prepared("find_newest_definition", name)); });
}

std::vector<definition_record> postgres_definition_store::list() {
  return impl_->session.ask([&](pqxx::work& transaction) {
    std::vector<definition_record> definitions;
    for (const auto& row : transaction.exec_prepared("list_definitions"))
      definitions.push_back(read_definition(row));
    return definitions;
  });
}

} // namespace levain
