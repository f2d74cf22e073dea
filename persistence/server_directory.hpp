#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "persistence/directory_lock.hpp"
#include "persistence/server_binaries.hpp"
#include "persistence/spawn.hpp"

namespace levain {

/// The directory of an embedded PostgreSQL, held by this program: `data` (the database), `socket`, `postgres.log` and
/// the lock. Every function throws `embedded_postgres_error` with a sentence that says what to do.
class server_directory {
public:
  /// Makes `wanted` when it is missing and takes it. Refuses a folder that holds other things, one that belongs to
  /// another account or that others may write to, one that another program holds, and one that the server's account
  /// cannot reach.
  static server_directory take(const std::filesystem::path& wanted);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path data() const { return path_ / "data"; }
  std::filesystem::path log() const { return path_ / "postgres.log"; }
  /// The file that the server listens on.
  std::filesystem::path socket() const;
  /// Where the socket lies: in the directory, or under a short name when its path is too long for a socket or holds a
  /// comma, which divides hosts in a connection URL. That is in /run for root, else in /tmp, else in `XDG_RUNTIME_DIR`:
  /// the first place where nobody else has made such a folder. `socket.folder` in the directory names it.
  std::filesystem::path socket_folder() const;
  std::string url(const std::string& database) const;
  /// Whom the server runs as; nothing: this program's own account.
  const std::optional<unix_user>& user() const { return user_; }

  /// The server that fits the database, or the preferred one when there is none yet.
  server_binaries suitable_binaries() const;
  /// Makes the database when there is none. A start that was killed meanwhile leaves nothing half made.
  void initialise(const server_binaries& binaries, bool volatile_for_tests) const;
  /// Sees to it that `data` and the socket's folder are the server's alone, and removes the socket and its lock file,
  /// which a server that was killed leaves behind. Requires that no server works in `data`.
  void claim_folders() const;
  /// Gives the directory back; the next `held` says no.
  void release();
  bool held() const { return lock_.has_value(); }

private:
  server_directory(std::filesystem::path path, std::optional<unix_user> user, directory_lock lock);

  void claim_socket_folder() const;

  std::filesystem::path path_;
  std::optional<unix_user> user_;
  std::optional<directory_lock> lock_;
};

/// The URL of a database of the server in `directory` (absolute, without symbolic links).
std::string server_url(const std::filesystem::path& directory, const std::string& database);

} // namespace levain
