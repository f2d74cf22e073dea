#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>

#include "actors/cluster/wire_messages.hpp"
#include "actors/cluster/wire_system.hpp"

namespace levain::test {

/// What a worker has said to a gate so far.
struct heard_of_worker {
  std::vector<worker_hello> hellos;
  std::vector<call_begun> begun;
  std::vector<call_declined> declined;
  std::vector<room_made> rooms;
  std::vector<call_heartbeat> heartbeats;
  std::vector<call_ended> ended;
  std::vector<calls_held> held;
  size_t leaving = 0;
  /// Connections that went away.
  size_t lost = 0;
};

/// A node as a worker sees it: a gate on the wire that welcomes workers and says what the test has it say. One at a
/// time in a process.
class stand_in_gate {
public:
  /// Opens on loopback; port 0 lets the system choose. `gates` is what it tells workers of other nodes.
  explicit stand_in_gate(uint16_t port = 0, std::vector<std::string> gates = {}, const wire_security& security = {});
  ~stand_in_gate();
  stand_in_gate(const stand_in_gate&) = delete;
  stand_in_gate& operator=(const stand_in_gate&) = delete;

  uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  /// Answers introductions with this from now on.
  void refuse(std::string reason);
  /// Says something to the worker that was welcomed last.
  template <class Word>
  void say(const Word& word) {
    say_message(caf::make_message(word));
  }

  /// Waits until `holds` of what was heard; false when it does not within `limit`.
  bool heard(
    const std::function<bool(const heard_of_worker&)>& holds,
    std::chrono::milliseconds limit = std::chrono::seconds(20)) const;
  /// What the call with this number came to; throws `std::runtime_error` when it has not ended within `limit`.
  call_ended end_of(uint64_t number, std::chrono::milliseconds limit = std::chrono::seconds(20)) const;
  heard_of_worker all() const;

private:
  struct shared;
  void say_message(caf::message message);

  std::shared_ptr<shared> shared_;
  std::unique_ptr<wire_config> config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::actor gate_;
  uint16_t port_ = 0;
};

/// A call for a worker: of `kind`, its key the kind and the number, 20 s left.
call_given some_call(uint64_t number, const std::string& kind, const std::string& input = "{}");

} // namespace levain::test
