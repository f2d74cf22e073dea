#include <boost/test/unit_test.hpp>

#include <pqxx/except>

#include "persistence/sql_errors.hpp"

using namespace levain;

BOOST_AUTO_TEST_SUITE(sql_errors_test)

BOOST_AUTO_TEST_CASE(states_that_blame_the_rows) {
  for (const char* state : {"22001", "22003", "22021", "22P02", "22P05", "23505", "23514", "42804", "54000", "P0001"})
    BOOST_TEST((kind_of_sqlstate(state) == failure_kind::bad_rows), state);
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
