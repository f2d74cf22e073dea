#pragma once

#include "actors/calls/call_in_flight.hpp"

namespace levain {

/// PORT. Does calls of one kind. Safe from any thread.
class call_executor {
public:
  virtual ~call_executor() = default;

  /// Begins the call; `done` is told its result exactly once, from any thread, also during `begin`. The result of a
  /// call that was given up is of no interest: it may still come.
  virtual call_in_flight begin(call_request request, call_done done) = 0;
};

} // namespace levain
