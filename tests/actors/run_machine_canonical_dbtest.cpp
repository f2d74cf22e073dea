// JSON texts come back from a jsonb column as the state holds them.
#include <boost/test/unit_test.hpp>

#include <pqxx/pqxx>

#include "actors/run_machine/output.hpp"
#include "tests/support/database.hpp"

namespace levain::test {

BOOST_AUTO_TEST_SUITE(run_machine_canonical_dbtest)

BOOST_AUTO_TEST_CASE(canonical_texts_survive_the_database) {
  fresh_database database(fresh_database::contents::nothing);
  pqxx::connection connection(database.url());
  pqxx::work work(connection);
  for (std::string text :
       {"1",
        "-0",
        "-0.0",
        "1.0",
        "2.50",
        "1e3",
        "1e15",
        "1e16",
        "123456789012345678",
        "1.2345678901234567e17",
        "18446744073709551615",
        "18446744073709551616",
        "9.9e19",
        "1e20",
        "1e25",
        "-3.5e300",
        "1e-7",
        "5e-324",
        "12.30",
        "1e2",
        "0.1234567890123456789",
        "123456789012345678901",
        "-9223372036854775809",
        "1.234567890123456789e-300",
        "1.234567890123456789e300",
        "1234567890123456.7",
        "0.1",
        "1.7976931348623157e308",
        R"({"bb":1,"a":{"d":[],"c":null},"ü":"\ud83e\udd56"})",
        R"("\\u0000 \" \/ \b\f\n\r\t \u001f \u007f \u2028")",
        R"({"\uffff":"\uffff \ufffe \u2028 \ud83d\ude00"})",
        R"([true,false,null,"",{}])"}) {
    BOOST_TEST_CONTEXT(text) {
      auto before = std::get<std::string>(canonical_json(text, "the text"));
      auto stored = work.exec_params1("select $1::jsonb::text", before)[0].as<std::string>();
      BOOST_TEST(std::get<std::string>(canonical_json(stored, "the text")) == before);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace levain::test
