#include "persistence/pooler_check.hpp"

#include <mutex>
#include <set>

#include "persistence/answer_deadline.hpp"
#include "persistence/connection.hpp"

namespace levain {

namespace {

/// One look is enough where nobody else uses the pooler. Where others do, the sessions change hands between two looks.
constexpr int looks = 8;

/// For the answers of all looks. A pool without a free session does not answer, and is one of sessions.
constexpr std::chrono::milliseconds look_time_max{2'000};

/// The poolers that keep a session for each client.
struct known_poolers {
  std::mutex mutex;
  std::set<std::string> connection_texts;

  static known_poolers& of_process() {
    static known_poolers one;
    return one;
  }

  bool has(const std::string& text) {
    const std::lock_guard lock(mutex);
    return connection_texts.contains(text);
  }

  void add(const std::string& text) {
    const std::lock_guard lock(mutex);
    connection_texts.insert(text);
  }
};

int server_process_of(pqxx::connection& connection) {
  pqxx::nontransaction ask(connection, "server_process");
  return ask.exec1("select pg_backend_pid()")[0].as<int>();
}

/// True when two clients are served by one session, or one client by several. Both are there the whole time.
bool shares_sessions(pqxx::connection& one, int process, pqxx::connection& other) {
  const int process_of_other = server_process_of(other);
  for (int i = 0; i < looks; ++i)
    if (
      process == process_of_other || server_process_of(one) != process || server_process_of(other) != process_of_other)
      return true;
  return false;
}

} // namespace

void refuse_pooled_transactions(pqxx::connection& connection, int server_process, const std::string& connection_text) {
  // The server tells its clients their process; a pooler makes a number up for each.
  if (connection.backendpid() == server_process || known_poolers::of_process().has(connection_text))
    return;
  bool shares = false;
  try {
    pqxx::connection other(connection_text);
    answer_deadline deadline;
    const answer_time waiting(deadline, other.sock(), look_time_max);
    shares = shares_sessions(connection, server_process, other);
  } catch (const pqxx::broken_connection&) {
    if (!connection.is_open())
      throw;
    return; // Undecided: the pool has no second session for us now.
  }
  if (shares)
    throw unsuitable_database(
      "a connection pooler in transaction mode is between this program and the database: it gives each transaction "
      "another session, and Levain's prepared statements and settings would be lost. Set pool_mode = session "
      "(pgbouncer) for this database, or connect to the server directly");
  known_poolers::of_process().add(connection_text);
}

} // namespace levain
