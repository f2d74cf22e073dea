#pragma once

#include "tests/simulation/ground.hpp"

namespace levain::simulation {

/// One call of a port by an actor: takes its time, part of it before what is asked is done and part of it after.
/// Everything else goes on meanwhile, and the caller's process may die.
class port_call {
public:
  port_call(ground& under, life& of, connection_kind connection)
    : under_(under)
    , of_(of) {
    ++of_.in_ports;
    const auto whole = under_.faults.delay(of_.who.node, connection, under_.now);
    if (whole == duration(0) || !of_.alive)
      return;
    under_.seen.saw(sight::slow_answers);
    switch (under_.luck.below(3)) {
    case 0:
      before_ = whole;
      break;
    case 1:
      after_ = whole;
      break;
    default:
      before_ = after_ = whole / 2;
    }
  }
  ~port_call() { --of_.in_ports; }
  port_call(const port_call&) = delete;
  port_call& operator=(const port_call&) = delete;

  /// What is asked is on its way. False when nobody is left to ask it.
  bool goes() { return passes(before_); }
  /// The answer is on its way. False when nobody is left to hear it.
  bool comes_back() { return passes(after_); }
  /// The process dies here, if it is to. False when it did.
  bool survives(kill_point point) {
    if (of_.alive && of_.dies_at == point)
      under_.kill(of_);
    return of_.alive;
  }

private:
  bool passes(duration span) {
    if (of_.alive && span > duration(0))
      under_.let_pass(of_, span);
    return of_.alive;
  }

  ground& under_;
  life& of_;
  duration before_{};
  duration after_{};
};

} // namespace levain::simulation
