#include "persistence/connection.hpp"

#include <array>
#include <utility>

#include "persistence/answer_deadline.hpp"

namespace levain {

namespace {

bool is_uri(const std::string& url) {
  return url.rfind("postgresql://", 0) == 0 || url.rfind("postgres://", 0) == 0;
}

/// Sets what the whole session keeps, in one round trip.
constexpr const char* set_up_session = R"(
  select
    set_config('TimeZone', 'UTC', false),
    set_config('DateStyle', 'ISO, YMD', false),
    set_config('client_encoding', 'UTF8', false),
    set_config('application_name', $1, false),
    set_config('statement_timeout', $2, false),
    set_config('lock_timeout', $3, false),
    set_config('idle_in_transaction_session_timeout', $4, false),
    case when current_setting('synchronous_commit') = 'off' then set_config('synchronous_commit', 'on', false) end)";

} // namespace

std::string with_connect_settings(const connection_options& options) {
  const std::array<std::pair<const char*, std::string>, 5> settings = {{
    {"connect_timeout", std::to_string(options.connect_timeout.count())},
    {"keepalives_idle", std::to_string(options.keepalives_idle.count())},
    {"keepalives_interval", std::to_string(options.keepalives_interval.count())},
    {"keepalives_count", std::to_string(options.keepalives_count)},
    {"tcp_user_timeout", std::to_string(options.tcp_user_timeout.count())},
  }};
  std::string result = options.url;
  for (const auto& [name, value] : settings) {
    const std::string assignment = std::string(name) + "=";
    if (options.url.find(assignment) != std::string::npos)
      continue;
    if (is_uri(options.url))
      result += result.find('?') == std::string::npos ? '?' : '&';
    else if (!result.empty())
      result += ' ';
    result += assignment + value;
  }
  return result;
}

std::chrono::milliseconds answer_timeout(const connection_options& options) {
  return options.statement_timeout.count() == 0 ? options.statement_timeout
                                                : options.statement_timeout + options.answer_margin;
}

std::unique_ptr<pqxx::connection> open_connection(const connection_options& options) {
  auto connection = std::make_unique<pqxx::connection>(with_connect_settings(options));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  // A session that came back silently would have lost its settings and its transaction.
  connection->inhibit_reactivation(true);
#pragma GCC diagnostic pop
  answer_deadline deadline;
  const answer_time waiting(deadline, connection->sock(), answer_timeout(options));
  pqxx::nontransaction session(*connection, "set_up");
  session.exec_params(
    set_up_session, options.application_name, std::to_string(options.statement_timeout.count()),
    std::to_string(options.lock_timeout.count()), std::to_string(options.idle_in_transaction_timeout.count()));
  return connection;
}

} // namespace levain
