#include "persistence/sql_errors.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <pqxx/pqxx>

#include "persistence/plain_line.hpp"

namespace levain {

namespace {

bool begins_with(std::string_view text, std::string_view beginning) {
  return text.substr(0, beginning.size()) == beginning;
}

/// Classes that the standard leaves to implementations and that PostgreSQL does not use, and those that it keeps for
/// what functions and triggers raise.
bool is_raised_by_users(std::string_view sqlstate) {
  constexpr std::array own_classes = {"53", "54", "55", "57", "58", "72", "F0", "HV", "P0", "XX"};
  constexpr std::array routine_classes = {"09", "20", "21", "27", "2F", "38", "39"};
  if (sqlstate.size() != 5)
    return false;
  const auto is_class = [&](const char* each) { return begins_with(sqlstate, each); };
  if (std::ranges::any_of(routine_classes, is_class))
    return true;
  const bool free = (sqlstate[0] >= '5' && sqlstate[0] <= '9') || (sqlstate[0] >= 'I' && sqlstate[0] <= 'Z');
  return free && std::ranges::none_of(own_classes, is_class);
}

/// True for the states after which the server has closed the session, or might as well have. A session that only reads
/// (25006) stays so: it is with a standby, or with a server that was told to take no writes when it began. One whose
/// prepared statements are missing (26000) or there already (42P05) is another one than it was.
bool ends_session(std::string_view sqlstate) {
  return begins_with(sqlstate, "08") || begins_with(sqlstate, "57P") || begins_with(sqlstate, "58") ||
         begins_with(sqlstate, "XX") || sqlstate == "25006" || sqlstate == "25P03" || sqlstate == "25P04" ||
         sqlstate == "26000" || sqlstate == "42P05";
}

} // namespace

failure_kind kind_of_sqlstate(std::string_view sqlstate) {
  if (sqlstate == "40003")
    return failure_kind::in_doubt;
  // Data exception, integrity constraint, program limit, and what a trigger raises about a row.
  for (const std::string_view beginning : {"22", "23", "44", "54", "P0"})
    if (begins_with(sqlstate, beginning))
      return failure_kind::bad_rows;
  if (is_raised_by_users(sqlstate))
    return failure_kind::bad_rows;
  // Datatype mismatch and cannot coerce: what a value of the wrong kind gives.
  if (sqlstate == "42804" || sqlstate == "42846")
    return failure_kind::bad_rows;
  if (sqlstate == "42P05")
    return failure_kind::transient;
  for (const std::string_view beginning : {"42", "3D", "3F", "0A", "28"})
    if (begins_with(sqlstate, beginning))
      return failure_kind::schema;
  return failure_kind::transient;
}

sql_failure classify_failure(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const pqxx::in_doubt_error& e) {
    return {failure_kind::in_doubt, plain_line(e.what(), reason_bytes_max), "", true};
  } catch (const pqxx::broken_connection& e) {
    return {failure_kind::transient, plain_line(e.what(), reason_bytes_max), "", true};
  } catch (const pqxx::statement_completion_unknown& e) {
    // Derives from transaction_rollback, of which it says the opposite.
    return {failure_kind::in_doubt, plain_line(e.what(), reason_bytes_max), "40003", true};
  } catch (const pqxx::transaction_rollback& e) {
    return {failure_kind::transient, plain_line(e.what(), reason_bytes_max), "40001", false};
  } catch (const pqxx::insufficient_privilege& e) {
    // libpqxx 6 leaves its state out.
    return {failure_kind::schema, plain_line(e.what(), reason_bytes_max), "42501", false};
  } catch (const pqxx::sql_error& e) {
    return {
      kind_of_sqlstate(e.sqlstate()), plain_line(e.what(), reason_bytes_max), e.sqlstate(), ends_session(e.sqlstate())};
  } catch (const pqxx::failure& e) {
    return {failure_kind::transient, plain_line(e.what(), reason_bytes_max), "", true};
  } catch (const pqxx::conversion_error& e) {
    return {failure_kind::transient, plain_line("a value cannot be read: " + std::string(e.what()), reason_bytes_max)};
  } catch (const unreadable_column& e) {
    return {failure_kind::transient, plain_line("a value cannot be read: " + std::string(e.what()), reason_bytes_max)};
  } catch (const std::bad_alloc&) {
    return {failure_kind::transient, "there is too little memory for what the database is asked", "", true};
  }
}

sql_failure classify_commit_failure(const std::exception_ptr& thrown) {
  sql_failure failure = classify_failure(thrown);
  // A state that tells of a rollback: a deferred constraint or trigger, a serialization failure, a full disk. The loss
  // of the session may come after the commit record as well as before it, and then nobody can say.
  const bool rolled_back = !failure.connection_lost && !failure.sqlstate.empty() &&
                           (begins_with(failure.sqlstate, "22") || begins_with(failure.sqlstate, "23") ||
                            begins_with(failure.sqlstate, "40") || begins_with(failure.sqlstate, "42") ||
                            begins_with(failure.sqlstate, "53") || begins_with(failure.sqlstate, "P0"));
  if (!rolled_back) {
    failure.kind = failure_kind::in_doubt;
    failure.connection_lost = true;
  }
  return failure;
}

} // namespace levain
