#include <boost/test/unit_test.hpp>

#include <pqxx/except>

#include "persistence/sql_errors.hpp"

using namespace levain;

BOOST_AUTO_TEST_SUITE(sql_errors_test)

BOOST_AUTO_TEST_CASE(states_that_blame_the_rows) {
  for (const char* state : {"22001", "22003", "22021", "22P02", "22P05", "23505", "23514", "42804", "54000", "P0001"})
    BOOST_TEST((kind_of_sqlstate(state) == failure_kind::bad_rows), state);
}

BOOST_AUTO_TEST_CASE(states_that_only_a_trigger_or_a_function_raises_blame_the_rows) {
  for (const char* state : {"LV001", "ZZ999", "IX000", "7A000", "99999", "38000", "39004", "2F002", "21000"})
    BOOST_TEST((kind_of_sqlstate(state) == failure_kind::bad_rows), state);
  for (const char* state : {"HV000", "F0000", "72000", "XX001", "53400", "57P05", "58P01", "2D000"})
    BOOST_TEST((kind_of_sqlstate(state) == failure_kind::transient), state);
}

BOOST_AUTO_TEST_CASE(a_session_that_cannot_write_or_lost_its_statements_is_given_up) {
  for (const char* state : {"25006", "26000", "42P05", "57P01", "57P05", "08006", "25P03"}) {
    const auto failure = classify_failure(std::make_exception_ptr(pqxx::sql_error("ERROR", "INSERT", state)));
    BOOST_TEST((failure.kind == failure_kind::transient), state);
    BOOST_TEST(failure.connection_lost, state);
  }
}

BOOST_AUTO_TEST_CASE(a_value_that_cannot_be_read_is_no_fault_of_the_connection) {
  const auto failure = classify_failure(std::make_exception_ptr(unreadable_column("column at: 'infinity'")));
  BOOST_TEST((failure.kind == failure_kind::transient));
  BOOST_TEST(!failure.connection_lost);
  BOOST_TEST(failure.reason == "a value cannot be read: column at: 'infinity'");
}

BOOST_AUTO_TEST_CASE(a_fault_of_the_program_is_not_taken_for_the_database) {
  BOOST_CHECK_THROW(classify_failure(std::make_exception_ptr(std::out_of_range("at"))), std::out_of_range);
}

BOOST_AUTO_TEST_CASE(too_little_memory_passes_and_leaves_no_connection_half_read) {
  const auto failure = classify_failure(std::make_exception_ptr(std::bad_alloc()));
  BOOST_TEST((failure.kind == failure_kind::transient));
  BOOST_TEST(failure.connection_lost);
  BOOST_TEST(failure.reason == "there is too little memory for what the database is asked");
  BOOST_TEST((classify_commit_failure(std::make_exception_ptr(std::bad_alloc())).kind == failure_kind::in_doubt));
}

BOOST_AUTO_TEST_CASE(states_that_do_not_blame_the_rows) {
  for (const char* state :
       {"", "08006", "25006", "40001", "40P01", "53100", "53200", "53300", "55P03", "57014", "57P01", "58030", "XX000"})
    BOOST_TEST((kind_of_sqlstate(state) == failure_kind::transient), state);
}

BOOST_AUTO_TEST_CASE(a_schema_that_does_not_fit_is_told_apart) {
  for (const char* state : {"42P01", "42703", "42501", "3F000"})
    BOOST_TEST((kind_of_sqlstate(state) == failure_kind::schema), state);
}

BOOST_AUTO_TEST_CASE(an_unknown_completion_is_in_doubt) {
  BOOST_TEST((kind_of_sqlstate("40003") == failure_kind::in_doubt));
}

BOOST_AUTO_TEST_CASE(a_commit_is_in_doubt_unless_the_server_says_it_rolled_back) {
  const auto kind_of = [](const char* state) {
    return classify_commit_failure(std::make_exception_ptr(pqxx::sql_error("ERROR", "COMMIT", state))).kind;
  };
  for (const char* state : {"", "08006", "57014", "57P01", "58030", "XX000"})
    BOOST_TEST((kind_of(state) == failure_kind::in_doubt), state);
  BOOST_TEST((kind_of("23505") == failure_kind::bad_rows));
  BOOST_TEST((kind_of("53100") == failure_kind::transient));
  const auto lost = classify_commit_failure(std::make_exception_ptr(pqxx::broken_connection("gone")));
  BOOST_TEST((lost.kind == failure_kind::in_doubt));
  BOOST_TEST(lost.connection_lost);
}

BOOST_AUTO_TEST_CASE(an_unknown_completion_is_not_taken_for_the_rollback_it_derives_from) {
  const auto unknown = classify_failure(std::make_exception_ptr(pqxx::statement_completion_unknown("?")));
  BOOST_TEST((unknown.kind == failure_kind::in_doubt));
  const auto deadlock = classify_failure(std::make_exception_ptr(pqxx::deadlock_detected("deadlock")));
  BOOST_TEST((deadlock.kind == failure_kind::transient));
  BOOST_TEST(!deadlock.connection_lost);
}

BOOST_AUTO_TEST_CASE(a_reason_is_a_plain_line_of_limited_length) {
  // A server says what is wrong in an encoding of its own before it knows the client's.
  const auto reason_of = [](const std::string& what) {
    return classify_failure(std::make_exception_ptr(pqxx::broken_connection(what))).reason;
  };
  BOOST_TEST(
    reason_of("FATAL:  Anmeldung abgew\xfchrt\nDETAIL:\tzu") == "FATAL:  Anmeldung abgew\xEF\xBF\xBDhrt DETAIL: zu");
  BOOST_TEST(reason_of(std::string(reason_bytes_max + 1, 'y')).size() == reason_bytes_max);
}

BOOST_AUTO_TEST_SUITE_END()
