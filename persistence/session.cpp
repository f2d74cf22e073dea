#include "persistence/session.hpp"

#include <stdexcept>

#include "persistence/journal.hpp"
#include "persistence/span_text.hpp"
#include "persistence/sql_errors.hpp"

namespace levain {

namespace {

/// A right that is missing, like a row that is refused, does not come by waiting.
bool blames_what_was_sent(const sql_failure& failure) {
  return failure.kind == failure_kind::bad_rows || failure.kind == failure_kind::schema;
}

} // namespace

session::session(connection_options options, std::vector<named_statement> statements, std::vector<std::string> settings)
  : options_(std::move(options))
  , statements_(std::move(statements))
  , settings_(std::move(settings)) {}

pqxx::connection& session::open() {
  if (connection_ && !connection_->is_open())
    drop();
  if (!connection_) {
    deadline_.begin(-1, {}); // What comes now is not the old connection's fault.
    auto connection = open_connection(options_);
    const answer_time waiting(deadline_, connection->sock(), answer_timeout(options_));
    if (!settings_.empty()) {
      pqxx::nontransaction set_up(*connection, "settings");
      for (const std::string& setting : settings_)
        set_up.exec(setting);
    }
    for (const auto& [name, sql] : statements_)
      connection->prepare(name, sql);
    connection_ = std::move(connection);
  }
  return *connection_;
}

std::string session::explain(std::string reason) const {
  return deadline_.expired() ? "the server did not answer within " + span_text(answer_timeout(options_)) + ": " + reason
                             : reason;
}

void session::translate(refusals refused) {
  const sql_failure failure = classify_failure(std::current_exception());
  if (failure.connection_lost)
    drop();
  if (refused == refusals::blame_values && !failure.connection_lost && blames_what_was_sent(failure))
    throw std::invalid_argument(failure.reason);
  throw journal_unavailable(explain(failure.reason));
}

} // namespace levain
