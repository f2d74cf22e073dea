#include "persistence/sql_errors.hpp"

#include <pqxx/pqxx>

#include "persistence/plain_line.hpp"

namespace levain {

namespace {

bool begins_with(std::string_view text, std::string_view beginning) {
  return text.substr(0, beginning.size()) == beginning;
}

/// True for the states after which the server has closed the session, or might as well have.
bool ends_session(std::string_view sqlstate) {
  return begins_with(sqlstate, "08") || begins_with(sqlstate, "57P") || begins_with(sqlstate, "58") ||
         begins_with(sqlstate, "XX") || sqlstate == "25P03" || sqlstate == "26000";
}

} // namespace

failure_kind kind_of_sqlstate(std::string_view sqlstate) {
  if (sqlstate == "40003")
    return failure_kind::in_doubt;
  // Data exception, integrity constraint, program limit, and what a trigger raises about a row.
  for (const std::string_view beginning : {"22", "23", "44", "54", "P0"})
    if (begins_with(sqlstate, beginning))
      return failure_kind::bad_rows;
  // Datatype mismatch and cannot coerce: what a value of the wrong kind gives.
  if (sqlstate == "42804" || sqlstate == "42846")
    return failure_kind::bad_rows;
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
  } catch (const pqxx::sql_error& e) {
    return {
      kind_of_sqlstate(e.sqlstate()), plain_line(e.what(), reason_bytes_max), e.sqlstate(), ends_session(e.sqlstate())};
  } catch (const pqxx::failure& e) {
    return {failure_kind::transient, plain_line(e.what(), reason_bytes_max), "", true};
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
