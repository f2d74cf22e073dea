#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <map>
#include <pqxx/pqxx>
#include <unistd.h>

#include "persistence/connection.hpp"
#include "persistence/journal.hpp"
#include "persistence/migrator.hpp"
#include "persistence/session.hpp"
#include "tests/support/database.hpp"
#include "tests/support/has.hpp"

using namespace levain;
using namespace levain::test;

namespace {

void execute(const std::string& url, const std::string& sql) {
  pqxx::connection connection(url);
  pqxx::nontransaction(connection).exec(sql);
}

std::string show(pqxx::connection& connection, const std::string& setting) {
  return pqxx::nontransaction(connection).exec1("show " + setting)[0].c_str();
}

/// What the engine's sessions depend on.
const std::map<std::string, std::string> pinned = {
  {"synchronous_commit", "on"},
  {"default_transaction_isolation", "read committed"},
  {"default_transaction_read_only", "off"},
  {"default_transaction_deferrable", "off"},
  {"client_encoding", "UTF8"},
  {"TimeZone", "UTC"},
  {"DateStyle", "ISO, YMD"},
  {"IntervalStyle", "postgres"},
  {"extra_float_digits", "1"},
  {"bytea_output", "hex"},
  {"array_nulls", "on"},
  {"standard_conforming_strings", "on"},
  {"transform_null_equals", "off"},
  {"row_security", "on"},
  {"idle_session_timeout", "0"},
  {"exit_on_error", "off"},
  {"check_function_bodies", "on"},
  {"client_min_messages", "warning"},
  {"statement_timeout", "30s"},
  {"lock_timeout", "0"},
  {"idle_in_transaction_session_timeout", "30s"},
};

connection_options options_for(const std::string& url) {
  connection_options options;
  options.url = url;
  return options;
}

/// Sets every default of the database otherwise than the engine needs it.
void make_strict(const fresh_database& database) {
  for (const auto& [name, value] : std::map<std::string, std::string>{
         {"synchronous_commit", "off"},
         {"default_transaction_isolation", "serializable"},
         {"default_transaction_read_only", "on"},
         {"default_transaction_deferrable", "on"},
         {"client_encoding", "LATIN1"},
         {"TimeZone", "Asia/Kolkata"},
         {"DateStyle", "German"},
         {"IntervalStyle", "iso_8601"},
         {"extra_float_digits", "-15"},
         {"bytea_output", "escape"},
         {"array_nulls", "off"},
         {"standard_conforming_strings", "off"},
         {"transform_null_equals", "on"},
         {"row_security", "off"},
         {"idle_session_timeout", "1s"},
         {"exit_on_error", "on"},
         {"check_function_bodies", "off"},
         {"client_min_messages", "debug1"},
         {"statement_timeout", "10min"},
         {"lock_timeout", "10min"},
         {"idle_in_transaction_session_timeout", "10min"}}) {
    pqxx::connection connection(database.url());
    pqxx::nontransaction change(connection);
    change.exec("set default_transaction_read_only = off");
    change.exec("alter database " + change.quote_name(connection.dbname()) + " set " + name + " = '" + value + "'");
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(connection_dbtest)

BOOST_AUTO_TEST_CASE(a_session_sets_what_it_depends_on_whatever_the_defaults_are) {
  const fresh_database database(fresh_database::contents::nothing);
  make_strict(database);
  const auto connection = open_connection(options_for(database.url()));
  for (const auto& [name, value] : pinned)
    BOOST_TEST(show(*connection, name) == value, name);
}

BOOST_AUTO_TEST_CASE(what_a_session_depends_on_is_its_own_value_that_no_reload_changes) {
  const fresh_database database(fresh_database::contents::nothing);
  const auto connection = open_connection(options_for(database.url()));
  pqxx::nontransaction ask(*connection);
  std::map<std::string, std::string> sources;
  for (const auto& row : ask.exec("select name, source from pg_settings"))
    sources[row[0].c_str()] = row[1].c_str();
  for (const auto& [name, value] : pinned)
    BOOST_TEST(sources[name] == "session", name << " comes from " << sources[name]);
  BOOST_TEST(sources["search_path"] == "session");
}

BOOST_AUTO_TEST_CASE(a_stronger_synchronous_commit_is_kept_and_weaker_ones_are_not) {
  const fresh_database database(fresh_database::contents::nothing);
  for (const auto& [given, kept] : std::map<std::string, std::string>{
         {"remote_apply", "remote_apply"}, {"on", "on"}, {"remote_write", "on"}, {"local", "on"}, {"off", "on"}}) {
    execute(
      database.url(), "do $$ begin execute format('alter database %I set synchronous_commit = " + given +
                        "', current_database()); end $$");
    BOOST_TEST(show(*open_connection(options_for(database.url())), "synchronous_commit") == kept, given);
  }
}

BOOST_AUTO_TEST_CASE(the_schema_that_was_chosen_stays_the_sessions) {
  const fresh_database database(fresh_database::contents::nothing);
  execute(
    database.url(), "create schema bakery; do $$ begin execute format('alter database %I set search_path = bakery', "
                    "current_database()); end $$");
  BOOST_TEST(show(*open_connection(options_for(database.url())), "search_path") == "bakery");
}

BOOST_AUTO_TEST_CASE(a_database_that_is_not_utf8_is_refused_by_its_encoding) {
  const fresh_database database(fresh_database::contents::nothing);
  for (const std::string encoding : {"LATIN1", "SQL_ASCII", "EUC_JP"}) {
    const std::string name = "encoding_" + encoding + "_" + std::to_string(getpid());
    execute(
      database.url(),
      "create database \"" + name + "\" template template0 encoding '" + encoding + "' lc_collate 'C' lc_ctype 'C'");
    auto url = database.url();
    const auto slash = url.find('/', url.find("://") + 3);
    url.replace(slash + 1, url.find('?') - slash - 1, name);
    BOOST_CHECK_EXCEPTION(migrate_up(url), migration_error, [&](const migration_error& error) {
      return has(error.what(), "the encoding " + encoding) && has(error.what(), "UTF8");
    });
    execute(database.url(), "drop database \"" + name + "\" with (force)");
  }
}

BOOST_AUTO_TEST_CASE(a_session_that_only_reads_is_replaced_by_one_that_writes) {
  const fresh_database database(fresh_database::contents::nothing);
  execute(database.url(), "create table bread (kind text)");
  session writer(options_for(database.url()), {});
  // As a standby's session is, or one from before the server was told to take writes again.
  pqxx::nontransaction(writer.open()).exec("set default_transaction_read_only = on");
  const auto bake = [&] {
    writer.ask([](pqxx::work& transaction) { transaction.exec("insert into bread values ('rye')"); });
  };
  BOOST_CHECK_THROW(bake(), journal_unavailable);
  BOOST_CHECK_NO_THROW(bake());
}

BOOST_AUTO_TEST_CASE(a_failed_connection_names_the_variables_that_had_a_say) {
  setenv("PGREQUIREPEER", "nobody-at-all", 1);
  BOOST_CHECK_EXCEPTION(
    open_connection(options_for("postgresql:///x?host=/nowhere/at/all")), pqxx::broken_connection,
    [](const pqxx::broken_connection& error) { return has(error.what(), "PGREQUIREPEER"); });
  unsetenv("PGREQUIREPEER");
}

BOOST_AUTO_TEST_CASE(variables_for_another_database_have_no_say_in_a_private_one) {
  const fresh_database database(fresh_database::contents::nothing);
  const std::map<std::string, std::string> variables = {
    {"PGHOSTADDR", "127.0.0.1"},     {"PGOPTIONS", "-c no_such=1"}, {"PGTARGETSESSIONATTRS", "standby"},
    {"PGCHANNELBINDING", "require"}, {"PGSSLMODE", "verify-full"},  {"PGREQUIREPEER", "nobody-at-all"},
    {"PGGSSENCMODE", "require"},     {"PGCONNECT_TIMEOUT", "x"},    {"PGCLIENTENCODING", "LATIN1"}};
  for (const auto& [name, value] : variables) {
    setenv(name.c_str(), value.c_str(), 1);
    BOOST_CHECK_NO_THROW(open_connection(options_for(database.url())));
    unsetenv(name.c_str());
  }
}

BOOST_AUTO_TEST_CASE(a_session_that_ran_out_of_memory_asks_again_over_a_new_connection) {
  const fresh_database database;
  session asking(options_for(database.url()), {});
  const auto backend = [&] {
    return asking.ask(
      [](pqxx::work& transaction) { return transaction.exec1("select pg_backend_pid()")[0].as<int>(); });
  };
  const int before = backend();
  const auto says_memory = [](const journal_unavailable& failure) { return has(failure.what(), "too little memory"); };
  BOOST_CHECK_EXCEPTION(asking.ask([](pqxx::work&) { throw std::bad_alloc(); }), journal_unavailable, says_memory);
  BOOST_CHECK_EXCEPTION(asking.put([](pqxx::work&) { throw std::bad_alloc(); }), journal_unavailable, says_memory);
  BOOST_TEST(backend() != before);
}

BOOST_AUTO_TEST_SUITE_END()
