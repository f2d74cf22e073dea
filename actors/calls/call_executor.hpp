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

  /// The same, and `told` learns how the call moves before it has its result: from any thread, also during `begin`. An
  /// executor that lets no call wait begins its work at once.
  virtual call_in_flight begin_told(call_request request, call_done done, call_told told) {
    told({call_news::kind_type::in_flight});
    return begin(std::move(request), std::move(done));
  }
};

} // namespace levain
