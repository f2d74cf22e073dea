#pragma once

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace levain {

/// The private PostgreSQL could not be started; what() is a sentence that says why and what to do.
class embedded_postgres_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

struct embedded_postgres_options {
  /// Holds the database and what belongs to it; made when missing.
  std::filesystem::path directory;
  /// `max_connections` of the server.
  int connections_max = 100;
  /// For tests alone: no fsync. Never set by a program.
  bool volatile_for_tests = false;
};

/// A PostgreSQL server of one's own in a directory: unix socket only, data checksums on, `fsync` and
/// `synchronous_commit` on. Found by `pg_config --bindir`, `PATH` and the distribution's folders. As root its processes
/// run as another user (`postgres`, else `nobody`), because the server refuses root. The directory belongs to one
/// program at a time.
class embedded_postgres {
public:
  /// Initialises the directory when it is new, recovers it when the last program was killed, and waits until the server
  /// answers. Throws `embedded_postgres_error`: no server binaries, a directory that another living program holds or
  /// that the server's user cannot reach, a server that does not start (with the end of its log). Takes libpq's
  /// variables out of this process's environment: to be called before other threads read it.
  static std::unique_ptr<embedded_postgres> start(const embedded_postgres_options& options);

  /// Stops the server as `stop` does.
  ~embedded_postgres();

  /// A libpq connection URL over the unix socket, database `levain`.
  std::string url() const;
  /// The server's process id; for tests that kill it.
  int server_pid() const;
  /// False once the server has ended, whoever ended it. Any thread, but not beside `stop`.
  bool running() const;
  /// The server's log.
  std::filesystem::path log_file() const;

  /// A clean stop (`fast`): waits until the server has ended. Idempotent.
  void stop();

private:
  embedded_postgres();
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// The connection URL of a database in `directory` that a program is running now; for command lines beside it. Throws
/// `embedded_postgres_error` when none runs there. Takes libpq's variables out of the environment as `start` does.
std::string embedded_postgres_url(const std::filesystem::path& directory);

} // namespace levain
