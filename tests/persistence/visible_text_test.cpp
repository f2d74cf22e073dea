#include "persistence/visible_text.hpp"

#include <boost/test/unit_test.hpp>

#include "persistence/log_quoted.hpp"

using namespace levain;

BOOST_AUTO_TEST_SUITE(visible_text_test)

BOOST_AUTO_TEST_CASE(characters_are_read_with_their_code_points) {
  BOOST_TEST(first_character("ab").code_point.value() == uint32_t('a'));
  BOOST_TEST(first_character("\xC3\xA9x").code_point.value() == 0xE9u);
  BOOST_TEST(first_character("\xE2\x80\xAE").code_point.value() == 0x202Eu);
  BOOST_TEST(first_character("\xF0\x9F\x8D\x9E").code_point.value() == 0x1F35Eu);
  BOOST_TEST(!first_character("\xFF").code_point.has_value());
  BOOST_TEST(first_character("\xC3").bytes.size() == 1u);
}

BOOST_AUTO_TEST_CASE(controls_separators_and_marks_of_direction_are_hidden) {
  for (const uint32_t each :
       {0x00u, 0x1Bu, 0x7Fu, 0x85u, 0x9Bu, 0x2028u, 0x2029u, 0x061Cu, 0x200Eu, 0x200Fu, 0x202Au, 0x202Eu, 0x2066u,
        0x2069u})
    BOOST_TEST(is_hidden(each), each);
  for (const uint32_t each : {0x20u, 0x7Eu, 0xA0u, 0xE9u, 0x200Du, 0x2027u, 0x202Fu, 0x2065u, 0x206Au, 0x1F35Eu})
    BOOST_TEST(!is_hidden(each), each);
}

BOOST_AUTO_TEST_CASE(an_escape_is_that_of_json) {
  BOOST_TEST(json_escape(0x202E) == "\\u202e");
  BOOST_TEST(json_escape(0x1F35E) == "\\ud83c\\udf5e");
}

BOOST_AUTO_TEST_CASE(a_log_value_is_one_value_on_one_line) {
  BOOST_TEST(log_quoted("plain, caf\xC3\xA9") == "\"plain, caf\xC3\xA9\"");
  BOOST_TEST(log_quoted("a\"b\\c") == R"("a\"b\\c")");
  BOOST_TEST(log_quoted("a\nlevel=error b") == R"("a\nlevel=error b")");
  BOOST_TEST(log_quoted("\r\x1B[31m\x7F") == R"("\u000d\u001b[31m\u007f")");
  BOOST_TEST(log_quoted("\xE2\x80\xAE\xC2\x9B") == R"("\u202e\u009b")");
  BOOST_TEST(log_quoted("\xFF") == R"("\ufffd")");
  BOOST_TEST(log_quoted(std::string(5000, 'x')) == "\"" + std::string(log_value_bytes_max, 'x') + "...\"");
}

BOOST_AUTO_TEST_SUITE_END()
