#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace levain::test {

/// Stands between connections and their server and loses what it is told to lose: faults come over the wire, as in
/// life. Has a thread of its own. Any thread may tell it what to do.
class socket_gate {
public:
  /// Takes `listener`, a socket that listens. `connect` answers a connection to the server, or -1 when there is none.
  socket_gate(int listener, std::function<int()> connect);
  ~socket_gate();
  socket_gate(const socket_gate&) = delete;
  socket_gate& operator=(const socket_gate&) = delete;

  /// The next commit does not reach the server; both ends are closed.
  void lose_next_commit();
  /// The next commit reaches the server; when the server has answered, `bytes` of the answer pass and both ends are
  /// closed. The answer to a commit is 18 bytes long.
  void lose_next_answer(size_t bytes = 0);
  /// From now on bytes take so long on their way, in each direction.
  void delay(std::chrono::milliseconds span);
  /// Every connection, open or to come, is cut after a random number of bytes in both directions together, 1 to
  /// `bytes_max` and evenly drawn from `seed`.
  void cut_after(size_t bytes_max, uint64_t seed);
  /// From now on connections are taken and nothing is answered, without closing any. Those that lost bytes that way
  /// stay dead when the gate is reopened, as after a cut in a network.
  void swallow();
  /// Closes every connection and refuses new ones.
  void shut();
  /// Ends every fault: new connections pass unharmed.
  void reopen();

  /// Connections that were let in and are still open.
  size_t open_connections() const;
  /// Connections that the gate has ended in the midst: by a lost commit or answer, by a cut, or by `shut`.
  size_t connections_cut() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace levain::test
