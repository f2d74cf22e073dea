#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "persistence/timestamp.hpp"
#include "persistence/uuid.hpp"

namespace levain {

/// What can be counted of a node's workers.
struct worker_figures {
  /// Workers that are connected.
  size_t connected = 0;
  /// Calls that workers have.
  size_t calls_out = 0;
  /// Calls that wait for a worker.
  size_t calls_waiting = 0;
  bool operator==(const worker_figures&) const = default;
};

/// A kind of steps that a worker does.
struct worker_kind_view {
  std::string kind;
  /// Calls that it takes at once, from all nodes.
  uint32_t at_once = 0;
  /// What it has room for, as far as this node knows.
  uint32_t free = 0;
  bool operator==(const worker_kind_view&) const = default;
};

/// A worker that is connected with this node.
struct worker_view {
  uuid id;
  std::string name;
  /// The machine it runs on.
  std::string host;
  std::string version;
  /// By name.
  std::vector<worker_kind_view> kinds;
  /// Calls of this node that it has.
  size_t calls_out = 0;
  timestamp connected_since{};
  /// It takes nothing more and goes when it is through.
  bool leaving = false;
};

} // namespace levain
