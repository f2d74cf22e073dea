#include "persistence/connection_string.hpp"

#include <array>
#include <cstdlib>
#include <memory>
#include <set>

#include <libpq-fe.h>
#include <pqxx/pqxx>

namespace levain {

namespace {

using parsed_options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

/// What libpq reads beside the variables of its keywords: where services and messages are, and what a session begins
/// with.
constexpr std::array other_variables = {"PGSYSCONFDIR", "PGLOCALEDIR", "PGDATESTYLE",  "PGTZ",
                                        "PGGEQO",       "PGREALM",     "PGSERVICEFILE"};

/// Those that begin a session whatever the connection says.
constexpr std::array session_variables = {"PGDATESTYLE", "PGGEQO", "PGTZ"};

parsed_options parse(const std::string& text) {
  char* error = nullptr;
  parsed_options options(PQconninfoParse(text.c_str(), &error), &PQconninfoFree);
  if (!options) {
    const std::string reason = error != nullptr ? error : "out of memory";
    PQfreemem(error);
    throw pqxx::broken_connection("the database's URL cannot be read: " + reason);
  }
  return options;
}

bool is_set(const char* variable) {
  return std::getenv(variable) != nullptr;
}

std::string quoted(const std::string& value) {
  std::string result = "'";
  for (const char letter : value) {
    if (letter == '\'' || letter == '\\')
      result += '\\';
    result += letter;
  }
  return result + "'";
}

} // namespace

connection_string::connection_string(const std::string& text) {
  const auto options = parse(text);
  for (const auto* option = options.get(); option->keyword != nullptr; ++option)
    if (option->val != nullptr)
      values_[option->keyword] = option->val;
}

std::string connection_string::value(const std::string& keyword) const {
  const auto found = values_.find(keyword);
  return found == values_.end() ? std::string() : found->second;
}

bool connection_string::has_several_hosts() const {
  return value("host").find(',') != std::string::npos || value("hostaddr").find(',') != std::string::npos;
}

std::string connection_string::text() const {
  std::string result;
  for (const auto& [keyword, value] : values_)
    result += (result.empty() ? "" : " ") + keyword + '=' + quoted(value);
  return result;
}

std::vector<std::string> steering_variables(const connection_string& connection) {
  std::set<std::string> found;
  const auto options = parse("");
  for (const auto* option = options.get(); option->keyword != nullptr; ++option)
    if (option->envvar != nullptr && is_set(option->envvar) && !connection.has(option->keyword))
      found.insert(option->envvar);
  for (const char* variable : session_variables)
    if (is_set(variable))
      found.insert(variable);
  return {found.begin(), found.end()};
}

std::string steering_note(const connection_string& connection) {
  std::string names;
  for (const auto& variable : steering_variables(connection))
    names += (names.empty() ? "" : ", ") + variable;
  return names.empty() ? names
                       : " (variables of the environment have a say in this connection, unset what is not meant for "
                         "this database: " +
                           names + ")";
}

void forget_libpq_environment() {
  const auto options = parse("");
  for (const auto* option = options.get(); option->keyword != nullptr; ++option)
    if (option->envvar != nullptr)
      unsetenv(option->envvar);
  for (const char* variable : other_variables)
    unsetenv(variable);
}

std::string with_primary(const std::string& url) {
  try {
    connection_string connection(url);
    connection.set_default("target_session_attrs", "primary");
    return connection.text();
  } catch (const pqxx::broken_connection&) {
    return url; // Connecting says what is wrong with it.
  }
}

} // namespace levain
