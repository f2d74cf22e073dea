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

/// Opens a session with TimeZone UTC, UTF-8, ISO dates and the timeouts of `options`. A server that has
/// `synchronous_commit` off by default has it on in this session, because the engine's promises need it. The session
/// never reconnects by itself. Throws what pqxx throws; `classify_failure` tells what it means.
std::unique_ptr<pqxx::connection> open_connection(const connection_options& options);

/// `url` with the connection-time settings of `options` that it does not set itself. Exposed for tests.
std::string with_connect_settings(const connection_options& options);

} // namespace levain
