#include <boost/test/unit_test.hpp>

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

BOOST_AUTO_TEST_CASE(a_reason_is_one_line_cut_between_characters) {
  BOOST_TEST(one_line("ERROR:  no\nDETAIL:\tbecause\n\n") == "ERROR:  no DETAIL: because");
  const std::string cut =
    one_line("x" + std::string(reason_bytes_max, 'y').replace(reason_bytes_max - 2, 2, "\xc3\xa4"));
  BOOST_TEST(cut.size() == reason_bytes_max - 1);
  BOOST_TEST(cut.back() == 'y');
}

BOOST_AUTO_TEST_SUITE_END()
