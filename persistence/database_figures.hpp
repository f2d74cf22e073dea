#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace levain {

/// What a server has done so far, to be read before a load and after it: the difference is what the load cost.
struct database_figures {
  /// Write-ahead log that the whole server has ever written.
  uint64_t wal_bytes = 0;
  /// Transactions of this database that committed, by the server's statistics. A session reports its own when it ends,
  /// else once in a second while it is busy and after 10 seconds when it is idle: until then they are missing.
  uint64_t commits = 0;
  /// Row versions of runs and events that nobody needs any more, by the same statistics.
  uint64_t dead_tuples = 0;
};

/// Reads them over a connection of its own. Throws `journal_unavailable` (see journal.hpp), also when a part of them is
/// kept from this user. Any thread.
database_figures read_database_figures(const std::string& url);

/// The server's version and the settings of it that decide how fast it is, by name, as `show` prints them. Throws
/// `journal_unavailable`. Any thread.
std::map<std::string, std::string> read_server_settings(const std::string& url);

/// The process id of the server (its postmaster, whose children are all its other processes) when it runs on this
/// machine and can be seen from here: it is the parent of the process that serves a connection of ours over a unix
/// socket or loopback. Absent for all others, for a server in a container for one. Throws `journal_unavailable`.
std::optional<int> find_postmaster(const std::string& url);

} // namespace levain
