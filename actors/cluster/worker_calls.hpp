#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actors/calls/call_executor.hpp"
#include "actors/cluster/worker_view.hpp"
#include "actors/run_machine/worker_call_view.hpp"

namespace levain {

/// PORT. Does calls of `{"worker": {"kind": ...}}`.
class worker_calls : public call_executor {
public:
  /// Where the call with this key and attempt is; nothing when it is not out. Any thread.
  virtual std::optional<worker_call_view> look(const std::string& key, uint32_t attempt) const = 0;

  /// Any thread.
  virtual worker_figures figures() const = 0;

  /// The workers that are connected, the one that has been so for longest first. Any thread.
  virtual std::vector<worker_view> list() const = 0;
};

} // namespace levain
