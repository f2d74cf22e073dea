#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <pqxx/pqxx>

#include "persistence/connection.hpp"
#include "persistence/connection_string.hpp"

using namespace levain;

namespace {

/// A variable of the environment for the length of a test.
class set_variable {
public:
  set_variable(const char* name, const char* value)
    : name_(name) {
    setenv(name, value, 1);
  }
  ~set_variable() { unsetenv(name_); }
  set_variable(const set_variable&) = delete;
  set_variable& operator=(const set_variable&) = delete;

private:
  const char* name_;
};

connection_string connected_with(const std::string& url) {
  connection_options options;
  options.url = url;
  return connection_string(with_connect_settings(options));
}

bool names(const std::vector<std::string>& variables, const std::string& one) {
  return std::find(variables.begin(), variables.end(), one) != variables.end();
}

} // namespace

BOOST_AUTO_TEST_SUITE(connection_string_test)

BOOST_AUTO_TEST_CASE(urls_and_keyword_strings_are_read_alike) {
  for (const char* text :
       {"postgresql://anna@baker:5433/bread?connect_timeout=7",
        "host=baker port=5433 user=anna dbname=bread connect_timeout=7"}) {
    const connection_string read(text);
    BOOST_TEST(read.value("host") == "baker");
    BOOST_TEST(read.value("port") == "5433");
    BOOST_TEST(read.value("dbname") == "bread");
    BOOST_TEST(read.value("connect_timeout") == "7");
  }
  BOOST_CHECK_THROW(connection_string("postgresql://host/x?nonsense=1"), pqxx::broken_connection);
}

BOOST_AUTO_TEST_CASE(odd_values_come_back_as_they_were) {
  connection_string text("host=here");
  text.set_default("password", R"(it's \ "odd" = ok)");
  BOOST_TEST(connection_string(text.text()).value("password") == R"(it's \ "odd" = ok)");
}

BOOST_AUTO_TEST_CASE(what_a_url_says_is_not_replaced) {
  const auto given = connected_with("postgresql:///bread?connect_timeout=7&tcp_user_timeout=1");
  BOOST_TEST(given.value("connect_timeout") == "7");
  BOOST_TEST(given.value("tcp_user_timeout") == "1");
  BOOST_TEST(given.value("keepalives_idle") == "10");
}

BOOST_AUTO_TEST_CASE(of_several_servers_one_that_takes_writes_is_connected_to) {
  BOOST_TEST(connected_with("postgresql://one,two/bread").value("target_session_attrs") == "primary");
  BOOST_TEST(
    connected_with("postgresql://one,two/bread?target_session_attrs=any").value("target_session_attrs") == "any");
  BOOST_TEST(!connected_with("postgresql://one/bread").has("target_session_attrs"));
}

BOOST_AUTO_TEST_CASE(a_program_that_writes_wants_a_primary_unless_its_url_says_otherwise) {
  BOOST_TEST(connection_string(with_primary("postgresql://one/bread")).value("target_session_attrs") == "primary");
  const auto given = with_primary("postgresql://one/bread?target_session_attrs=standby");
  BOOST_TEST(connection_string(given).value("target_session_attrs") == "standby");
  BOOST_TEST(with_primary("postgresql://host/x?nonsense=1") == "postgresql://host/x?nonsense=1");
}

BOOST_AUTO_TEST_CASE(a_host_that_is_named_is_not_replaced_by_an_address_of_the_environment) {
  const auto named = connected_with("postgresql://baker/bread");
  BOOST_TEST(named.has("hostaddr"));
  BOOST_TEST(named.value("hostaddr").empty());
  BOOST_TEST(connected_with("host=baker hostaddr=127.0.0.1").value("hostaddr") == "127.0.0.1");
  BOOST_TEST(!connected_with("postgresql:///bread").has("hostaddr"));
  BOOST_TEST(!connected_with("host=baker service=prod").has("hostaddr"));
}

BOOST_AUTO_TEST_CASE(variables_that_have_a_say_are_named) {
  const set_variable options("PGOPTIONS", "-c no_such=1");
  const set_variable host("PGHOST", "elsewhere");
  const set_variable zone("PGTZ", "Nowhere");
  const auto steering = steering_variables(connection_string("postgresql://baker/bread"));
  BOOST_TEST(names(steering, "PGOPTIONS"));
  BOOST_TEST(names(steering, "PGTZ"));
  BOOST_TEST(!names(steering, "PGHOST")); // The URL says it.
  BOOST_TEST(names(steering_variables(connection_string("postgresql:///bread")), "PGHOST"));
  BOOST_TEST(
    steering_note(connection_string("postgresql:///bread")).find("PGHOST, PGOPTIONS, PGTZ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(no_variable_of_libpq_is_left_when_they_are_forgotten) {
  const char* const all[] = {
    "PGOPTIONS",
    "PGSERVICE",
    "PGHOSTADDR",
    "PGTARGETSESSIONATTRS",
    "PGCHANNELBINDING",
    "PGSSLMODE",
    "PGREQUIREPEER",
    "PGGSSENCMODE",
    "PGCONNECT_TIMEOUT",
    "PGSERVICEFILE",
    "PGSYSCONFDIR",
    "PGDATESTYLE",
    "PGTZ",
    "PGGEQO",
    "PGCLIENTENCODING",
    "PGAPPNAME",
    "PGPASSFILE",
    "PGUSER",
    "PGDATABASE",
    "PGPORT"};
  for (const char* name : all)
    setenv(name, "x", 1);
  forget_libpq_environment();
  for (const char* name : all)
    BOOST_TEST(std::getenv(name) == nullptr, name);
}

BOOST_AUTO_TEST_SUITE_END()
