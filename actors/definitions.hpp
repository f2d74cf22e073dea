#pragma once

#include <functional>
#include <memory>

#include "actors/interfaces.hpp"
#include "actors/workflow_cache.hpp"

namespace levain {

struct definitions_state {
  static inline const char* name = "definitions";
  std::shared_ptr<workflow_cache> workflows;
  std::function<timestamp()> now;
};

/// To be spawned detached: it waits for the database, so that whoever asks need not.
definitions_actor::behavior_type definitions(
  definitions_actor::stateful_pointer<definitions_state> self, std::shared_ptr<workflow_cache> workflows,
  std::function<timestamp()> now);

} // namespace levain
