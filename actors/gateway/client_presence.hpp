#pragma once

#include <atomic>

namespace levain {

/// Whether the client of a request still waits for its answer. Any thread, unless it says otherwise.
class client_presence {
public:
  /// Called by a handler, before it returns, whose answer may take long: the server then looks for a client that closes
  /// its connection.
  void watch() { watched_ = true; }
  bool watched() const { return watched_; }

  /// Called by the server: nobody will read the answer.
  void leave() { gone_ = true; }
  /// True once nobody will read the answer: the client has closed its connection, or was answered otherwise.
  bool gone() const { return gone_; }

private:
  std::atomic<bool> watched_ = false;
  std::atomic<bool> gone_ = false;
};

} // namespace levain
