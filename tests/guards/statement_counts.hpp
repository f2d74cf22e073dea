#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace levain::test {

/// What a server did for one kind of statement.
struct statement_count {
  /// On one line, with its constants taken out.
  std::string text;
  int64_t calls = 0;
  int64_t rows = 0;
};

/// Has the server of `url` load `pg_stat_statements` from its next start on, and do nothing by itself that would be
/// counted as well (autovacuum). Needs a superuser.
void prepare_statement_counts(const std::string& url);

/// Counts what a server does in one database from `begin` on. The server was prepared and started anew.
class statement_counts {
public:
  explicit statement_counts(std::string url);

  /// Writes a checkpoint, and forgets what was counted.
  void begin();
  /// Every kind of statement since then but our own, the most frequent first.
  std::vector<statement_count> statements() const;
  /// Bytes of the write-ahead log since then, of the whole server.
  int64_t wal_bytes() const;

private:
  std::string url_;
  std::string wal_begin_;
};

} // namespace levain::test
