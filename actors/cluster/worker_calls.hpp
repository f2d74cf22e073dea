#pragma once

#include <optional>
#include <string>

#include "actors/calls/call_executor.hpp"

namespace levain {

/// Where a call to a worker is, for people.
struct worker_call_view {
  /// Nobody has it yet.
  bool waiting = true;
  /// Somebody who is connected offers the kind.
  bool offered = false;
  /// Who has it; empty while it waits.
  std::string worker;
  /// The words of its last heartbeat; empty when there was none.
  std::string progress;
  std::optional<timestamp> progress_at;
};

/// PORT. Does calls of `{"worker": {"kind": ...}}`.
class worker_calls : public call_executor {
public:
  /// Where the call with this key and attempt is; nothing when it is not out. Any thread.
  virtual std::optional<worker_call_view> look(const std::string& key, uint32_t attempt) const = 0;
};

} // namespace levain
