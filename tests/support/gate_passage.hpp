#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <vector>

namespace levain::test {

/// What a gate does to the bytes that pass it.
struct gate_faults {
  /// Set: the next commit is let through, of its answer only so many bytes, then both ends are closed.
  std::optional<size_t> next_answer_bytes;
  /// The next commit does not reach the server; both ends are closed.
  bool lose_next_commit = false;
  /// How long bytes take on their way, in each direction.
  std::chrono::milliseconds delay{0};
  /// Takes bytes and hands on none, in neither direction and without closing anything.
  bool swallow = false;
};

/// One connection through a gate: a client's socket and one to the server, both closed at the end. One thread.
class gate_passage {
public:
  using moment = std::chrono::steady_clock::time_point;

  /// Takes both descriptors.
  gate_passage(int client, int server);
  ~gate_passage();
  gate_passage(const gate_passage&) = delete;
  gate_passage& operator=(const gate_passage&) = delete;

  /// What to poll for: the client, then the server.
  std::array<pollfd, 2> waits(moment now) const;
  /// When bytes that are held back become due; nothing while none are.
  std::optional<moment> due() const;
  /// Carries what can be carried. False when the passage is over.
  bool serve(const pollfd& client, const pollfd& server, moment now, gate_faults& faults);
  /// It will be cut after so many more bytes in both directions together.
  void cut_after(size_t bytes) { bytes_left_ = bytes; }
  /// Ends it from outside: both sockets are shut down, so that the next `serve` answers false.
  void shut();
  /// True when the gate itself ended it or is about to.
  bool cut() const { return cut_; }

private:
  struct chunk {
    std::string bytes;
    moment due;
  };
  /// Bytes on their way from one socket to the other.
  struct flow {
    int from = -1;
    int to = -1;
    std::deque<chunk> waiting = {};
    /// Nothing more comes; what waits is still delivered.
    bool ended = false;
  };

  static short events_of(const flow& in, const flow& out, moment now);
  /// True when there is something more to deliver.
  bool receive(flow& from, const gate_faults& faults, moment now);
  /// False when the receiver is gone.
  static bool deliver(flow& to, moment now);
  void look_for_commit(const std::string& bytes, gate_faults& faults);
  void spend(std::string& bytes);

  flow to_server_;
  flow to_client_;
  std::optional<size_t> bytes_left_;
  /// Of the answer that is being cut.
  std::optional<size_t> answer_bytes_left_;
  /// What was swallowed leaves a hole, so nothing may follow it.
  bool swallowed_ = false;
  bool cut_ = false;
};

} // namespace levain::test
