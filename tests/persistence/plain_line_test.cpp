#include "persistence/plain_line.hpp"

#include <boost/test/unit_test.hpp>

using namespace levain;

BOOST_AUTO_TEST_SUITE(plain_line_test)

BOOST_AUTO_TEST_CASE(controls_in_a_row_become_one_blank) {
  BOOST_TEST(plain_line("a\r\nb\tc\x7F!", 100) == "a b c !");
  BOOST_TEST(plain_line("ERROR:  no\nDETAIL:\tbecause\n\n", 100) == "ERROR:  no DETAIL: because");
  BOOST_TEST(plain_line(std::string_view("a\0b", 3), 100) == "a b");
}

BOOST_AUTO_TEST_CASE(what_is_no_utf_8_is_replaced_byte_by_byte) {
  BOOST_TEST(plain_line("bad \xFF end", 100) == "bad \xEF\xBF\xBD end");
  BOOST_TEST(plain_line("\xED\xA0\x80", 100) == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"); // half a surrogate pair
  BOOST_TEST(plain_line("\xC3", 100) == "\xEF\xBF\xBD");
  BOOST_TEST(plain_line("\xF0\x9F\xA5\x96", 100) == "\xF0\x9F\xA5\x96");
}

BOOST_AUTO_TEST_CASE(a_line_is_cut_between_characters) {
  BOOST_TEST(plain_line(std::string(50, 'x'), 10) == std::string(10, 'x'));
  BOOST_TEST(plain_line("sch\xC3\xB6n", 4) == "sch");
  BOOST_TEST(plain_line("sch\xC3\xB6n", 5) == "sch\xC3\xB6");
  BOOST_TEST(plain_line("\xFF\xFF", 5) == "\xEF\xBF\xBD");
}

BOOST_AUTO_TEST_CASE(no_blanks_are_left_around_a_line) {
  BOOST_TEST(plain_line(" \t\n ", 100) == "");
  BOOST_TEST(plain_line(" \n a \r\n", 100) == "a");
  BOOST_TEST(plain_line("ab cd", 3) == "ab");
}

BOOST_AUTO_TEST_SUITE_END()
