#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace levain {

/// A libpq connection URL or keyword string, taken apart. Nothing of the environment and of service files is in it.
class connection_string {
public:
  /// Throws `pqxx::broken_connection` with libpq's words when `text` is neither a URL nor a keyword string.
  explicit connection_string(const std::string& text);

  /// True when the text says something about this keyword of libpq (`hostaddr`), if only that it is empty.
  bool has(const std::string& keyword) const { return values_.contains(keyword); }
  /// The value; empty when there is none.
  std::string value(const std::string& keyword) const;
  /// Adds what the text does not say.
  void set_default(const std::string& keyword, std::string value) { values_.try_emplace(keyword, std::move(value)); }
  /// More than one server is named.
  bool has_several_hosts() const;
  /// As a keyword string.
  std::string text() const;

private:
  std::map<std::string, std::string> values_;
};

/// The variables of the environment that libpq reads and that are set, in the order of their names: those that a
/// connection by `connection` is steered by, because it does not say itself what they say.
std::vector<std::string> steering_variables(const connection_string& connection);

/// A part of a sentence that names them, for a connection that failed; empty when there are none.
std::string steering_note(const connection_string& connection);

/// Takes every variable that libpq reads out of this process's environment, so that what was meant for another database
/// has no part in a connection to a private one. To be called while no other thread reads the environment.
void forget_libpq_environment();

/// `url`, for programs that write: a server that only reads is passed over when connecting. What the URL itself says
/// about `target_session_attrs` wins.
std::string with_primary(const std::string& url);

} // namespace levain
