#pragma once

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

namespace levain {

/// What a failure of the database means for the next move.
enum class failure_kind : uint8_t {
  /// It may have been done or not: read before doing anything else.
  in_doubt,
  /// Nothing was done and the rows are not to blame: try again later.
  transient,
  /// The rows themselves are at fault: trying again is no use.
  bad_rows,
  /// The statement does not fit the database's schema. The rows are not to blame, so it is tried again, but loudly: a
  /// person
  /// has to migrate the database or grant a right.
  schema,
};

/// A value that the database holds is none that this program can read. what() names the column and the value.
class unreadable_column : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// A failure of the database, told apart.
struct sql_failure {
  failure_kind kind = failure_kind::transient;
  /// One line in the database's words.
  std::string reason;
  /// Five characters; empty when the server told none.
  std::string sqlstate;
  /// True when another connection is needed.
  bool connection_lost = false;
};

/// Somebody else held a lock for longer than the session's lock timeout.
inline constexpr std::string_view lock_not_available = "55P03";

/// What a five-character SQLSTATE means outside of a commit. A state of no class that PostgreSQL itself uses was raised
/// by a trigger or a function about the rows.
failure_kind kind_of_sqlstate(std::string_view sqlstate);

/// Tells what was thrown by pqxx before the commit was sent, or by a reader of values, or that there is too little
/// memory
/// (`std::bad_alloc`; the connection may hold half an answer then). Faults of the program are rethrown.
sql_failure classify_failure(const std::exception_ptr& thrown);

/// Tells what was thrown by the commit itself: in doubt unless the server says in so many words that it rolled back.
sql_failure classify_commit_failure(const std::exception_ptr& thrown);

/// Reasons are one line (`plain_line`) of at most this.
inline constexpr size_t reason_bytes_max = 1000;

} // namespace levain
