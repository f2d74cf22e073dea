#pragma once

#include <memory>
#include <string>

namespace levain::test {

/// Stands between a connection and its PostgreSQL and loses what it is told to lose: faults come over the wire, as in
/// life. Listens on a unix socket in a temporary folder, with a thread of its own.
class database_gate {
public:
  /// A gate in front of the server at `url`, which listens on a unix socket.
  explicit database_gate(const std::string& url);
  ~database_gate();
  database_gate(const database_gate&) = delete;
  database_gate& operator=(const database_gate&) = delete;

  /// The same database, through the gate.
  const std::string& url() const;

  /// The next commit does not reach the server; both ends are closed.
  void lose_next_commit();
  /// The next commit reaches the server; when the server has answered, both ends are closed.
  void lose_next_answer();
  /// Closes every connection and refuses new ones.
  void shut();
  /// Lets new ones in again.
  void reopen();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace levain::test
