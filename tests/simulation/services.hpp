#pragma once

#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "actors/calls/call_executor.hpp"
#include "tests/simulation/ground.hpp"

namespace levain::simulation {

/// The services of a world: answer calls as the plan has it, and tell the audience of every call and answer.
class services {
public:
  explicit services(ground& under);

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
    timestamp local_deadline{};
    int clock_jumps = 0;
  };
  using call_ptr = std::shared_ptr<call>;
  class executor;

  call_in_flight begin(const life_ptr& from, call_request request, call_done done, bool deadlines);
  fate_item fate_of(const call& x) const;
  void come_about(const call_ptr& x, const fate_item& fate);
  void answer(const call_ptr& x, duration after, call_result result);
  void tell(const call_ptr& x, const call_result& result);
  bool is_awaited(const call& x) const;
  std::string good_output(const call& x, bool misfit, std::string_view note);

  ground& under_;
  uint64_t calls_made_ = 0;
  /// By input, step, attempt and whether it is to undo.
  std::map<std::tuple<int, std::string, uint32_t, bool>, fate_item> fates_;
  std::vector<call_ptr> open_;
  /// Calls made so far, to count those that are made again.
  std::map<std::tuple<std::string, uint32_t>, int> made_;
};

} // namespace levain::simulation
