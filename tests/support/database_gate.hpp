#pragma once

#include <string>

#include "tests/support/socket_gate.hpp"

namespace levain::test {

/// The folder of a unix socket, removed at the end.
class socket_folder {
public:
  socket_folder();
  ~socket_folder();
  socket_folder(const socket_folder&) = delete;
  socket_folder& operator=(const socket_folder&) = delete;

  const std::string& path() const { return path_; }

private:
  std::string path_;
};

/// A gate in front of a PostgreSQL. Listens on a unix socket in a temporary folder.
class database_gate : private socket_folder, public socket_gate {
public:
  /// A gate in front of the server at `url`, which listens on a unix socket.
  explicit database_gate(const std::string& url);

  /// The same database, through the gate.
  const std::string& url() const { return url_; }

private:
  std::string url_;
};

} // namespace levain::test
