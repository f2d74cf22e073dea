#pragma once

#include <functional>
#include <utility>
#include <variant>

#include "actors/run_machine/prepare_call.hpp"

namespace levain {

/// What a call came to: JSON text, or why there is none.
using call_result = std::variant<std::string, call_failure>;

/// Told the result of a call, exactly once, on whichever thread has it.
using call_done = std::function<void(call_result)>;

/// Why nobody waits for a call any more.
enum class let_go_reason {
  /// Nobody needs what it comes to.
  not_needed,
  /// Its run goes on at another node, which makes the call again under the same key: what is done for it may go on.
  run_moves,
};

/// Holds a call that is out. Going out of scope, or `give_up`, tells the executor that nobody waits any more.
class call_in_flight {
public:
  call_in_flight() = default;
  explicit call_in_flight(std::function<void(let_go_reason)> give_up)
    : give_up_(std::move(give_up)) {}
  call_in_flight(call_in_flight&& other) noexcept
    : give_up_(std::exchange(other.give_up_, nullptr)) {}
  call_in_flight& operator=(call_in_flight&& other) noexcept {
    if (this != &other) {
      give_up();
      give_up_ = std::exchange(other.give_up_, nullptr);
    }
    return *this;
  }
  call_in_flight(const call_in_flight&) = delete;
  call_in_flight& operator=(const call_in_flight&) = delete;
  ~call_in_flight() { give_up(); }

  void give_up(let_go_reason why = let_go_reason::not_needed) noexcept {
    if (auto tell = std::exchange(give_up_, nullptr))
      tell(why);
  }
  /// The call has ended by itself: there is nothing to give up.
  void forget() noexcept { give_up_ = nullptr; }

private:
  std::function<void(let_go_reason)> give_up_;
};

} // namespace levain
