#include "persistence/session.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <stdexcept>

#include "persistence/journal.hpp"
#include "persistence/span_text.hpp"
#include "persistence/sql_errors.hpp"

namespace levain {

namespace {

/// False when the server ended the session while nothing was asked of it: it was restarted, or somebody ended it. Then
/// nothing is lost by opening another one. Waits for nobody.
bool still_there(pqxx::connection& connection) {
  if (!connection.is_open())
    return false;
  const int socket = connection.sock();
  pollfd readable{socket, POLLIN, 0};
  if (::poll(&readable, 1, 0) <= 0)
    return true;
  try {
    // Settings that have changed are heard of like this too.
    connection.get_notifs();
  } catch (const pqxx::failure&) {
    return false;
  }
  char next = 0;
  return connection.is_open() && ::recv(socket, &next, sizeof next, MSG_PEEK | MSG_DONTWAIT) != 0;
}

} // namespace

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
  if (connection_ && !still_there(*connection_))
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
