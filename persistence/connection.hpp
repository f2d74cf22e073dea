#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <pqxx/pqxx>

namespace levain {

/// How a connection to PostgreSQL behaves. What `url` itself says about a connection-time setting wins.
struct connection_options {
  /// A libpq connection URL or keyword string.
  std::string url;
  /// What `pg_stat_activity` shows.
  std::string application_name = "levain";
  /// How long connecting may take; whole seconds, at least 2 s (libpq's own floor).
  std::chrono::seconds connect_timeout{5};
  /// A statement that takes longer is cancelled by the server.
  std::chrono::milliseconds statement_timeout{30'000};
  /// An answer may take so much longer than the statement itself; then nobody is there to give one, and the connection
  /// is given up.
  std::chrono::milliseconds answer_margin{5'000};
  /// Waiting longer for a lock cancels the statement; zero waits as long as the statement may take.
  std::chrono::milliseconds lock_timeout{0};
  /// The server ends a session that stays idle inside a transaction for longer, so that the locks of a client that is
  /// gone do not outlive it.
  std::chrono::milliseconds idle_in_transaction_timeout{30'000};
  /// TCP: silence before the first probe, seconds between probes, and how many unanswered ones lose the connection.
  std::chrono::seconds keepalives_idle{10};
  std::chrono::seconds keepalives_interval{5};
  int keepalives_count = 3;
  /// TCP: sent bytes that stay unacknowledged for longer lose the connection.
  std::chrono::milliseconds tcp_user_timeout{30'000};
};

/// How long to wait for the answer to one statement: `statement_timeout` and `answer_margin`. Zero, for ever, when
/// statements may take for ever.
std::chrono::milliseconds answer_timeout(const connection_options& options);

/// The server was reached, but no session of it can be used: the database's encoding is not UTF8, or a pooler in
/// transaction mode is in between. what() says what to do.
class unsuitable_database : public pqxx::failure {
public:
  using pqxx::failure::failure;
};

/// Opens a session with `session_settings` as its own settings. The session never reconnects by itself. Throws
/// `unsuitable_database` and what pqxx throws; `classify_failure` tells what it means. A connection that fails names
/// the variables of the environment that had a say in it.
std::unique_ptr<pqxx::connection> open_connection(const connection_options& options);

/// `url` as a keyword string, with the connection-time settings of `options` that it does not set itself. Where it
/// names a host, no address of the environment (`PGHOSTADDR`) takes its place. Where it names several servers, only one
/// that takes writes is connected to, unless it sets `target_session_attrs`. Throws `pqxx::broken_connection` when the
/// URL cannot be read.
std::string with_connect_settings(const connection_options& options);

} // namespace levain
