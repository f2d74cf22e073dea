// JSON numbers, digit by digit.
#include <boost/test/unit_test.hpp>

#include <random>

#include "persistence/exact_json.hpp"
#include "tests/support/seed.hpp"

using namespace levain;

namespace {

std::string through(std::string_view text) {
  return write_exact_json(read_exact_json(text));
}

} // namespace

BOOST_AUTO_TEST_SUITE(exact_json_test)

BOOST_AUTO_TEST_CASE(equal_numbers_have_one_form) {
  for (const char* text : {"100", "100.0", "1e2", "1E+2", "10.0e1", "1000e-1", "0.001e5"})
    BOOST_TEST(through(text) == "100", text);
  for (const char* text : {"0", "-0", "0.0", "-0.00", "0e5", "0.0e-7"})
    BOOST_TEST(through(text) == "0", text);
  for (const char* text : {"-12.3", "-12.30", "-1.23e1", "-123e-1"})
    BOOST_TEST(through(text) == "-12.3", text);
}

BOOST_AUTO_TEST_CASE(a_number_of_any_length_keeps_its_digits) {
  std::mt19937_64 random(test::announced_seed());
  for (int i = 0; i < 2000; ++i) {
    std::string digits(1, static_cast<char>('1' + random() % 9));
    const auto length = random() % 60;
    for (size_t k = 0; k < length; ++k)
      digits += static_cast<char>('0' + random() % 10);
    digits += static_cast<char>('1' + random() % 9);
    const auto point = 1 + random() % (digits.size() - 1);
    const auto text = digits.substr(0, point) + '.' + digits.substr(point);
    const auto written = through(text);
    BOOST_TEST(through(written) == written);
    std::string kept;
    for (const char c : written.substr(0, written.find('e')))
      if (c != '.')
        kept += c;
    BOOST_TEST(kept == digits, text);
  }
}

BOOST_AUTO_TEST_CASE(doubles_are_written_as_short_as_they_can_be) {
  std::mt19937_64 random(test::announced_seed());
  for (int i = 0; i < 2000; ++i) {
    const auto value = std::ldexp(static_cast<double>(random()), static_cast<int>(random() % 200) - 130);
    const auto text = write_exact_json(nlohmann::json(value));
    BOOST_TEST(std::strtod(text.c_str(), nullptr) == value);
    // What it is written as is read as a number of the library again.
    BOOST_TEST(read_exact_json(text).is_number(), text);
  }
}

BOOST_AUTO_TEST_CASE(lines_are_laid_out_as_the_library_does) {
  const auto* const text = R"({"a":[1,"x",[],{}],"b":{"c":true,"d":[[2]]},"e":[]})";
  const auto plain = nlohmann::json::parse(text);
  for (const int indent : {-1, 0, 2, 3}) {
    BOOST_TEST(write_exact_json(plain, indent) == plain.dump(indent));
    // One number of our own form and the value is no more written by the library.
    auto own = plain;
    own["f"] = read_exact_json("123456789012345678901");
    auto same = plain;
    same["f"] = "123456789012345678901";
    auto expected = same.dump(indent);
    std::erase(expected, '"');
    auto written = write_exact_json(own, indent);
    std::erase(written, '"');
    BOOST_TEST(written == expected);
  }
}

BOOST_AUTO_TEST_CASE(texts_and_members_stay_as_they_are) {
  const auto text = R"({"a":[1,"é \n \"",null,true,{}],"b":{"c":1.5}})";
  BOOST_TEST(through(text) == text);
  BOOST_TEST(write_exact_json(read_exact_json<nlohmann::ordered_json>(R"({"b":1,"a":2.50})")) == R"({"b":1,"a":2.5})");
  BOOST_TEST(read_exact_json("{").is_discarded());
  BOOST_TEST(read_exact_json("1e400").is_discarded());
}

BOOST_AUTO_TEST_SUITE_END()
