#include "persistence/utf8.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace levain;

BOOST_AUTO_TEST_SUITE(utf8_test)

BOOST_AUTO_TEST_CASE(well_formed_sequences_have_their_length) {
  BOOST_TEST(utf8_length("a") == 1u);
  BOOST_TEST(utf8_length("\xC3\xBC") == 2u);
  BOOST_TEST(utf8_length("\xE2\x82\xAC") == 3u);
  BOOST_TEST(utf8_length("\xF0\x9F\xA5\x90") == 4u);
  BOOST_TEST(utf8_length("\xF4\x8F\xBF\xBF") == 4u);
}

BOOST_AUTO_TEST_CASE(overlong_forms_surrogates_and_what_is_beyond_unicode_are_refused) {
  for (const std::string bad :
       {"\xC0\xAF", "\xC1\x81", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF0\x80\x80\xAF", "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80", "\x80", "\xFF"})
    BOOST_TEST(utf8_length(bad) == 0u);
}

BOOST_AUTO_TEST_CASE(sequences_that_are_cut_are_refused) {
  for (const std::string cut : {"\xC3", "\xE2\x82", "\xF0\x9F\xA5"})
    BOOST_TEST(!is_utf8(cut));
}

BOOST_AUTO_TEST_CASE(a_text_is_judged_to_its_end) {
  BOOST_TEST(is_utf8(""));
  BOOST_TEST(is_utf8("Brioche \xC3\xA0 t\xC3\xAAte"));
  BOOST_TEST(!is_utf8("Brioche \xC3"));
}

BOOST_AUTO_TEST_SUITE_END()
