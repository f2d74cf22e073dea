#pragma once

#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "actors/calls/call_executor.hpp"
#include "tests/simulation/fate_book.hpp"

namespace levain::simulation {

/// The services of a world: answer calls as the plan has it, and tell the audience of every call and answer.
class services {
public:
  services(ground& under, const fate_book& fates);

  /// Through which the steps of this life call. With `deadlines` it answers in the service's place when a deadline
  /// passes, as the HTTP executor does; without, it leaves that to the engine.
  std::shared_ptr<call_executor> executor_for(const life_ptr& of, bool deadlines);
  /// The process is gone: nobody is told anything any more.
  void forget(const life& of);

private:
  struct call {
    uint64_t number = 0;
    life_ptr from;
    call_request request;
    call_done done;
    int input = 0;
    bool deadlines = false;
    bool given_up = false;
    bool answered = false;
    timestamp deadline{};
  };
  using call_ptr = std::shared_ptr<call>;
  class executor;

  call_in_flight begin(const life_ptr& from, call_request request, call_done done, bool deadlines);
  void come_about(const call_ptr& x, const fate_item& fate);
  void answer(const call_ptr& x, duration after, call_result result);
  void tell(const call_ptr& x, const call_result& result);
  bool is_awaited(const call& x) const;

  ground& under_;
  const fate_book& fates_;
  std::vector<call_ptr> open_;
};

} // namespace levain::simulation
