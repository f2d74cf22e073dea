#include "persistence/connection.hpp"

#include "persistence/answer_deadline.hpp"
#include "persistence/connection_string.hpp"
#include "persistence/pooler_check.hpp"
#include "persistence/session_settings.hpp"

namespace levain {

namespace {

connection_string with_defaults(const connection_options& options) {
  connection_string connection(options.url);
  connection.set_default("connect_timeout", std::to_string(options.connect_timeout.count()));
  connection.set_default("keepalives_idle", std::to_string(options.keepalives_idle.count()));
  connection.set_default("keepalives_interval", std::to_string(options.keepalives_interval.count()));
  connection.set_default("keepalives_count", std::to_string(options.keepalives_count));
  connection.set_default("tcp_user_timeout", std::to_string(options.tcp_user_timeout.count()));
  if (connection.has("host") && !connection.has("service"))
    connection.set_default("hostaddr", "");
  if (connection.has_several_hosts())
    connection.set_default("target_session_attrs", "primary");
  return connection;
}

std::unique_ptr<pqxx::connection> connect(const connection_string& target) {
  try {
    return std::make_unique<pqxx::connection>(target.text());
  } catch (const pqxx::broken_connection& failed) {
    throw pqxx::broken_connection(failed.what() + steering_note(target));
  }
}

constexpr const char* look_at_session = "select pg_backend_pid(), current_setting('server_encoding')";

/// Before anything is set: a pooled session that is not kept is left as it was.
void expect_suitable(pqxx::connection& connection, const std::string& connection_text) {
  int process = 0;
  std::string encoding;
  {
    pqxx::nontransaction session(connection, "look");
    const auto row = session.exec1(look_at_session);
    process = row[0].as<int>();
    encoding = row[1].c_str();
  }
  if (encoding != "UTF8")
    throw unsuitable_database(
      "the database '" + std::string(connection.dbname()) + "' has the encoding " + encoding +
      ", which cannot hold every text that Levain is given: use one with the encoding UTF8 (createdb -T template0 -E "
      "UTF8 NAME)");
  refuse_pooled_transactions(connection, process, connection_text);
}

} // namespace

std::string with_connect_settings(const connection_options& options) {
  return with_defaults(options).text();
}

std::chrono::milliseconds answer_timeout(const connection_options& options) {
  return options.statement_timeout.count() == 0 ? options.statement_timeout
                                                : options.statement_timeout + options.answer_margin;
}

std::unique_ptr<pqxx::connection> open_connection(const connection_options& options) {
  const auto target = with_defaults(options);
  auto connection = connect(target);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  // A session that came back silently would have lost its settings and its transaction.
  connection->inhibit_reactivation(true);
#pragma GCC diagnostic pop
  answer_deadline deadline;
  const answer_time waiting(deadline, connection->sock(), answer_timeout(options));
  expect_suitable(*connection, target.text());
  const auto settings = session_settings_of(options);
  pqxx::nontransaction session(*connection, "set_up");
  session.exec_params(pin_settings_statement, settings.names, settings.values);
  return connection;
}

} // namespace levain
