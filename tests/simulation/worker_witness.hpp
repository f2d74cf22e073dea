#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "persistence/timestamp.hpp"
#include "tests/simulation/place.hpp"

// What can be seen from outside of workers: what crosses the wire between them and the nodes, and what their functions
// do. A word is seen twice, when it is said and when it is about to be handled; what is said and never heard was lost.

namespace levain::simulation {

/// A kind of steps that a worker does, and how many at once.
struct offer_known {
  std::string kind;
  uint32_t at_once = 0;
};

/// A call that a worker says it holds.
struct held_known {
  std::string key;
  uint32_t attempt = 0;
};

enum class worker_change : uint8_t {
  booted,
  killed,
  paused,
  resumed,
  /// It was told to end in order.
  leaves,
};

struct worker_changed {
  timestamp at{};
  place who;
  worker_change change = worker_change::booted;
  /// Of one that boots.
  std::vector<offer_known> offers = {};
};

/// One of the two sides of a connection has come to know the other, or that the other is gone.
struct link_changed {
  timestamp at{};
  uint64_t connection = 0;
  place node;
  place worker;
  /// Which side: the node has welcomed the worker, or the worker was welcomed.
  bool at_node = false;
  bool up = false;
  /// What the worker has introduced itself with; told of the node's side.
  std::vector<offer_known> offers = {};
  std::vector<held_known> held = {};
};

enum class word_kind : uint8_t {
  // A node's words.
  given,
  dropped,
  cancelled,
  // A worker's.
  begun,
  declined,
  room,
  beat,
  ended,
  held,
  leaving,
};

/// A word between a node and a worker; the members that it has none of are empty.
struct word_passed {
  timestamp at{};
  uint64_t connection = 0;
  /// It is about to be handled; otherwise it was said.
  bool heard = false;
  word_kind what = word_kind::given;
  uint64_t number = 0;
  /// Of what is dropped: its run goes to another node.
  bool moves = false;
  int64_t epoch = 0;
  std::string key = {};
  uint32_t attempt = 0;
  std::string kind = {};
  duration heartbeat{};
  duration time_left{};
  uint32_t room = 0;
  bool succeeded = false;
  std::string result = {};
  std::vector<held_known> held = {};
};

/// A worker calls a function.
struct work_begun {
  timestamp at{};
  /// Tells pieces of work apart.
  uint64_t work = 0;
  place who;
  std::string kind;
  std::string key;
  uint32_t attempt = 0;
};

/// A function can see that nobody waits for it any more.
struct work_cancelled {
  timestamp at{};
  uint64_t work = 0;
};

/// A function has returned.
struct work_ended {
  timestamp at{};
  uint64_t work = 0;
  bool succeeded = false;
  /// JSON text, or a sentence.
  std::string result;
};

/// Nobody waits any more for a call that a node made of a worker.
struct call_let_go {
  timestamp at{};
  uint64_t call = 0;
};

/// Whoever lives and does not stand still has handled all there was: nothing happens before time passes.
struct at_rest {
  timestamp at{};
};

} // namespace levain::simulation
