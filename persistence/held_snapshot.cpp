#include "persistence/held_snapshot.hpp"

#include <array>

#include <pqxx/pqxx>

#include "persistence/connection.hpp"
#include "persistence/journal.hpp"
#include "persistence/schema_session.hpp"
#include "persistence/sql_errors.hpp"

namespace levain {

namespace {

constexpr const char* runs_statement = "select count(*) from orchestration_runs";

constexpr std::array settling_statements{
  "vacuum (analyze) orchestration_runs", "vacuum (analyze) run_events", "checkpoint"};

/// Counting millions of rows takes its time.
constexpr std::chrono::minutes statement_timeout{10};

std::unique_ptr<pqxx::connection> connect(const std::string& url) {
  connection_options options;
  options.url = url;
  options.application_name = "levain snapshot";
  options.statement_timeout = statement_timeout;
  // It is to stay idle in its transaction.
  options.idle_in_transaction_timeout = std::chrono::milliseconds(0);
  return open_connection(options);
}

template <class Ask>
auto answer(Ask ask) {
  try {
    return ask();
  } catch (const pqxx::pqxx_exception&) {
    throw journal_unavailable(classify_failure(std::current_exception()).reason);
  }
}

} // namespace

struct held_snapshot::impl {
  explicit impl(const std::string& url)
    : connection(connect(url))
    , transaction(*connection) {}

  std::unique_ptr<pqxx::connection> connection;
  pqxx::transaction<pqxx::repeatable_read, pqxx::read_only> transaction;
};

held_snapshot::held_snapshot(const std::string& url) {
  answer([&] {
    impl_ = std::make_unique<impl>(url);
    // The first statement takes the snapshot.
    impl_->transaction.exec1("select 1");
  });
}

held_snapshot::~held_snapshot() = default;

uint64_t held_snapshot::runs() {
  return answer([&] { return impl_->transaction.exec1(runs_statement)[0].as<uint64_t>(); });
}

void settle_database(const std::string& url) {
  in_schema_session(url, schema_lock_timeout, [](pqxx::connection& connection) {
    // Outside of a transaction: none of these can be undone.
    pqxx::nontransaction outside(connection);
    for (const char* statement : settling_statements)
      outside.exec(statement);
  });
}

} // namespace levain
