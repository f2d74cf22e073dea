#pragma once

#include <string>

#include "persistence/connection.hpp"

namespace levain {

/// Sets everything that the engine depends on as the session's own values, in one round trip. A session's own value
/// stays when the server's configuration is read again, and when a default of the server, the database or the role is
/// changed. Parameters: `names` and `values` of `session_settings`. A setting that the server does not know is left
/// out. `search_path` keeps the value that it has, and `synchronous_commit` is `on`, or `remote_apply` where that is
/// the default.
extern const char* const pin_settings_statement;

/// Array literals of equal length.
struct session_settings {
  std::string names;
  std::string values;
};

session_settings session_settings_of(const connection_options& options);

} // namespace levain
